#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gossip/base/bytes.hpp"

namespace wigwag {

// Overwrites memory in a way that the compiler may not leave out.
void wipe(void* memory, std::size_t size);

// Secret bytes with a role: move-only, wiped when they end, neither compared nor
// printed. The one way in is open(); whoever calls it answers for the copy.
template <class Role, std::size_t Size = 32>
class Secret {
 public:
  static constexpr std::size_t size = Size;

  Secret() = default;
  explicit Secret(const std::array<std::uint8_t, Size>& bytes) : bytes_(bytes) {}
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_.data(), Size); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_.data(), Size);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_.data(), Size); }

  static std::optional<Secret> from(ByteView raw) {
    if (raw.size() != Size) return std::nullopt;
    Secret secret;
    for (std::size_t i = 0; i < Size; ++i) secret.bytes_[i] = raw[i];
    return secret;
  }

  // A second copy, asked for by name so that none is made by accident.
  Secret duplicate() const { return Secret(bytes_); }
  const std::array<std::uint8_t, Size>& open() const { return bytes_; }

 private:
  std::array<std::uint8_t, Size> bytes_{};
};

using RootSecret = Secret<struct RootSecretRole>;        // Ed25519 seed of the network's root
using AdminSecret = Secret<struct AdminSecretRole>;      // Ed25519 seed of an admin key
using GrantSecret = Secret<struct GrantSecretRole>;      // Ed25519 seed of an invitation
using NodeSecret = Secret<struct NodeSecretRole>;        // Ed25519 seed of a node's identity
using TunnelSecret = Secret<struct TunnelSecretRole>;    // X25519 private key of the WireGuard interface
using HelloSecret = Secret<struct HelloSecretRole>;      // X25519 ephemeral of one join handshake

}  // namespace wigwag
