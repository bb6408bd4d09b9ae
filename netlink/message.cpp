#include "netlink/message.hpp"

#include <algorithm>

#include "gossip/base/check.hpp"
#include "gossip/base/secret.hpp"

namespace wigwag {
namespace {

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }
constexpr std::size_t attribute_header = sizeof(nlattr);

}  // namespace

Message::Message(std::uint16_t type, std::uint16_t flags, std::size_t room) {
  bytes_.reserve(room);
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  raw(&header, sizeof header);
}

Message::~Message() { wipe(bytes_.data(), bytes_.size()); }

Message& Message::raw(const void* from, std::size_t size) {
  const auto* start = static_cast<const std::uint8_t*>(from);
  bytes_.insert(bytes_.end(), start, start + size);
  bytes_.resize(aligned(bytes_.size()), 0);
  return *this;
}

Message& Message::put(std::uint16_t type, ByteView payload) {
  check(payload.size() <= UINT16_MAX - attribute_header, "a netlink attribute is shorter than 64 KiB");
  const nlattr header{static_cast<std::uint16_t>(attribute_header + payload.size()), type};
  raw(&header, sizeof header);
  return raw(payload.data(), payload.size());
}

Message& Message::put_text(std::uint16_t type, std::string_view text) {
  Bytes payload(text.begin(), text.end());
  payload.push_back(0);
  return put(type, payload);
}

std::size_t Message::begin(std::uint16_t type) {
  const std::size_t at = bytes_.size();
  put(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
  return at;
}

void Message::end(std::size_t nest) {
  const std::size_t length = bytes_.size() - nest;
  check(length <= UINT16_MAX, "a netlink nest is shorter than 64 KiB");
  const auto written = static_cast<std::uint16_t>(length);
  std::memcpy(bytes_.data() + nest, &written, sizeof written);
}

std::uint16_t Message::type() const {
  nlmsghdr header;
  std::memcpy(&header, bytes_.data(), sizeof header);
  return header.nlmsg_type;
}

std::uint16_t Message::flags() const {
  nlmsghdr header;
  std::memcpy(&header, bytes_.data(), sizeof header);
  return header.nlmsg_flags;
}

ByteView Message::seal(std::uint32_t sequence) {
  nlmsghdr header;
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

std::string_view Attribute::text() const {
  const auto end = std::find(payload.begin(), payload.end(), 0);
  return {reinterpret_cast<const char*>(payload.data()), static_cast<std::size_t>(end - payload.begin())};
}

std::optional<Attribute> AttributeReader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto header = read_fixed<nlattr>(rest_);
  if (!header || header->nla_len < attribute_header || header->nla_len > rest_.size()) {
    // Fewer bytes than a header are padding that the kernel may leave at the end.
    malformed_ = rest_.size() >= attribute_header;
    rest_ = {};
    return std::nullopt;
  }
  const Attribute found{static_cast<std::uint16_t>(header->nla_type & NLA_TYPE_MASK),
                        rest_.subspan(attribute_header, header->nla_len - attribute_header)};
  rest_ = rest_.subspan(std::min(aligned(header->nla_len), rest_.size()));
  return found;
}

std::optional<Received> MessageReader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto header = read_fixed<nlmsghdr>(rest_);
  if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > rest_.size()) {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }
  const Received found{*header, rest_.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr))};
  rest_ = rest_.subspan(std::min(aligned(header->nlmsg_len), rest_.size()));
  return found;
}

}  // namespace wigwag
