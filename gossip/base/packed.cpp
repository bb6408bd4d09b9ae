#include "gossip/base/packed.hpp"

#include <msgpack.hpp>

#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

// The stream that msgpack::packer wants: a write() onto our buffer.
struct Sink {
  Bytes& out;
  void write(const char* data, std::size_t size) { out.insert(out.end(), data, data + size); }
};

msgpack::packer<Sink> packing(Sink& sink) { return msgpack::packer<Sink>(sink); }

}  // namespace

Packer& Packer::array(std::size_t size) {
  Sink sink{out_};
  packing(sink).pack_array(static_cast<std::uint32_t>(size));
  return *this;
}

Packer& Packer::number(std::uint64_t value) {
  Sink sink{out_};
  packing(sink).pack_uint64(value);
  return *this;
}

Packer& Packer::boolean(bool value) {
  Sink sink{out_};
  auto packer = packing(sink);
  value ? packer.pack_true() : packer.pack_false();
  return *this;
}

Packer& Packer::text(std::string_view value) {
  Sink sink{out_};
  auto packer = packing(sink);
  packer.pack_str(static_cast<std::uint32_t>(value.size()));
  packer.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
  return *this;
}

Packer& Packer::binary(ByteView value) {
  Sink sink{out_};
  auto packer = packing(sink);
  packer.pack_bin(static_cast<std::uint32_t>(value.size()));
  packer.pack_bin_body(reinterpret_cast<const char*>(value.data()), static_cast<std::uint32_t>(value.size()));
  return *this;
}

Packer& Packer::nil() {
  Sink sink{out_};
  packing(sink).pack_nil();
  return *this;
}

Packer& Packer::prefix(const Prefix& value) { return array(2).address(value.address).number(value.length); }
Packer& Packer::endpoint(const Endpoint& value) { return array(2).address(value.address).number(value.port); }

// A msgpack visitor; returning false ends the scan. Maps, floats, extensions and
// negative numbers have no place in our formats.
struct Unpacker::Scanner : msgpack::null_visitor {
  std::vector<Token>& tokens;
  std::size_t values_max;
  std::size_t depth = 0;

  Scanner(std::vector<Token>& into, std::size_t most) : tokens(into), values_max(most) {}

  bool add(Kind kind, std::uint64_t number, ByteView data = {}) {
    if (tokens.size() >= values_max) return false;
    tokens.push_back({kind, number, data});
    return true;
  }
  static ByteView bytes(const char* data, std::uint32_t size) { return {reinterpret_cast<const std::uint8_t*>(data), size}; }

  bool visit_nil() { return add(Kind::nil, 0); }
  bool visit_boolean(bool value) { return add(Kind::boolean, value ? 1 : 0); }
  bool visit_positive_integer(std::uint64_t value) { return add(Kind::number, value); }
  bool visit_negative_integer(std::int64_t) { return false; }
  bool visit_float32(float) { return false; }
  bool visit_float64(double) { return false; }
  bool visit_str(const char* data, std::uint32_t size) { return add(Kind::text, size, bytes(data, size)); }
  bool visit_bin(const char* data, std::uint32_t size) { return add(Kind::binary, size, bytes(data, size)); }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }
  bool start_array(std::uint32_t size) {
    if (++depth > limits::pack_depth || size > values_max) return false;
    return add(Kind::array, size);
  }
  bool end_array() {
    --depth;
    return true;
  }
};

Unpacker::Unpacker(ByteView input, std::size_t values_max) {
  tokens_.reserve(32);
  Scanner scanner(tokens_, values_max);
  try {
    std::size_t offset = 0;
    const bool whole = msgpack::parse(reinterpret_cast<const char*>(input.data()), input.size(), offset, scanner);
    failed_ = !whole || offset != input.size();
  } catch (const msgpack::unpack_error&) {
    failed_ = true;
  }
}

const Unpacker::Token* Unpacker::next(Kind kind) {
  if (failed_ || at_ == tokens_.size() || tokens_[at_].kind != kind) {
    failed_ = true;
    return nullptr;
  }
  return &tokens_[at_++];
}

std::size_t Unpacker::array(std::size_t least, std::size_t most) {
  const Token* token = next(Kind::array);
  if (token == nullptr) return 0;
  if (token->number < least || token->number > most) failed_ = true;
  return failed_ ? 0 : static_cast<std::size_t>(token->number);
}

std::uint64_t Unpacker::number(std::uint64_t most) {
  const Token* token = next(Kind::number);
  if (token == nullptr) return 0;
  if (token->number > most) failed_ = true;
  return failed_ ? 0 : token->number;
}

bool Unpacker::boolean() {
  const Token* token = next(Kind::boolean);
  return token != nullptr && token->number != 0;
}

std::string_view Unpacker::text(std::size_t most) {
  const Token* token = next(Kind::text);
  if (token == nullptr) return {};
  if (token->data.size() > most) failed_ = true;
  return failed_ ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(token->data.data()), token->data.size());
}

ByteView Unpacker::binary(std::size_t least, std::size_t most) {
  const Token* token = next(Kind::binary);
  if (token == nullptr) return {};
  if (token->data.size() < least || token->data.size() > most) failed_ = true;
  return failed_ ? ByteView{} : token->data;
}

bool Unpacker::nil() {
  if (failed_ || at_ == tokens_.size() || tokens_[at_].kind != Kind::nil) return false;
  ++at_;
  return true;
}

Signature Unpacker::signature() {
  Signature signature;
  const auto raw = binary(64, 64);
  if (!failed_) std::copy(raw.begin(), raw.end(), signature.bytes.begin());
  return signature;
}

Address Unpacker::address() {
  const auto raw = binary(4, 16);
  const auto address = failed_ ? std::nullopt : Address::from_bytes(raw);
  // A mapped address would have two encodings.
  if (!address || address->size() != raw.size()) {
    failed_ = true;
    return {};
  }
  return *address;
}

Prefix Unpacker::prefix() {
  array(2, 2);
  const Address base = address();
  const auto length = static_cast<std::uint8_t>(number(static_cast<std::uint64_t>(base.bits())));
  const Prefix prefix = Prefix::covering(base, failed_ ? 0 : length);
  if (!failed_ && prefix.address != base) failed_ = true;
  return failed_ ? Prefix{} : prefix;
}

Endpoint Unpacker::endpoint() {
  array(2, 2);
  const Address host = address();
  const auto port = static_cast<std::uint16_t>(number(65535));
  if (port == 0) failed_ = true;
  return failed_ ? Endpoint{} : Endpoint{host, port};
}

}  // namespace wigwag
