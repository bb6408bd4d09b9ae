#include "gossip/topology/plan.hpp"

#include <algorithm>
#include <utility>

#include "gossip/topology/subnets.hpp"

namespace wigwag {
namespace {

bool holds_address(const std::map<Address, NodeId>& holders, const Member& member) {
  if (!member.record->body.ipv4) return false;
  const auto holder = holders.find(*member.record->body.ipv4);
  return holder != holders.end() && holder->second == member.id();
}

bool holds_address(const Roster& roster, const Member& member) {
  return member.record->body.ipv4 && holder_of(roster, *member.record->body.ipv4) == member.id();
}

// `settled`: the roster itself, or what was settled for all of it.
template <class Settled>
std::vector<Prefix> host_prefixes(const Settled& settled, const Member& member) {
  std::vector<Prefix> prefixes;
  if (holds_address(settled, member)) prefixes.push_back(Prefix::host(*member.record->body.ipv4));
  prefixes.push_back(Prefix::host(member.place->ipv6));
  std::sort(prefixes.begin(), prefixes.end());
  return prefixes;
}

bool known_earlier(const Member* a, const Member* b) { return std::make_pair(a->key_since, a->id()) < std::make_pair(b->key_since, b->id()); }

bool admitted_earlier(const Roster& roster, const Member& a, const Member& b) {
  return std::make_pair(roster.admitted(a), a.id()) < std::make_pair(roster.admitted(b), b.id());
}

// The networks behind a member that go through it.
std::vector<Prefix> carried_by(const Roster& roster, const PlanFacts& facts, const Member& member) {
  std::vector<Prefix> carried;
  if (member.record->body.subnets.empty()) return carried;
  const SubnetGround ground = ground_of(roster, facts.self, facts.networks);
  for (const auto& subnet : member.record->body.subnets) {
    if (!obstacle_through(member, subnet, ground) && carrier_of(roster, subnet) == member.id()) carried.push_back(subnet);
  }
  return carried;
}

template <class Settled>
TunnelPeer plan_peer(const Settled& settled, const Roster& roster, const PlanFacts& facts, const TunnelKey& key,
                     const std::vector<const Member*>& sharers) {
  TunnelPeer peer{key, facts.endpoints.wanted(sharers.front()->id()), {}, std::chrono::seconds(0)};
  for (const Member* member : sharers) {
    for (const auto& prefix : host_prefixes(settled, *member)) peer.allowed_ips.push_back(prefix);
    for (const auto& subnet : carried_by(roster, facts, *member)) peer.allowed_ips.push_back(subnet);
    if (member->live()) peer.keepalive = facts.keepalive;
  }
  std::sort(peer.allowed_ips.begin(), peer.allowed_ips.end());
  return peer;
}

TunnelRoute route_to(const Prefix& prefix) { return {prefix, RouteKind::through_tunnel, metric_direct}; }

// Puts one peer of a plan in its place, or takes it out, with its routes.
void replace(Tunnel& plan, std::vector<TunnelPeer>::iterator place, const TunnelKey& key, std::optional<TunnelPeer> fresh) {
  const bool held = place != plan.peers.end() && place->key == key;
  const auto route_place = [&](const Prefix& prefix) { return std::lower_bound(plan.routes.begin(), plan.routes.end(), route_to(prefix)); };
  if (held && fresh && place->allowed_ips == fresh->allowed_ips) {
    *place = std::move(*fresh);
    return;
  }
  if (held) {
    for (const auto& prefix : place->allowed_ips) {
      if (const auto route = route_place(prefix); route != plan.routes.end() && *route == route_to(prefix)) plan.routes.erase(route);
    }
    place = plan.peers.erase(place);
  }
  if (!fresh) return;
  for (const auto& prefix : fresh->allowed_ips) plan.routes.insert(route_place(prefix), route_to(prefix));
  plan.peers.insert(place, std::move(*fresh));
}

}  // namespace

bool is_planned(const Roster& roster, const Member& member) {
  return !member.record->body.left && !member.excluded && !member.dormant && (!member.expired || roster.is_self(member.id()));
}

std::map<Address, NodeId> settle_ipv4(const Roster& roster) {
  std::map<Address, const Member*> holders;
  for (const auto& [id, member] : roster.members()) {
    if (!is_planned(roster, member) || !member.record->body.ipv4) continue;
    auto [held, fresh] = holders.try_emplace(*member.record->body.ipv4, &member);
    if (!fresh && admitted_earlier(roster, member, *held->second)) held->second = &member;
  }
  std::map<Address, NodeId> result;
  for (const auto& [address, member] : holders) result.emplace(address, member->id());
  return result;
}

std::optional<NodeId> holder_of(const Roster& roster, const Address& ipv4) {
  const Member* holder = nullptr;
  for (const Member* member : roster.claiming(ipv4)) {
    if (is_planned(roster, *member) && (holder == nullptr || admitted_earlier(roster, *member, *holder))) holder = member;
  }
  return holder == nullptr ? std::nullopt : std::optional(holder->id());
}

std::vector<const Member*> sharers_of(const Roster& roster, const TunnelKey& key) {
  auto sharers = roster.announcing(key);
  std::erase_if(sharers, [&](const Member* member) { return !is_planned(roster, *member); });
  std::sort(sharers.begin(), sharers.end(), known_earlier);
  return sharers;
}

KeySharers sharers_of_keys(const Roster& roster) {
  KeySharers keys;
  for (const auto& [id, member] : roster.members()) {
    if (is_planned(roster, member)) keys[member.record->body.tunnel_key].push_back(&member);
  }
  for (auto& [key, sharers] : keys) {
    std::sort(sharers.begin(), sharers.end(), known_earlier);
  }
  return keys;
}

Tunnel plan_direct(const Roster& roster, const PlanFacts& facts) {
  Tunnel tunnel{.plane = Plane::direct, .addresses = {}, .peers = {}, .routes = {}};
  const auto holders = settle_ipv4(roster);
  const Member* self = roster.find(facts.self);
  if (self != nullptr && is_planned(roster, *self)) tunnel.addresses = host_prefixes(holders, *self);
  for (const auto& [key, sharers] : sharers_of_keys(roster)) {
    // Our own key leads nowhere but here.
    if (self != nullptr && key == self->record->body.tunnel_key) continue;
    auto peer = plan_peer(holders, roster, facts, key, sharers);
    for (const auto& prefix : peer.allowed_ips) tunnel.routes.push_back(route_to(prefix));
    tunnel.peers.push_back(std::move(peer));
  }
  if (roster.bundle()) tunnel.routes.push_back({roster.bundle()->body.ipv4, RouteKind::unreachable, metric_last});
  tunnel.routes.push_back({overlay_ipv6_prefix(roster.network()), RouteKind::unreachable, metric_last});
  std::sort(tunnel.peers.begin(), tunnel.peers.end());
  std::sort(tunnel.routes.begin(), tunnel.routes.end());
  return tunnel;
}

std::optional<std::vector<TunnelKey>> replan_direct(Tunnel& plan, const Roster& roster, const PlanFacts& facts, const std::set<TunnelKey>& stale) {
  std::vector<TunnelKey> changed;
  const Member* self = roster.find(facts.self);
  for (const auto& key : stale) {
    const auto sharers = sharers_of(roster, key);
    std::optional<TunnelPeer> fresh;
    if (!sharers.empty() && (self == nullptr || key != self->record->body.tunnel_key)) fresh = plan_peer(roster, roster, facts, key, sharers);
    const auto place = std::lower_bound(plan.peers.begin(), plan.peers.end(), key, [](const TunnelPeer& peer, const TunnelKey& k) { return peer.key < k; });
    const bool held = place != plan.peers.end() && place->key == key;
    if (held == fresh.has_value() && (!held || *place == *fresh)) continue;
    replace(plan, place, key, std::move(fresh));
    changed.push_back(key);
  }
  auto addresses = self != nullptr && is_planned(roster, *self) ? host_prefixes(roster, *self) : std::vector<Prefix>();
  if (changed.empty() && addresses == plan.addresses) return std::nullopt;
  plan.addresses = std::move(addresses);
  return changed;
}

}  // namespace wigwag
