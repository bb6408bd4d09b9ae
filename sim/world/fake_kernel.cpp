#include "sim/world/fake_kernel.hpp"

#include <algorithm>
#include <utility>

namespace wigwag::sim {
namespace {

constexpr std::uint32_t default_mtu = 1420;

ActualRoute as_made(const TunnelRoute& route) {
  const auto target = route.kind == RouteKind::through_tunnel ? RouteTarget::this_tunnel : RouteTarget::unreachable;
  return {route.destination, target, route.metric, true};
}

}  // namespace

FakeKernel::FakeKernel(EventQueue& events, KeyNumbers& keys, const TunnelKey& own_key, std::uint64_t seed, bool removes_allowed_ip, Calls calls)
    : events_(events),
      keys_(keys),
      own_key_(own_key),
      own_number_(keys.number(own_key)),
      rng_(seed),
      removes_allowed_ip_(removes_allowed_ip),
      calls_(std::move(calls)) {}

void FakeKernel::reboot() {
  ++boot_;
  exists_ = up_ = has_key_ = false;
  mtu_ = 0;
  listen_port_ = 0;
  addresses_.clear();
  routes_.clear();
  states().clear();
  links_.clear();
  slots_.clear();
  owners_.clear();
  roamed_.clear();
}

void FakeKernel::apply(const TunnelChange& change) {
  if (std::holds_alternative<CreateInterface>(change)) exists_ = true, mtu_ = default_mtu;
  else if (const auto* mtu = std::get_if<SetMtu>(&change)) mtu_ = mtu->mtu;
  else if (std::holds_alternative<SetPrivateKey>(change)) has_key_ = true, remove_peer(own_key_);
  else if (const auto* port = std::get_if<SetListenPort>(&change)) listen_port_ = port->port;
  else if (std::holds_alternative<SetLinkUp>(change)) up_ = true;
  else if (const auto* peer = std::get_if<SetPeer>(&change)) set_peer(*peer);
  else if (const auto* removed = std::get_if<RemovePeer>(&change)) remove_peer(removed->key);
  else if (const auto* address = std::get_if<AddAddress>(&change)) addresses_.push_back(address->address);
  else if (const auto* gone = std::get_if<RemoveAddress>(&change)) std::erase(addresses_, gone->address);
  else if (const auto* route = std::get_if<AddRoute>(&change)) add_route(route->route);
  else if (const auto* old = std::get_if<RemoveRoute>(&change)) remove_route(old->route);
  else if (std::holds_alternative<RemoveInterface>(change)) {
    // The unreachable routes are bound to no interface, and stay.
    auto kept = std::move(routes_);
    std::erase_if(kept, [](const ActualRoute& one) { return one.target == RouteTarget::this_tunnel; });
    reboot();
    routes_ = std::move(kept);
  }
}

ActualTunnel FakeKernel::read(const std::vector<TunnelKey>* only) const {
  ActualTunnel actual;
  actual.exists = exists_;
  actual.index = exists_ ? 1 : 0;
  actual.up = up_;
  actual.mtu = mtu_;
  if (has_key_) actual.public_key = own_key_;
  actual.listen_port = listen_port_;
  actual.addresses = addresses_;
  actual.routes = routes_;
  if (only == nullptr) {
    actual.peers = peers();
  } else {
    for (const TunnelKey& key : *only) {
      if (const TunnelPeerState* state = peer(key)) actual.peers.push_back(*state);
    }
  }
  return actual;
}

const Input& FakeKernel::look(bool settled) {
  std::get<KernelSnapshot>(snapshot_).settled = settled;
  return snapshot_;
}

const TunnelPeerState* FakeKernel::peer(const TunnelKey& key) const {
  const Slot slot = slot_of(keys_.number(key));
  return slot == none ? nullptr : &peers()[slot];
}

const TunnelKey* FakeKernel::holder(const Prefix& prefix) const {
  const auto slot = owners_.holder(prefix);
  return slot ? &peers()[*slot].key : nullptr;
}

bool FakeKernel::has_address(const Address& address) const {
  return std::any_of(addresses_.begin(), addresses_.end(), [&](const Prefix& p) { return p.address == address; });
}

FakeKernel::Slot FakeKernel::add_peer(const TunnelKey& key, KeyNumber number) {
  const auto slot = static_cast<Slot>(links_.size());
  states().push_back({key, {}, {}, {}, 0, 0, 0});
  links_.emplace_back();
  links_.back().number = number;
  if (slots_.size() <= number) slots_.resize(number + 1, none);
  slots_[number] = slot;
  return slot;
}

void FakeKernel::remove_peer(const TunnelKey& key) {
  const KeyNumber number = keys_.number(key);
  const Slot slot = slot_of(number);
  if (slot == none) return;
  for (const Prefix& prefix : states()[slot].allowed_ips) owners_.take(prefix);
  slots_[number] = none;
  // The last takes its place, with what it holds.
  if (slot + 1 != links_.size()) {
    states()[slot] = std::move(states().back());
    links_[slot] = std::move(links_.back());
    slots_[links_[slot].number] = slot;
    for (const Prefix& prefix : states()[slot].allowed_ips) owners_.give(prefix, slot);
  }
  states().pop_back();
  links_.pop_back();
}

void FakeKernel::set_peer(const SetPeer& change) {
  if (has_key_ && change.key == own_key_) return;
  const KeyNumber number = keys_.number(change.key);
  Slot slot = slot_of(number);
  if (slot == none) {
    if (!change.create) return;
    slot = add_peer(change.key, number);
  }
  TunnelPeerState& state = states()[slot];
  if (change.endpoint) state.endpoint = change.endpoint;
  if (change.replace) {
    for (const Prefix& prefix : std::vector(state.allowed_ips)) take(slot, prefix);
  }
  for (const Prefix& prefix : change.remove) {
    if (removes_allowed_ip_) take(slot, prefix);
  }
  for (const Prefix& prefix : change.add) give(slot, prefix);
  const bool begins = change.keepalive && state.keepalive.count() == 0 && change.keepalive->count() != 0;
  if (change.keepalive) state.keepalive = *change.keepalive;
  if (!up_) return;
  if (begins) send_to(slot, {});
  if (links_[slot].waiting) initiate(slot, false);
  arm(slot);
}

// Whoever held it holds it no more, without a gap.
void FakeKernel::give(Slot slot, const Prefix& prefix) {
  if (const auto before = owners_.give(prefix, slot)) std::erase(states()[*before].allowed_ips, prefix);
  auto& held = states()[slot].allowed_ips;
  const auto at = std::lower_bound(held.begin(), held.end(), prefix);
  if (at == held.end() || *at != prefix) held.insert(at, prefix);
}

void FakeKernel::take(Slot slot, const Prefix& prefix) {
  if (owners_.holder(prefix) != slot) return;
  owners_.take(prefix);
  std::erase(states()[slot].allowed_ips, prefix);
}

void FakeKernel::add_route(const TunnelRoute& route) {
  const ActualRoute made = as_made(route);
  // The kernel has one route a place: a second is refused as existing.
  const bool taken = std::any_of(routes_.begin(), routes_.end(), [&](const ActualRoute& one) {
    return one.destination == made.destination && one.metric == made.metric;
  });
  if (!taken) routes_.push_back(made);
}

void FakeKernel::remove_route(const TunnelRoute& route) { std::erase(routes_, as_made(route)); }

// The longest prefix decides, then the lowest metric.
bool FakeKernel::routed(const Address& to) const {
  const ActualRoute* best = nullptr;
  for (const ActualRoute& route : routes_) {
    if (!route.destination.contains(to)) continue;
    const bool better = best == nullptr || route.destination.length > best->destination.length ||
                        (route.destination.length == best->destination.length && route.metric < best->metric);
    if (better) best = &route;
  }
  return best != nullptr && best->target == RouteTarget::this_tunnel;
}

const Address* FakeKernel::source_for(Family family) const {
  const auto found = std::find_if(addresses_.begin(), addresses_.end(), [&](const Prefix& p) { return p.address.family == family; });
  return found == addresses_.end() ? nullptr : &found->address;
}

}  // namespace wigwag::sim
