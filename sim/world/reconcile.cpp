#include "sim/world/reconcile.hpp"

#include <algorithm>
#include <iterator>

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

bool Reconciler::run(FakeKernel& kernel, const TunnelDevice& device, const std::shared_ptr<const Tunnel>& wish, const IsDown& is_down) {
  for (const TunnelKey& key : kernel.take_roamed()) astray_.insert(key);
  const bool all = !fulfilled_ || wish->peers.size() <= all_up_to;
  std::vector<TunnelKey> keys;
  if (!all) {
    keys = to_look_at(kernel, *wish);
    if (keys.empty() && wish->addresses == fulfilled_->addresses && wish->routes == fulfilled_->routes) {
      fulfilled_ = wish;
      return true;
    }
  }
  DesiredTunnel desired{{wish->plane, wish->addresses, all ? wish->peers : slice(wish->peers, keys), wish->routes}, device};
  AppliedTunnel applied = applied_;
  if (!all) applied.peers = slice(applied_.peers, keys);
  ActualTunnel actual = kernel.read(all ? nullptr : &keys);
  const DiffTerms terms = terms_for(kernel, desired.tunnel.peers, is_down);
  const bool created = applied.created || !actual.exists;
  TunnelDiff diff = diff_tunnel(desired, applied, actual, terms);
  if (!diff.empty()) {
    applied = claim(desired, applied);
    applied.created = created;
    for (const auto& change : diff.changes) kernel.apply(change);
    actual = kernel.read(all ? nullptr : &keys);
    diff = diff_tunnel(desired, applied, actual, terms);
  }
  applied = settle(desired, applied, actual);
  if (all) applied_ = std::move(applied);
  else merge(applied, keys);
  for (const auto& peer : desired.tunnel.peers) {
    const TunnelPeerState* state = kernel.peer(peer.key);
    const bool strays = state != nullptr && peer.endpoint && state->endpoint != peer.endpoint;
    if (strays) astray_.insert(peer.key);
    else astray_.erase(peer.key);
  }
  if (!diff.empty()) return false;
  fulfilled_ = wish;
  return true;
}

bool Reconciler::wants_look(FakeKernel& kernel, const IsDown& is_down) {
  for (const TunnelKey& key : kernel.take_roamed()) astray_.insert(key);
  if (!fulfilled_) return false;
  for (auto at = astray_.begin(); at != astray_.end();) {
    const TunnelPeerState* state = kernel.peer(*at);
    const auto wanted = find(fulfilled_->peers, *at);
    const bool strays = state != nullptr && wanted != fulfilled_->peers.end() && wanted->endpoint && wanted->endpoint != state->endpoint;
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

// Peers whose wish is another than the one that was fulfilled, those that roamed, and whoever holds what
// one of these shall hold.
std::vector<TunnelKey> Reconciler::to_look_at(const FakeKernel& kernel, const Tunnel& wish) const {
  std::set<TunnelKey> keys(astray_.begin(), astray_.end());
  auto now = wish.peers.begin();
  auto before = fulfilled_->peers.begin();
  while (now != wish.peers.end() || before != fulfilled_->peers.end()) {
    if (before == fulfilled_->peers.end() || (now != wish.peers.end() && now->key < before->key)) keys.insert((now++)->key);
    else if (now == wish.peers.end() || before->key < now->key) keys.insert((before++)->key);
    else if (*now == *before) ++now, ++before;
    else keys.insert(now->key), ++now, ++before;
  }
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

void Reconciler::merge(const AppliedTunnel& settled, const std::vector<TunnelKey>& looked_at) {
  AppliedTunnel merged = settled;
  merged.peers.clear();
  std::vector<AppliedPeer> others;
  others.reserve(applied_.peers.size());
  for (auto& peer : applied_.peers) {
    if (!std::binary_search(looked_at.begin(), looked_at.end(), peer.key)) others.push_back(std::move(peer));
  }
  merged.peers.reserve(others.size() + settled.peers.size());
  std::merge(others.begin(), others.end(), settled.peers.begin(), settled.peers.end(), std::back_inserter(merged.peers));
  applied_ = std::move(merged);
}

}  // namespace wigwag::sim
