#include "sim/world/reconcile.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wigwag::sim {
namespace {

constexpr std::size_t all_up_to = 64;    // peers: so many are handed over whole every time

template <class Peers>
auto find(Peers& peers, const TunnelKey& key) {
  const auto at = std::lower_bound(peers.begin(), peers.end(), key, [](const auto& peer, const TunnelKey& wanted) { return peer.key < wanted; });
  return at != peers.end() && at->key == key ? at : peers.end();
}

// The parts of a sorted list that are about these keys, which are sorted too.
template <class Peer>
std::vector<Peer> slice(const std::vector<Peer>& peers, const std::vector<TunnelKey>& keys) {
  std::vector<Peer> part;
  for (const TunnelKey& key : keys) {
    if (const auto at = find(peers, key); at != peers.end()) part.push_back(*at);
  }
  return part;
}

// What these peers may be sent: as wished, and as it is.
std::vector<Prefix> destinations_of(const FakeKernel& kernel, const std::vector<TunnelPeer>& wished, const std::vector<TunnelKey>& keys) {
  std::vector<Prefix> destinations;
  for (const TunnelPeer& peer : wished) destinations.insert(destinations.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
  for (const TunnelKey& key : keys) {
    if (const TunnelPeerState* held = kernel.peer(key)) destinations.insert(destinations.end(), held->allowed_ips.begin(), held->allowed_ips.end());
  }
  std::sort(destinations.begin(), destinations.end());
  destinations.erase(std::unique(destinations.begin(), destinations.end()), destinations.end());
  return destinations;
}

std::vector<TunnelRoute> slice(const std::vector<TunnelRoute>& routes, const std::vector<Prefix>& destinations) {
  std::vector<TunnelRoute> part;
  for (const Prefix& destination : destinations) {
    auto at = std::lower_bound(routes.begin(), routes.end(), destination, [](const TunnelRoute& route, const Prefix& to) { return route.destination < to; });
    for (; at != routes.end() && at->destination == destination; ++at) part.push_back(*at);
  }
  return part;
}

DiffTerms terms_for(const FakeKernel& kernel, const std::vector<TunnelPeer>& peers, const Reconciler::IsDown& is_down) {
  DiffTerms terms;
  terms.removes_allowed_ip = kernel.removes_allowed_ip();
  for (const auto& peer : peers) {
    const TunnelPeerState* state = kernel.peer(peer.key);
    // Of all others being down changes nothing.
    if (state != nullptr && peer.endpoint && state->endpoint != peer.endpoint && is_down(peer.key)) terms.down.push_back(peer.key);
  }
  return terms;
}

}  // namespace

void Reconciler::note(const Desire& desire) {
  all_stale_ = all_stale_ || desire.all;
  stale_.insert(desire.peers.begin(), desire.peers.end());
}

bool Reconciler::run(FakeKernel& kernel, const TunnelDevice& device, const Tunnel& wish, const IsDown& is_down) {
  for (const TunnelKey& key : kernel.take_roamed()) astray_.insert(key);
  const bool all = all_stale_ || wish.peers.size() <= all_up_to;
  std::vector<TunnelKey> keys;
  std::vector<Prefix> destinations;
  DesiredTunnel desired{{wish.plane, wish.addresses, {}, {}}, device};
  AppliedTunnel applied;
  if (all) {
    desired.tunnel = wish;
    applied = applied_;
  } else {
    keys = to_look_at(kernel, wish);
    if (keys.empty() && wish.addresses == applied_.addresses) return true;
    desired.tunnel.peers = slice(wish.peers, keys);
    destinations = destinations_of(kernel, desired.tunnel.peers, keys);
    desired.tunnel.routes = slice(wish.routes, destinations);
    applied = {applied_.interface, applied_.created, applied_.public_key, slice(applied_.peers, keys), applied_.addresses, slice(applied_.routes, destinations)};
  }
  const auto read = [&] { return all ? kernel.read() : kernel.read(keys, destinations); };
  ActualTunnel actual = read();
  const DiffTerms terms = terms_for(kernel, desired.tunnel.peers, is_down);
  const bool created = applied.created || !actual.exists;
  TunnelDiff diff = diff_tunnel(desired, applied, actual, terms);
  if (!diff.empty()) {
    applied = claim(desired, applied);
    applied.created = created;
    for (const auto& change : diff.changes) kernel.apply(change);
    actual = read();
    diff = diff_tunnel(desired, applied, actual, terms);
  }
  applied = settle(desired, applied, actual);
  if (all) applied_ = std::move(applied);
  else merge(std::move(applied), keys, destinations);
  for (const auto& peer : desired.tunnel.peers) {
    const TunnelPeerState* state = kernel.peer(peer.key);
    const bool strays = state != nullptr && peer.endpoint && state->endpoint != peer.endpoint;
    if (strays) astray_.insert(peer.key);
    else astray_.erase(peer.key);
  }
  if (!diff.empty()) return false;
  all_stale_ = false;
  stale_.clear();
  return true;
}

bool Reconciler::wants_look(FakeKernel& kernel, const Tunnel& wish, const IsDown& is_down) {
  for (const TunnelKey& key : kernel.take_roamed()) astray_.insert(key);
  if (all_stale_ || !stale_.empty()) return false;
  for (auto at = astray_.begin(); at != astray_.end();) {
    const TunnelPeerState* state = kernel.peer(*at);
    const auto wanted = find(wish.peers, *at);
    const bool strays = state != nullptr && wanted != wish.peers.end() && wanted->endpoint && wanted->endpoint != state->endpoint;
    if (strays && is_down(*at)) return true;
    at = strays ? std::next(at) : astray_.erase(at);
  }
  return false;
}

TunnelDiff Reconciler::whole(const FakeKernel& kernel, const TunnelDevice& device, const Tunnel& wish, const IsDown& is_down) const {
  return diff_tunnel({wish, device}, applied_, kernel.read(), terms_for(kernel, wish.peers, is_down));
}

void Reconciler::forget() {
  applied_ = {};
  start_over();
}

// Peers whose wish may be another than the one that was fulfilled, those that roamed, and whoever holds what
// one of these shall hold.
std::vector<TunnelKey> Reconciler::to_look_at(const FakeKernel& kernel, const Tunnel& wish) const {
  std::set<TunnelKey> keys = astray_;
  keys.insert(stale_.begin(), stale_.end());
  std::vector<TunnelKey> open(keys.begin(), keys.end());
  while (!open.empty()) {
    const auto wanted = find(wish.peers, open.back());
    open.pop_back();
    if (wanted == wish.peers.end()) continue;
    for (const Prefix& prefix : wanted->allowed_ips) {
      const TunnelKey* holder = kernel.holder(prefix);
      if (holder != nullptr && keys.insert(*holder).second) open.push_back(*holder);
    }
  }
  return {keys.begin(), keys.end()};
}

void Reconciler::merge(AppliedTunnel settled, const std::vector<TunnelKey>& looked_at, const std::vector<Prefix>& destinations) {
  for (const TunnelKey& key : looked_at) {
    const auto ours = find(settled.peers, key);
    const auto at = std::lower_bound(applied_.peers.begin(), applied_.peers.end(), key, [](const AppliedPeer& peer, const TunnelKey& wanted) { return peer.key < wanted; });
    const bool held = at != applied_.peers.end() && at->key == key;
    if (ours == settled.peers.end()) {
      if (held) applied_.peers.erase(at);
    } else if (held) {
      *at = *ours;
    } else {
      applied_.peers.insert(at, *ours);
    }
  }
  for (const TunnelRoute& route : slice(applied_.routes, destinations)) {
    if (std::binary_search(settled.routes.begin(), settled.routes.end(), route)) continue;
    applied_.routes.erase(std::lower_bound(applied_.routes.begin(), applied_.routes.end(), route));
  }
  for (const TunnelRoute& route : settled.routes) {
    const auto at = std::lower_bound(applied_.routes.begin(), applied_.routes.end(), route);
    if (at == applied_.routes.end() || *at != route) applied_.routes.insert(at, route);
  }
  settled.peers = std::move(applied_.peers);
  settled.routes = std::move(applied_.routes);
  applied_ = std::move(settled);
}

}  // namespace wigwag::sim
