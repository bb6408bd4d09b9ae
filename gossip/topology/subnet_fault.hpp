#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"

namespace wigwag {

// Why a network behind a member is not routed into the tunnel, or not announced at all.
enum class SubnetFault : std::uint8_t {
  default_route,   // all of a family: whoever announced it would take everybody's traffic
  mesh,            // it overlaps the mesh's own prefixes, and would take other members' addresses
  reserved,        // it overlaps loopback, link-local, multicast or "this network"
  announced_here,  // this node announces it, too: its traffic stays in the LAN. Nothing is wrong
  holds_ours,      // it holds a network that this node announces
  own_network,     // it overlaps a network that this host is in
  holds_the_way,   // it holds every endpoint of its carrier: the tunnel there would lead into itself
};

// One such reason, with the prefix that was met.
struct SubnetObstacle {
  SubnetFault fault = SubnetFault::default_route;
  Prefix met;
  bool operator==(const SubnetObstacle&) const = default;
};
std::string to_string(const SubnetObstacle& obstacle);  // "it overlaps this host's own network 10.20.0.0/24"

// What is wrong with a network whoever announces it; `mesh`: the mesh's own prefixes, where they are known.
std::optional<SubnetObstacle> subnet_fault(const Prefix& subnet, std::span<const Prefix> mesh);

// What else a network is judged by on one host.
struct SubnetGround {
  std::vector<Prefix> mesh;             // the mesh's own prefixes
  std::span<const Prefix> announced;    // by this node
  std::span<const Prefix> networks;     // that this host's interfaces are in
};
// Why this host does not send a network that another announces into the tunnel; nullopt: it does.
std::optional<SubnetObstacle> obstacle_to(const Prefix& subnet, const SubnetGround& ground);

}  // namespace wigwag
