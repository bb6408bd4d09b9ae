#pragma once

#include <array>
#include <cstdint>

#include "gossip/input.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag::sim {

// A running hash over everything that every core puts out. It tells runs apart that differ by
// accident, and costs next to nothing: eight bytes at a time go into four lanes, and only the end is
// hashed properly. It is no defence against anybody who wants two runs to look alike.
class TraceHash {
 public:
  // `desired` is the node's after the output.
  void take(Instant at, std::size_t machine, const Output& output, const Tunnel& desired);
  Hash32 value() const;

 private:
  void number(std::uint64_t value) {
    std::uint64_t& lane = lanes_[count_++ & 3U];
    lane = (lane ^ value) * 0x9FB21C651E98DF25U;
    lane ^= lane >> 32;
  }
  void bytes(ByteView view);
  void text(std::string_view text) { bytes(view_of(text)); }
  void endpoint(const Endpoint& endpoint);
  void address(const Address& address);
  void prefix(const Prefix& prefix);
  void put(const SendTunnel& send);
  void put(const SendHello& send);
  void put(const Desire& desire, const Tunnel& desired);
  void put(const TunnelPeer& peer);
  void put(const Persist& persist);
  void put(const Raise& raise);
  void put(const Left&) {}

  std::array<std::uint64_t, 4> lanes_{0x243F6A8885A308D3U, 0x13198A2E03707344U, 0xA4093822299F31D0U, 0x082EFA98EC4E6C89U};
  std::uint64_t count_ = 0;
};

}  // namespace wigwag::sim
