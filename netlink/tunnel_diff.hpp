#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/tunnel.hpp"

// The difference engine: desired, last applied and actual state of one WireGuard
// interface go in, the changes that make actual equal to desired come out. Pure:
// the reconciler, `wigwag plan`, the tests and the simulator share it.
namespace wigwag {

// The mark on every route of ours (rtm_protocol); not listed in rt_protos. A route is ours by
// this mark *and* one of our metrics.
inline constexpr std::uint8_t route_protocol = 155;

// The interface itself. The private key stays outside; its public half says whether
// the kernel already has it.
struct TunnelDevice {
  TunnelKey public_key;
  std::uint16_t listen_port = 0;  // 0: whatever the kernel has
  std::uint32_t mtu = 0;          // 0: whatever the kernel has
  auto operator<=>(const TunnelDevice&) const = default;
};

struct DesiredTunnel {
  Tunnel tunnel;
  TunnelDevice device;
  auto operator<=>(const DesiredTunnel&) const = default;
};

// A peer that we configured, with the endpoint that was last seen in the kernel as
// we wrote it.
struct AppliedPeer {
  TunnelKey key;
  std::optional<Endpoint> endpoint;
  auto operator<=>(const AppliedPeer&) const = default;
};

// What on the interface is ours: kept on disk and written there *before* the kernel
// is changed, so that after a kill at any instant we still know what to take away.
// Everything sorted by key, prefix or route.
struct AppliedTunnel {
  std::string interface; // its name, so that it is found when another is configured; empty: not noted
  bool created = false;  // the interface is our own work, to be deleted in the end
  TunnelKey public_key;  // zero: nothing was ever applied
  std::vector<AppliedPeer> peers;
  std::vector<Prefix> addresses;
  std::vector<TunnelRoute> routes;
  auto operator<=>(const AppliedTunnel&) const = default;
};

enum class RouteTarget : std::uint8_t { this_tunnel, unreachable, elsewhere };

// A route in the main table, whoever made it.
struct ActualRoute {
  Prefix destination;
  RouteTarget target = RouteTarget::elsewhere;
  std::uint32_t metric = 0;
  bool marked = false;  // bears route_protocol
  auto operator<=>(const ActualRoute&) const = default;
};

// What the kernel holds. Routes: at least those that bear our mark, those through
// this interface (but the kernel's own), and those that stand in the place (destination
// and metric) of a desired one.
struct ActualTunnel {
  bool exists = false;
  std::uint32_t index = 0;
  bool up = false;
  std::uint32_t mtu = 0;
  std::optional<TunnelKey> public_key;  // nullopt: no private key set
  std::uint16_t listen_port = 0;
  std::vector<TunnelPeerState> peers;
  std::vector<Prefix> addresses;
  std::vector<ActualRoute> routes;
  bool other_routes = false;  // foreign routes through the interface outside the main table
};

struct CreateInterface {
  auto operator<=>(const CreateInterface&) const = default;
};
struct SetMtu {
  std::uint32_t mtu = 0;
  auto operator<=>(const SetMtu&) const = default;
};
struct SetPrivateKey {
  auto operator<=>(const SetPrivateKey&) const = default;
};
struct SetListenPort {
  std::uint16_t port = 0;
  auto operator<=>(const SetListenPort&) const = default;
};
struct SetLinkUp {
  auto operator<=>(const SetLinkUp&) const = default;
};
struct RemoveInterface {
  auto operator<=>(const RemoveInterface&) const = default;
};

// One message about one peer. `add` moves a prefix from whichever peer held it,
// without a gap. With `replace`, the peer is left with exactly `add`.
struct SetPeer {
  TunnelKey key;
  bool create = false;               // false: the peer is expected to exist
  std::optional<Endpoint> endpoint;  // nullopt: left alone
  bool replace = false;
  std::vector<Prefix> add;
  std::vector<Prefix> remove;  // only where the kernel can remove one prefix
  std::optional<std::chrono::seconds> keepalive;
  auto operator<=>(const SetPeer&) const = default;
};
struct RemovePeer {
  TunnelKey key;
  auto operator<=>(const RemovePeer&) const = default;
};
struct AddAddress {
  Prefix address;
  auto operator<=>(const AddAddress&) const = default;
};
struct RemoveAddress {
  Prefix address;
  auto operator<=>(const RemoveAddress&) const = default;
};
struct AddRoute {
  TunnelRoute route;
  auto operator<=>(const AddRoute&) const = default;
};
struct RemoveRoute {
  TunnelRoute route;
  auto operator<=>(const RemoveRoute&) const = default;
};

using TunnelChange = std::variant<CreateInterface, SetMtu, SetPrivateKey, SetListenPort, SetLinkUp, SetPeer, RemovePeer,
                                  AddAddress, RemoveAddress, AddRoute, RemoveRoute, RemoveInterface>;

// "add peer K (endpoint 198.51.100.7:51820, allowed 10.99.0.7/32)": one line, no secrets.
std::string to_string(const TunnelChange& change);

// A wish that stays unfulfilled because fulfilling it would take something from
// someone else, or because WireGuard would silently ignore it.
enum class ConflictKind : std::uint8_t {
  allowed_ip_of_foreign_peer,  // prefix, key: the holder
  foreign_route,               // prefix, metric
  own_key_as_peer,             // key
  allowed_ip_wanted_twice,     // prefix, key: the peer that goes without
};
struct TunnelConflict {
  ConflictKind kind = ConflictKind::foreign_route;
  Prefix prefix;
  TunnelKey key;
  std::uint32_t metric = 0;
  auto operator<=>(const TunnelConflict&) const = default;
};
std::string to_string(const TunnelConflict& conflict);

struct TunnelDiff {
  std::vector<TunnelChange> changes;  // in the order in which to make them
  std::vector<TunnelConflict> conflicts;
  bool empty() const { return changes.empty(); }
};

struct DiffTerms {
  std::vector<TunnelKey> down;      // sorted: peers whose endpoint may be overwritten even if the kernel's is not ours
  bool removes_allowed_ip = false;  // the backend can take one prefix from a peer
};

// Applying the changes in order to `actual` gives desired (but for conflicts), and a
// second call then finds nothing to do. What is neither desired nor last applied is
// foreign and never mentioned in a change.
//
// The kernel owns a peer's endpoint, because it follows roaming: a differing one is
// written only where the kernel has none, where it still has the one we last wrote, or
// where the caller says that the peer is down.
TunnelDiff diff_tunnel(const DesiredTunnel& desired, const AppliedTunnel& applied, const ActualTunnel& actual,
                       const DiffTerms& terms);

// Everything ours taken away, the interface with it unless something foreign sits on it.
struct TeardownPlan {
  std::vector<TunnelChange> changes;
  std::vector<std::string> kept_for;  // what is foreign on the interface; empty: it goes
};
TeardownPlan diff_teardown(const AppliedTunnel& applied, const ActualTunnel& actual);

// What to have on disk before the changes towards `desired` are made.
AppliedTunnel claim(const DesiredTunnel& desired, const AppliedTunnel& applied);
// What is ours once the kernel has been read again after the changes.
AppliedTunnel settle(const DesiredTunnel& desired, const AppliedTunnel& applied, const ActualTunnel& actual);

}  // namespace wigwag
