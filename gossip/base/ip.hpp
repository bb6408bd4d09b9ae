#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gossip/base/bytes.hpp"

namespace wigwag {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

// An IPv4 or IPv6 address in network byte order; IPv4 uses the first four bytes
// and the rest are zero. A v4-mapped IPv6 address never appears: from_bytes and
// parse turn it into IPv4, so that one address has one value.
struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Address&) const = default;
  std::size_t size() const { return family == Family::ipv4 ? 4 : 16; }
  int bits() const { return family == Family::ipv4 ? 32 : 128; }
  ByteView view() const { return ByteView(bytes).first(size()); }

  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;   // IPv4 limited broadcast included
  bool is_link_local() const;  // 169.254.0.0/16, fe80::/10
  bool is_private() const;     // RFC 1918, RFC 6598, fc00::/7

  static Address ipv4(std::uint32_t host_order);
  std::uint32_t ipv4_number() const;  // host byte order; IPv4 only
  // Four or sixteen bytes; anything else is no address.
  static std::optional<Address> from_bytes(ByteView raw);
  // Numeric text only: names are the shell's business. Scoped addresses are refused.
  static std::optional<Address> parse(std::string_view text);
};
std::string to_string(const Address& address);

// An address range; bits outside the mask are zero (parse refuses host bits,
// `covering` clears them).
struct Prefix {
  Address address;
  std::uint8_t length = 0;

  auto operator<=>(const Prefix&) const = default;
  bool contains(const Address& other) const;
  bool contains(const Prefix& other) const;
  bool overlaps(const Prefix& other) const { return contains(other) || other.contains(*this); }
  bool is_default() const { return length == 0; }

  static Prefix host(const Address& address);
  static Prefix covering(const Address& address, std::uint8_t length);
  // "10.20.0.0/24"; without a length, the single address.
  static std::optional<Prefix> parse(std::string_view text);
};
std::string to_string(const Prefix& prefix);

// Where a UDP packet goes. Port 0 is no endpoint.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  // "198.51.100.7:51820", "[2001:db8::7]:51820"; port 1..65535.
  static std::optional<Endpoint> parse(std::string_view text);
};
std::string to_string(const Endpoint& endpoint);

// A decimal port, 1..65535.
std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace wigwag
