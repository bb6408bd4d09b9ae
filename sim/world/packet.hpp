#pragma once

#include <cstdint>
#include <variant>

#include "gossip/base/ip.hpp"

namespace wigwag::sim {

// A WireGuard public key by a number of this world: what comes by the million is looked up in a table.
using KeyNumber = std::uint32_t;

// An IP packet that goes through a tunnel.
struct InnerPacket {
  Address from, to;
  Bytes payload;                         // of UDP
  bool empty = true;                     // a keepalive
};

// A WireGuard message, as much of it as the other end can tell: what would be encrypted is in the
// clear, because nobody but the two ends of a world looks inside.
struct TunnelMessage {
  enum class Kind : std::uint8_t { initiation, response, data };
  Kind kind = Kind::data;
  KeyNumber from = 0, to = 0;
  std::uint64_t session = 0;
  std::int64_t stamp = 0;                // of an initiation: its sender's wall clock, in microseconds
  InnerPacket inner;                     // of data
};

// A UDP datagram on the simulated internet.
struct Packet {
  Endpoint from;
  Endpoint to;
  std::variant<Bytes, TunnelMessage> body;
  std::uint32_t size = 0;                // with IP and UDP headers
};

inline std::uint32_t ip_and_udp_bytes(Family family) { return family == Family::ipv4 ? 28 : 48; }

// What a message takes on the wire, without IP and UDP: WireGuard's header and tag, and the inner
// packet filled up to sixteen bytes.
inline std::uint32_t wire_bytes(const TunnelMessage& message) {
  switch (message.kind) {
    case TunnelMessage::Kind::initiation: return 148;
    case TunnelMessage::Kind::response: return 92;
    case TunnelMessage::Kind::data: break;
  }
  if (message.inner.empty) return 32;
  const auto inner = static_cast<std::uint32_t>(message.inner.payload.size()) + ip_and_udp_bytes(message.inner.to.family);
  return 32 + (inner + 15) / 16 * 16;
}

}  // namespace wigwag::sim
