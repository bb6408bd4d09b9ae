#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "gossip/base/bytes.hpp"

namespace wigwag {

// A netlink message in the making. May hold a private key: its memory is wiped in the
// end, and set aside in full at the start so that growing leaves no copies behind.
class Message {
 public:
  explicit Message(std::uint16_t type, std::uint16_t flags = 0, std::size_t room = 512);
  Message(Message&&) noexcept = default;
  Message& operator=(Message&&) noexcept = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message();

  // The fixed structure that follows the netlink header.
  template <class Fixed>
  Message& fixed(const Fixed& header) {
    return raw(&header, sizeof header);
  }

  Message& put(std::uint16_t type, ByteView payload);
  Message& put_u8(std::uint16_t type, std::uint8_t value) { return put_value(type, value); }
  Message& put_u16(std::uint16_t type, std::uint16_t value) { return put_value(type, value); }
  Message& put_u32(std::uint16_t type, std::uint32_t value) { return put_value(type, value); }
  // With the terminating zero that the kernel expects.
  Message& put_text(std::uint16_t type, std::string_view text);

  // Opens a nest; end() closes the one that starts there.
  std::size_t begin(std::uint16_t type);
  void end(std::size_t nest);

  std::size_t size() const { return bytes_.size(); }
  std::uint16_t type() const;
  std::uint16_t flags() const;
  // Sealed with length and sequence number, ready to send; valid until changed.
  ByteView seal(std::uint32_t sequence);

 private:
  template <class Value>
  Message& put_value(std::uint16_t type, Value value) {
    return put(type, ByteView(reinterpret_cast<const std::uint8_t*>(&value), sizeof value));
  }
  Message& raw(const void* from, std::size_t size);

  Bytes bytes_;
};

// One attribute of a message that was received; flags are stripped from the type.
struct Attribute {
  std::uint16_t type = 0;
  ByteView payload;

  // A value of exactly this size, in host byte order.
  template <class Value>
  std::optional<Value> value() const {
    if (payload.size() != sizeof(Value)) return std::nullopt;
    Value read;
    std::memcpy(&read, payload.data(), sizeof read);
    return read;
  }
  // Up to the terminating zero, which may be missing.
  std::string_view text() const;
};

// Takes the attributes off the front of a received byte range, one by one. Never reads
// beyond it, whatever the lengths inside claim; malformed() tells a range that does not
// divide into attributes.
class AttributeReader {
 public:
  explicit AttributeReader(ByteView bytes) : rest_(bytes) {}
  std::optional<Attribute> next();
  bool malformed() const { return malformed_; }

 private:
  ByteView rest_;
  bool malformed_ = false;
};

// One message of a received datagram; `body` is what follows the netlink header.
struct Received {
  nlmsghdr header{};
  ByteView body;
};

// Takes the messages off a datagram in the same manner.
class MessageReader {
 public:
  explicit MessageReader(ByteView datagram) : rest_(datagram) {}
  std::optional<Received> next();
  bool malformed() const { return malformed_; }

 private:
  ByteView rest_;
  bool malformed_ = false;
};

// The fixed structure at the start of a body, and the attributes after it.
template <class Fixed>
std::optional<Fixed> read_fixed(ByteView body) {
  if (body.size() < sizeof(Fixed)) return std::nullopt;
  Fixed read;
  std::memcpy(&read, body.data(), sizeof read);
  return read;
}
template <class Fixed>
AttributeReader attributes_after(ByteView body) {
  constexpr std::size_t aligned = (sizeof(Fixed) + 3) & ~std::size_t{3};
  return AttributeReader(body.subspan(std::min(aligned, body.size())));
}

// Reads the answers to one request. Told to start afresh when a dump was interrupted.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  virtual void restart() = 0;
  // False: malformed, or more than we are ready to hold.
  virtual bool read(std::uint16_t type, ByteView body) = 0;
};

}  // namespace wigwag
