#include "gossip/topology/subnet_fault.hpp"

#include <algorithm>

namespace wigwag {
namespace {

// In neither family is anything of these behind a router.
const std::vector<Prefix>& reserved_prefixes() {
  static const std::vector<Prefix> reserved = [] {
    std::vector<Prefix> prefixes;
    for (const char* text : {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255", "::", "::1", "fe80::/10", "ff00::/8"}) {
      prefixes.push_back(*Prefix::parse(text));
    }
    return prefixes;
  }();
  return reserved;
}

const char* name_of_reserved(const Prefix& reserved) {
  if (reserved.address.is_loopback()) return "loopback";
  if (reserved.address.is_link_local()) return "link-local";
  if (reserved.address.is_multicast()) return "multicast";
  return "unspecified";
}

std::optional<SubnetObstacle> overlap(const Prefix& subnet, std::span<const Prefix> with, SubnetFault fault) {
  const auto met = std::find_if(with.begin(), with.end(), [&](const Prefix& one) { return one.overlaps(subnet); });
  return met == with.end() ? std::nullopt : std::optional(SubnetObstacle{fault, *met});
}

}  // namespace

std::string to_string(const SubnetObstacle& obstacle) {
  const std::string met = to_string(obstacle.met);
  switch (obstacle.fault) {
    case SubnetFault::default_route: return "it is a default route, which would take all traffic";
    case SubnetFault::mesh: return "it overlaps the mesh's own addresses, " + met;
    case SubnetFault::reserved: return "it overlaps " + std::string(name_of_reserved(obstacle.met)) + " addresses, " + met;
    case SubnetFault::announced_here: return "this node announces it, too";
    case SubnetFault::holds_ours: return "it holds " + met + ", which this node announces";
    case SubnetFault::holds_the_way: return "it holds every address at which the tunnel to its carrier could end";
    case SubnetFault::own_network: return "it overlaps this host's own network " + met;
  }
  return "";
}

std::optional<SubnetObstacle> subnet_fault(const Prefix& subnet, std::span<const Prefix> mesh) {
  if (subnet.is_default()) return SubnetObstacle{SubnetFault::default_route, subnet};
  if (const auto met = overlap(subnet, reserved_prefixes(), SubnetFault::reserved)) return met;
  return overlap(subnet, mesh, SubnetFault::mesh);
}

std::optional<SubnetObstacle> obstacle_to(const Prefix& subnet, const SubnetGround& ground) {
  if (const auto fault = subnet_fault(subnet, ground.mesh)) return fault;
  for (const auto& ours : ground.announced) {
    if (ours == subnet) return SubnetObstacle{SubnetFault::announced_here, ours};
  }
  for (const auto& ours : ground.announced) {
    if (subnet.contains(ours)) return SubnetObstacle{SubnetFault::holds_ours, ours};
  }
  return overlap(subnet, ground.networks, SubnetFault::own_network);
}

}  // namespace wigwag
