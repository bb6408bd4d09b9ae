#include "gossip/topology/plan.hpp"

#include <algorithm>
#include <utility>

namespace wigwag {
namespace {

// What this node itself may have let run out is for others to judge: its addresses stay.
bool planned(const Roster& roster, const Member& member) {
  return !member.record.body.left && !member.excluded && !member.dormant && (!member.expired || roster.is_self(member.id()));
}

bool holds_address(const std::map<Address, NodeId>& holders, const Member& member) {
  if (!member.record.body.ipv4) return false;
  const auto holder = holders.find(*member.record.body.ipv4);
  return holder != holders.end() && holder->second == member.id();
}

std::vector<Prefix> host_prefixes(const std::map<Address, NodeId>& holders, const Member& member) {
  std::vector<Prefix> prefixes;
  if (holds_address(holders, member)) prefixes.push_back(Prefix::host(*member.record.body.ipv4));
  prefixes.push_back(Prefix::host(member.ipv6));
  std::sort(prefixes.begin(), prefixes.end());
  return prefixes;
}

}  // namespace

std::map<Address, NodeId> settle_ipv4(const Roster& roster) {
  std::map<Address, const Member*> holders;
  const auto earlier = [&](const Member& a, const Member& b) {
    return std::make_pair(roster.admitted(a), a.id()) < std::make_pair(roster.admitted(b), b.id());
  };
  for (const auto& [id, member] : roster.members()) {
    if (!planned(roster, member) || !member.record.body.ipv4) continue;
    auto [held, fresh] = holders.try_emplace(*member.record.body.ipv4, &member);
    if (!fresh && earlier(member, *held->second)) held->second = &member;
  }
  std::map<Address, NodeId> result;
  for (const auto& [address, member] : holders) result.emplace(address, member->id());
  return result;
}

KeySharers sharers_of_keys(const Roster& roster) {
  KeySharers keys;
  for (const auto& [id, member] : roster.members()) {
    if (planned(roster, member)) keys[member.record.body.tunnel_key].push_back(&member);
  }
  for (auto& [key, sharers] : keys) {
    std::sort(sharers.begin(), sharers.end(), [](const Member* a, const Member* b) {
      return std::make_pair(a->key_since, a->id()) < std::make_pair(b->key_since, b->id());
    });
  }
  return keys;
}

Tunnel plan_direct(const Roster& roster, const PlanFacts& facts) {
  Tunnel tunnel{.plane = Plane::direct, .addresses = {}, .peers = {}, .routes = {}};
  const auto holders = settle_ipv4(roster);
  const Member* self = roster.find(facts.self);
  if (self != nullptr && planned(roster, *self)) tunnel.addresses = host_prefixes(holders, *self);
  for (const auto& [key, sharers] : sharers_of_keys(roster)) {
    // Our own key leads nowhere but here.
    if (self != nullptr && key == self->record.body.tunnel_key) continue;
    TunnelPeer peer{key, facts.endpoints.wanted(sharers.front()->id()), {}, std::chrono::seconds(0)};
    for (const Member* member : sharers) {
      for (const auto& prefix : host_prefixes(holders, *member)) {
        tunnel.routes.push_back({prefix, RouteKind::through_tunnel, metric_direct});
        peer.allowed_ips.push_back(prefix);
      }
      if (member->live()) peer.keepalive = facts.keepalive;
    }
    std::sort(peer.allowed_ips.begin(), peer.allowed_ips.end());
    tunnel.peers.push_back(std::move(peer));
  }
  if (roster.bundle()) tunnel.routes.push_back({roster.bundle()->body.ipv4, RouteKind::unreachable, metric_last});
  tunnel.routes.push_back({overlay_ipv6_prefix(roster.network()), RouteKind::unreachable, metric_last});
  std::sort(tunnel.peers.begin(), tunnel.peers.end());
  std::sort(tunnel.routes.begin(), tunnel.routes.end());
  return tunnel;
}

}  // namespace wigwag
