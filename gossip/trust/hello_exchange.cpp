#include "gossip/trust/hello_exchange.hpp"

#include <algorithm>

#include "gossip/base/check.hpp"

namespace wigwag {

Bytes hello_input(std::string_view label, std::initializer_list<ByteView> parts) {
  Bytes joined(label.begin(), label.end());
  joined.push_back(0);
  for (const ByteView part : parts) joined.insert(joined.end(), part.begin(), part.end());
  return joined;
}

std::optional<HelloExchange> HelloExchange::start(const NetworkId& network, const HelloSecret& own, const HelloKey& other,
                                                  const HelloKey& caller, const HelloKey& host, std::uint64_t session) {
  auto shared = agree(own, other);
  if (!shared) return std::nullopt;
  std::array<std::uint8_t, 8> number{};
  store_be64(number.data(), session);
  const Hash32 transcript = blake2b(hello_input("wigwag.hello.1", {network.view(), caller.view(), host.view(), number}));
  return HelloExchange(network, std::move(*shared), transcript);
}

HelloExchange::HelloExchange(const NetworkId& network, Secret<struct SharedSecretRole> shared, const Hash32& transcript)
    : network_(network), shared_(std::move(shared)), transcript_(transcript) {
  auto keys = blake2b_512(hello_input("wigwag.hello.keys", {transcript_.view()}), shared_.open());
  introduction_key_ = *BoxKey::from(ByteView(keys).first(32));
  proof_key_ = *BoxKey::from(ByteView(keys).last(32));
  wipe(keys.data(), keys.size());
}

const BoxKey& HelloExchange::key_of(HelloKind kind) const {
  check(kind == HelloKind::introduction || kind == HelloKind::proof, "messages 2 and 3 bear signatures");
  return kind == HelloKind::introduction ? introduction_key_ : proof_key_;
}

BoxKey HelloExchange::answer_key() const {
  Hash32 raw = blake2b(hello_input("wigwag.hello.answer", {transcript_.view()}), shared_.open());
  BoxKey key(raw.bytes);
  wipe(raw.bytes.data(), raw.bytes.size());
  return key;
}

Bytes HelloExchange::statement(HelloKind kind, ByteView content) const {
  Bytes body{static_cast<std::uint8_t>(kind)};
  const Hash32 hash = blake2b(content);
  for (const ByteView part : {transcript_.view(), hash.view()}) body.insert(body.end(), part.begin(), part.end());
  return body;
}

Bytes HelloExchange::seal_signed(HelloKind kind, ByteView content, const NodeSecret& signer) const {
  const Signature signature = sign(Domain::hello, network_, statement(kind, content), signer.open());
  Bytes plain(content.begin(), content.end());
  plain.insert(plain.end(), signature.bytes.begin(), signature.bytes.end());
  return seal_box(key_of(kind), plain, transcript_.view());
}

std::optional<HelloExchange::SignedContent> HelloExchange::open_signed(HelloKind kind, ByteView box) const {
  auto plain = open_box(key_of(kind), box, transcript_.view());
  if (!plain || plain->size() < sizeof(Signature)) return std::nullopt;
  SignedContent opened;
  const auto content_end = plain->end() - static_cast<std::ptrdiff_t>(sizeof(Signature));
  std::copy(content_end, plain->end(), opened.signature.bytes.begin());
  plain->erase(content_end, plain->end());
  opened.content = std::move(*plain);
  return opened;
}

bool HelloExchange::holds(HelloKind kind, const SignedContent& opened, const NodeId& signer, Verifier& verifier) const {
  return verifier.verify(Domain::hello, network_, statement(kind, opened.content), opened.signature, signer.bytes);
}

Bytes HelloExchange::seal_answer(ByteView content) const { return seal_box(answer_key(), content, transcript_.view()); }

std::optional<Bytes> HelloExchange::open_answer(ByteView box) const { return open_box(answer_key(), box, transcript_.view()); }

void HelloExchange::append(HelloKind kind, ByteView message) {
  check(kind == HelloKind::introduction || kind == HelloKind::proof, "the transcript takes messages 2 and 3");
  const auto* label = kind == HelloKind::introduction ? "wigwag.hello.2" : "wigwag.hello.3";
  transcript_ = blake2b(hello_input(label, {transcript_.view(), message}));
}

HelloMac::HelloMac(const NetworkId& network) : key_(blake2b(hello_input("wigwag.hello.mac", {network.view()}))) {}

std::array<std::uint8_t, HelloMac::size> HelloMac::over(ByteView message, ByteView bound) const {
  Bytes all(message.begin(), message.end());
  all.insert(all.end(), bound.begin(), bound.end());
  const Hash32 hash = blake2b(all, key_.view());
  std::array<std::uint8_t, size> mac{};
  std::copy_n(hash.bytes.begin(), size, mac.begin());
  return mac;
}

void HelloMac::seal(Bytes& message, ByteView bound) const {
  const auto mac = over(message, bound);
  message.insert(message.end(), mac.begin(), mac.end());
}

bool HelloMac::holds(ByteView datagram, ByteView bound) const {
  if (datagram.size() < size) return false;
  return equal_in_constant_time(datagram.last(size), over(datagram.first(datagram.size() - size), bound));
}

}  // namespace wigwag
