#include "gossip/topology/plan.hpp"

#include <algorithm>
#include <tuple>

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

// Of two members that announce one WireGuard key only one can be a peer. Whoever copied the
// other's cannot complete a handshake with it and soon is Down; until then, whom we knew it of first.
std::map<TunnelKey, NodeId> settle_keys(const Roster& roster) {
  std::map<TunnelKey, const Member*> holders;
  const auto sooner = [](const Member& a, const Member& b) {
    return std::make_tuple(!a.live(), a.key_since, a.id()) < std::make_tuple(!b.live(), b.key_since, b.id());
  };
  for (const auto& [id, member] : roster.members()) {
    if (!planned(roster, member)) continue;
    auto [held, fresh] = holders.try_emplace(member.record.body.tunnel_key, &member);
    if (!fresh && sooner(member, *held->second)) held->second = &member;
  }
  std::map<TunnelKey, NodeId> result;
  for (const auto& [key, member] : holders) result.emplace(key, member->id());
  return result;
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

Tunnel plan_direct(const Roster& roster, const PlanFacts& facts) {
  Tunnel tunnel{.plane = Plane::direct, .addresses = {}, .peers = {}, .routes = {}};
  const auto holders = settle_ipv4(roster);
  const auto keys = settle_keys(roster);
  const Member* self = roster.find(facts.self);
  for (const auto& [id, member] : roster.members()) {
    const bool own = id == facts.self;
    const TunnelKey& key = member.record.body.tunnel_key;
    const bool usurped = !own && planned(roster, member) && (keys.at(key) != id || (self != nullptr && key == self->record.body.tunnel_key));
    if (!planned(roster, member) || usurped) continue;
    auto prefixes = host_prefixes(holders, member);
    if (own) {
      tunnel.addresses = std::move(prefixes);
      continue;
    }
    for (const auto& prefix : prefixes) tunnel.routes.push_back({prefix, RouteKind::through_tunnel, metric_direct});
    const auto keepalive = member.live() ? facts.keepalive : std::chrono::seconds(0);
    tunnel.peers.push_back({member.record.body.tunnel_key, facts.endpoints.wanted(id), std::move(prefixes), keepalive});
  }
  if (roster.bundle()) tunnel.routes.push_back({roster.bundle()->body.ipv4, RouteKind::unreachable, metric_last});
  tunnel.routes.push_back({overlay_ipv6_prefix(roster.network()), RouteKind::unreachable, metric_last});
  std::sort(tunnel.peers.begin(), tunnel.peers.end());
  std::sort(tunnel.routes.begin(), tunnel.routes.end());
  return tunnel;
}

}  // namespace wigwag
