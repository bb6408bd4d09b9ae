#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/bytes.hpp"
#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"

namespace wigwag {

// Writes MessagePack. The one door to msgpack for writing; integers take their
// shortest form, so equal values give equal bytes.
class Packer {
 public:
  Packer& array(std::size_t size);
  Packer& number(std::uint64_t value);
  Packer& boolean(bool value);
  Packer& text(std::string_view value);
  Packer& binary(ByteView value);
  Packer& nil();

  template <class Role>
  Packer& key(const Key32<Role>& value) {
    return binary(value.view());
  }
  Packer& signature(const Signature& value) { return binary(value.view()); }
  // Four or sixteen bytes; the family follows from the size.
  Packer& address(const Address& value) { return binary(value.view()); }
  // [address, length] and [address, port].
  Packer& prefix(const Prefix& value);
  Packer& endpoint(const Endpoint& value);

  const Bytes& bytes() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

// Reads MessagePack from a stranger: the whole input is scanned once, with limits on
// nesting and on the number of values, into flat tokens that the getters then
// consume in order. Failure is sticky: after the first surprise every getter
// returns an empty value and done() is false, so a decoder may read straight on and
// ask once at the end. Views point into the input, which must outlive the reader.
class Unpacker {
 public:
  explicit Unpacker(ByteView input, std::size_t values_max = 1024);

  bool failed() const { return failed_; }
  // Everything was read and nothing failed.
  bool done() const { return !failed_ && at_ == tokens_.size(); }
  void fail() { failed_ = true; }

  // An array of between `least` and `most` values; returns how many.
  std::size_t array(std::size_t least, std::size_t most);
  std::uint64_t number(std::uint64_t most = UINT64_MAX);
  std::uint32_t number32() { return static_cast<std::uint32_t>(number(UINT32_MAX)); }
  bool boolean();
  std::string_view text(std::size_t most);
  ByteView binary(std::size_t least, std::size_t most);
  // True, and consumed, when the next value is nil.
  bool nil();

  template <class Key>
  Key key() {
    const auto raw = binary(32, 32);
    return failed_ ? Key{} : *Key::from(raw);
  }
  Signature signature();
  Address address();
  Prefix prefix();      // host bits must be zero
  Endpoint endpoint();  // port 1..65535

  // A number that names an enumerator from 0 to `last`.
  template <class Enum>
  Enum enumerator(Enum last) {
    return static_cast<Enum>(number(static_cast<std::uint64_t>(last)));
  }

 private:
  enum class Kind : std::uint8_t { array, number, boolean, text, binary, nil };
  struct Token {
    Kind kind;
    std::uint64_t number;  // value, or how many elements
    ByteView data;
  };
  struct Scanner;

  const Token* next(Kind kind);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace wigwag
