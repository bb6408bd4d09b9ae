#include "gossip/topology/subnets.hpp"

#include <algorithm>

#include "gossip/topology/plan.hpp"
#include "gossip/trust/overlay.hpp"

namespace wigwag {
namespace {

// Whether the first carries a network rather than the second.
bool carries_before(const Member& a, const Member& b) {
  if (a.live() != b.live()) return a.live();
  if (!a.live() && a.down_since != b.down_since) return a.down_since > b.down_since;
  return a.id() < b.id();
}

}  // namespace

std::optional<NodeId> carrier_of(const Roster& roster, const Prefix& subnet) {
  const auto found = roster.subnets().find(subnet);
  if (found == roster.subnets().end()) return std::nullopt;
  const Member* carrier = nullptr;
  for (const Member* member : found->second) {
    if (is_planned(roster, *member) && (carrier == nullptr || carries_before(*member, *carrier))) carrier = member;
  }
  return carrier == nullptr ? std::nullopt : std::optional(carrier->id());
}

SubnetGround ground_of(const Roster& roster, const NodeId& self, std::span<const Prefix> networks) {
  SubnetGround ground{{overlay_ipv6_prefix(roster.network())}, {}, networks};
  if (roster.bundle()) ground.mesh.push_back(roster.bundle()->body.ipv4);
  if (const Member* own = roster.find(self)) ground.announced = own->record->body.subnets;
  return ground;
}

// A node behind a NAT announces at first what it knows itself, which is in its LAN; what others see of it follows.
std::optional<SubnetObstacle> obstacle_through(const Member& carrier, const Prefix& subnet, const SubnetGround& ground) {
  if (const auto obstacle = obstacle_to(subnet, ground)) return obstacle;
  const auto& endpoints = carrier.record->body.endpoints;
  const bool inside = !endpoints.empty() && std::all_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& one) { return subnet.contains(one.address); });
  return inside ? std::optional(SubnetObstacle{SubnetFault::holds_the_way, subnet}) : std::nullopt;
}

}  // namespace wigwag
