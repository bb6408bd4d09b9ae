#include "gossip/base/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "gossip/base/check.hpp"

namespace wigwag {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool same_leading_bits(const Address& a, const Address& b, int bits) {
  const int whole = bits / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  const auto at = static_cast<std::size_t>(whole);
  return ((a.bytes[at] ^ b.bytes[at]) & mask) == 0;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

}  // namespace

bool Address::is_unspecified() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

bool Address::is_loopback() const {
  if (family == Family::ipv4) return bytes[0] == 127;
  return bytes[15] == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; });
}

bool Address::is_multicast() const {
  if (family == Family::ipv6) return bytes[0] == 0xff;
  return (bytes[0] & 0xf0) == 0xe0 || ipv4_number() == 0xffffffffU;
}

bool Address::is_link_local() const {
  if (family == Family::ipv4) return bytes[0] == 169 && bytes[1] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool Address::is_private() const {
  if (family == Family::ipv6) return (bytes[0] & 0xfe) == 0xfc;
  return bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xf0) == 16) || (bytes[0] == 192 && bytes[1] == 168) ||
         (bytes[0] == 100 && (bytes[1] & 0xc0) == 64);
}

Address Address::ipv4(std::uint32_t host_order) {
  Address address;
  for (int i = 0; i < 4; ++i) address.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  return address;
}

std::uint32_t Address::ipv4_number() const {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::optional<Address> Address::from_bytes(ByteView raw) {
  Address address;
  if (raw.size() == 16 && std::equal(mapped_prefix.begin(), mapped_prefix.end(), raw.begin())) raw = raw.subspan(12);
  if (raw.size() != 4 && raw.size() != 16) return std::nullopt;
  address.family = raw.size() == 4 ? Family::ipv4 : Family::ipv6;
  std::copy(raw.begin(), raw.end(), address.bytes.begin());
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != text.size() || terminated.find('\0') != std::string::npos) return std::nullopt;
  std::array<std::uint8_t, 16> raw{};
  if (inet_pton(AF_INET, terminated.c_str(), raw.data()) == 1) return from_bytes(ByteView(raw).first(4));
  if (inet_pton(AF_INET6, terminated.c_str(), raw.data()) == 1) return from_bytes(raw);
  return std::nullopt;
}

std::string to_string(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  check(inet_ntop(family, address.bytes.data(), text.data(), text.size()) != nullptr, "an address always has a text");
  return text.data();
}

bool Prefix::contains(const Address& other) const {
  return other.family == address.family && same_leading_bits(address, other, length);
}

bool Prefix::contains(const Prefix& other) const { return other.length >= length && contains(other.address); }

Prefix Prefix::host(const Address& address) { return {address, static_cast<std::uint8_t>(address.bits())}; }

Prefix Prefix::covering(const Address& address, std::uint8_t length) {
  check(length <= address.bits(), "a prefix is no longer than its address");
  Prefix prefix{address, length};
  for (int bit = length; bit < address.bits(); ++bit) {
    auto& byte = prefix.address.bytes[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(byte & ~(0x80 >> (bit % 8)));
  }
  return prefix;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return host(*address);
  const auto length = parse_number<std::uint8_t>(text.substr(slash + 1));
  if (!length || *length > address->bits()) return std::nullopt;
  const Prefix prefix = covering(*address, *length);
  if (prefix.address != *address) return std::nullopt;
  return prefix;
}

std::string to_string(const Prefix& prefix) { return to_string(prefix.address) + "/" + std::to_string(prefix.length); }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number<std::uint16_t>(text);
  return port && *port != 0 ? port : std::nullopt;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  const auto port = parse_port(text.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  const bool textual_ipv6 = host.find(':') != std::string_view::npos;
  if (textual_ipv6 != bracketed) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string to_string(const Endpoint& endpoint) {
  const std::string host = to_string(endpoint.address);
  return (endpoint.address.family == Family::ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port);
}

}  // namespace wigwag
