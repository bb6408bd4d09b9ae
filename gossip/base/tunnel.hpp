#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"

namespace wigwag {

// Which of a node's two WireGuard interfaces: `direct` carries traffic to the peer
// itself, `relayed` carries it by way of homes. Same key, neighbouring ports.
enum class Plane : std::uint8_t { direct, relayed };

// One WireGuard peer as we want it. Allowed IPs are sorted and unique within a
// Tunnel: no prefix belongs to two peers.
struct TunnelPeer {
  TunnelKey key;
  std::optional<Endpoint> endpoint;       // nullopt: leave whatever the kernel has
  std::vector<Prefix> allowed_ips;        // sorted
  std::chrono::seconds keepalive{0};      // 0: off; at most 65,535
  auto operator<=>(const TunnelPeer&) const = default;
};

// Metrics of our routes: direct plane, relay plane, and the unreachable routes below everything.
inline constexpr std::uint32_t metric_direct = 100;
inline constexpr std::uint32_t metric_relayed = 200;
inline constexpr std::uint32_t metric_last = 0xffff'fffe;

// What a route does with a packet.
enum class RouteKind : std::uint8_t { through_tunnel, unreachable };

struct TunnelRoute {
  Prefix destination;
  RouteKind kind = RouteKind::through_tunnel;
  std::uint32_t metric = 0;               // the kernel's priority: lower is preferred
  auto operator<=>(const TunnelRoute&) const = default;
};

// The state we want one WireGuard interface to be in: the shared noun of planner,
// reconciler, netlink and simulator. Everything in it is sorted and unique, so
// that equal wishes compare equal. The private key is not here: the shell adds it.
struct Tunnel {
  Plane plane = Plane::direct;
  std::vector<Prefix> addresses;          // with the length to configure (/32, /128)
  std::vector<TunnelPeer> peers;          // sorted by key
  std::vector<TunnelRoute> routes;        // unreachable routes are not bound to the interface
  auto operator<=>(const Tunnel&) const = default;
};

// What the kernel says of one peer, whoever configured it.
struct TunnelPeerState {
  TunnelKey key;
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;        // sorted
  std::chrono::seconds keepalive{0};
  std::int64_t last_handshake_unix_s = 0; // CLOCK_REALTIME of this machine; 0: never. Compare for change only
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  auto operator<=>(const TunnelPeerState&) const = default;
};

}  // namespace wigwag
