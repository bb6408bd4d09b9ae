#include "gossip/topology/subnets.hpp"

#include <algorithm>
#include <vector>

#include "gossip/topology/plan.hpp"

namespace wigwag {
namespace {

// Whether the first carries a network rather than the second.
bool carries_before(const Member& a, const Member& b) {
  if (a.live() != b.live()) return a.live();
  if (!a.live() && a.down_since != b.down_since) return a.down_since > b.down_since;
  return a.id() < b.id();
}

std::optional<NodeId> carrier_among(const Roster& roster, const std::vector<const Member*>& announcers) {
  const Member* carrier = nullptr;
  for (const Member* member : announcers) {
    if (is_planned(roster, *member) && (carrier == nullptr || carries_before(*member, *carrier))) carrier = member;
  }
  return carrier == nullptr ? std::nullopt : std::optional(carrier->id());
}

}  // namespace

std::map<Prefix, NodeId> settle_subnets(const Roster& roster) {
  std::map<Prefix, NodeId> carriers;
  for (const auto& [subnet, announcers] : roster.subnets()) {
    if (const auto carrier = carrier_among(roster, announcers)) carriers.emplace(subnet, *carrier);
  }
  return carriers;
}

std::optional<NodeId> carrier_of(const Roster& roster, const Prefix& subnet) {
  const auto found = roster.subnets().find(subnet);
  return found == roster.subnets().end() ? std::nullopt : carrier_among(roster, found->second);
}

// A node behind a NAT announces at first what it knows itself, which is in its LAN; what others see of it follows.
std::optional<SubnetObstacle> obstacle_through(const Member& carrier, const Prefix& subnet, const SubnetGround& ground) {
  if (const auto obstacle = obstacle_to(subnet, ground)) return obstacle;
  const auto& endpoints = carrier.record->body.endpoints;
  const bool inside = !endpoints.empty() && std::all_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& one) { return subnet.contains(one.address); });
  return inside ? std::optional(SubnetObstacle{SubnetFault::holds_the_way, subnet}) : std::nullopt;
}

}  // namespace wigwag
