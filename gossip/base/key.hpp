#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "gossip/base/bytes.hpp"

namespace wigwag {

// Thirty-two public bytes with a role. Keys of different roles are different
// types, so that one cannot stand in for another.
template <class Role>
struct Key32 {
  std::array<std::uint8_t, 32> bytes{};

  // By bytes, from the first on. Keys that differ do so at once, hence in a word.
  friend std::strong_ordering operator<=>(const Key32& a, const Key32& b) {
    const auto first = load_be64(a.bytes.data()) <=> load_be64(b.bytes.data());
    return first != 0 ? first : a.bytes <=> b.bytes;
  }
  friend bool operator==(const Key32& a, const Key32& b) { return load_be64(a.bytes.data()) == load_be64(b.bytes.data()) && a.bytes == b.bytes; }
  ByteView view() const { return bytes; }
  bool is_zero() const {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
  }
  static std::optional<Key32> from(ByteView raw) {
    if (raw.size() != 32) return std::nullopt;
    Key32 key;
    std::copy(raw.begin(), raw.end(), key.bytes.begin());
    return key;
  }
};

using NetworkId = Key32<struct NetworkIdRole>;    // Ed25519: the root; names the network
using AdminId = Key32<struct AdminIdRole>;        // Ed25519: signs grants and revocations
using GrantId = Key32<struct GrantIdRole>;        // Ed25519: an invitation's own key; signs certificates
using NodeId = Key32<struct NodeIdRole>;          // Ed25519: signs records, names the node
using TunnelKey = Key32<struct TunnelKeyRole>;    // X25519: the WireGuard peer
using HelloKey = Key32<struct HelloKeyRole>;      // X25519: one side's ephemeral in a join handshake
using Hash32 = Key32<struct Hash32Role>;          // BLAKE2b-256

// An Ed25519 signature (RFC 8032).
struct Signature {
  std::array<std::uint8_t, 64> bytes{};
  auto operator<=>(const Signature&) const = default;
  ByteView view() const { return bytes; }
};

// Hash tables may be indexed by keys, never iterated: the order is not ours.
struct KeyHash {
  template <class Role>
  std::size_t operator()(const Key32<Role>& key) const {
    return static_cast<std::size_t>(load_be64(key.bytes.data()));
  }
};

// WireGuard's own spelling of a key: base64 of the 32 bytes.
template <class Role>
std::string to_base64(const Key32<Role>& key) {
  return to_base64(key.view());
}
template <class Role>
std::string to_hex(const Key32<Role>& key) {
  return to_hex(key.view());
}
template <class Key>
std::optional<Key> key_from_base64(std::string_view text) {
  const auto raw = from_base64(text);
  return raw ? Key::from(*raw) : std::nullopt;
}
template <class Key>
std::optional<Key> key_from_hex(std::string_view text) {
  const auto raw = from_hex(text);
  return raw ? Key::from(*raw) : std::nullopt;
}

}  // namespace wigwag
