#include "netlink/tunnel_diff.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "gossip/base/check.hpp"

namespace wigwag {
namespace {

using Place = std::pair<Prefix, std::uint32_t>;

template <class T>
bool holds(const std::vector<T>& sorted, const T& item) {
  return std::binary_search(sorted.begin(), sorted.end(), item);
}

const AppliedPeer* find(const std::vector<AppliedPeer>& peers, const TunnelKey& key) {
  const auto at =
      std::lower_bound(peers.begin(), peers.end(), key, [](const AppliedPeer& p, const TunnelKey& k) { return p.key < k; });
  return at != peers.end() && at->key == key ? &*at : nullptr;
}

bool own_metric(std::uint32_t metric) { return metric == metric_direct || metric == metric_relayed || metric == metric_last; }

RouteTarget target_of(RouteKind kind) {
  switch (kind) {
    case RouteKind::through_tunnel:
      return RouteTarget::this_tunnel;
    case RouteKind::unreachable:
      return RouteTarget::unreachable;
  }
  return RouteTarget::elsewhere;
}

bool same(const TunnelRoute& wanted, const ActualRoute& found) {
  return found.destination == wanted.destination && found.metric == wanted.metric && found.target == target_of(wanted.kind);
}

std::optional<TunnelRoute> as_ours(const ActualRoute& found) {
  switch (found.target) {
    case RouteTarget::this_tunnel:
      return TunnelRoute{found.destination, RouteKind::through_tunnel, found.metric};
    case RouteTarget::unreachable:
      return TunnelRoute{found.destination, RouteKind::unreachable, found.metric};
    case RouteTarget::elsewhere:
      return std::nullopt;
  }
  return std::nullopt;
}

// A marked route is ours when we remember making it or wish for it; one through our
// own interface also when only its metric tells, so that lost state leaves no litter.
// An unreachable one is bound to no interface and may be another network's.
std::optional<TunnelRoute> owned(const ActualRoute& found, const std::vector<TunnelRoute>& desired,
                                 const std::vector<TunnelRoute>& applied) {
  if (!found.marked) return std::nullopt;
  const auto route = as_ours(found);
  if (!route) return std::nullopt;
  if (holds(applied, *route) || holds(desired, *route)) return route;
  if (route->kind == RouteKind::through_tunnel && own_metric(route->metric)) return route;
  return std::nullopt;
}

// Collects the changes of one diff by stage, because their order matters: what covers
// and what carries comes before what points at it, and goes after it.
class Differ {
 public:
  Differ(const DesiredTunnel& desired, const AppliedTunnel& applied, const ActualTunnel& actual, const DiffTerms& terms)
      : desired_(desired), applied_(applied), actual_(actual), terms_(terms) {}

  TunnelDiff run() {
    diff_routes();
    diff_device();
    diff_addresses();
    diff_peers();
    TunnelDiff diff;
    for (auto* stage : {&cover_, &device_, &add_addresses_, &set_peers_, &add_routes_, &remove_routes_, &remove_addresses_,
                        &remove_peers_, &uncover_})
      diff.changes.insert(diff.changes.end(), std::make_move_iterator(stage->begin()), std::make_move_iterator(stage->end()));
    std::sort(conflicts_.begin(), conflicts_.end());
    diff.conflicts = std::move(conflicts_);
    return diff;
  }

 private:
  void diff_device() {
    const TunnelDevice& device = desired_.device;
    if (!actual_.exists) device_.push_back(CreateInterface{});
    if (device.mtu != 0 && actual_.mtu != device.mtu) device_.push_back(SetMtu{device.mtu});
    if (actual_.public_key != device.public_key) device_.push_back(SetPrivateKey{});
    if (device.listen_port != 0 && actual_.listen_port != device.listen_port)
      device_.push_back(SetListenPort{device.listen_port});
    if (!actual_.up) device_.push_back(SetLinkUp{});
  }

  void diff_addresses() {
    std::vector<Prefix> present = actual_.addresses;
    std::sort(present.begin(), present.end());
    for (const Prefix& wanted : desired_.tunnel.addresses)
      if (!holds(present, wanted)) add_addresses_.push_back(AddAddress{wanted});
    for (const Prefix& found : present)
      if (holds(applied_.addresses, found) && !holds(desired_.tunnel.addresses, found))
        remove_addresses_.push_back(RemoveAddress{found});
  }

  void diff_routes() {
    const auto& wanted_routes = desired_.tunnel.routes;
    std::map<Place, std::vector<const ActualRoute*>> at_place;
    for (const ActualRoute& found : actual_.routes) at_place[{found.destination, found.metric}].push_back(&found);

    for (const TunnelRoute& wanted : wanted_routes) {
      auto& stage = wanted.kind == RouteKind::unreachable ? cover_ : add_routes_;
      bool satisfied = false, foreign = false;
      std::vector<TunnelRoute> in_the_way;
      for (const ActualRoute* found : at_place[{wanted.destination, wanted.metric}]) {
        const auto ours = owned(*found, wanted_routes, applied_.routes);
        if (!ours)
          foreign = true;
        else if (same(wanted, *found))
          satisfied = true;
        else
          in_the_way.push_back(*ours);
      }
      if (satisfied) continue;
      if (foreign) {
        conflicts_.push_back({ConflictKind::foreign_route, wanted.destination, {}, wanted.metric});
        continue;
      }
      for (const TunnelRoute& old : in_the_way) stage.push_back(RemoveRoute{old}), removed_.insert(old);
      stage.push_back(AddRoute{wanted});
    }
    for (const ActualRoute& found : actual_.routes) {
      const auto ours = owned(found, wanted_routes, applied_.routes);
      if (!ours || holds(wanted_routes, *ours) || !removed_.insert(*ours).second) continue;
      (ours->kind == RouteKind::unreachable ? uncover_ : remove_routes_).push_back(RemoveRoute{*ours});
    }
  }

  // A peer of our own key goes by itself when the private key is set.
  bool is_ours(const TunnelKey& key) const {
    return wanted_keys_.contains(key) || find(applied_.peers, key) || key == desired_.device.public_key;
  }

  // Which prefixes each wanted peer shall hold, without those that we may not take.
  void assign_prefixes() {
    std::map<Prefix, TunnelKey> holder;
    for (const auto& [key, state] : present_)
      for (const Prefix& prefix : state->allowed_ips) holder.emplace(prefix, key);
    for (const TunnelPeer& peer : desired_.tunnel.peers) {
      if (!wanted_keys_.contains(peer.key)) continue;
      for (const Prefix& prefix : peer.allowed_ips) {
        const auto held = holder.find(prefix);
        if (held != holder.end() && !is_ours(held->second)) {
          conflicts_.push_back({ConflictKind::allowed_ip_of_foreign_peer, prefix, held->second, 0});
        } else if (!owner_.emplace(prefix, peer.key).second) {
          if (owner_.at(prefix) != peer.key) conflicts_.push_back({ConflictKind::allowed_ip_wanted_twice, prefix, peer.key, 0});
        } else {
          assigned_[peer.key].push_back(prefix);
        }
      }
    }
  }

  std::optional<Endpoint> endpoint_to_write(const TunnelPeer& peer, const TunnelPeerState* state) const {
    if (!peer.endpoint || !state || !state->endpoint) return peer.endpoint;
    if (*state->endpoint == *peer.endpoint) return std::nullopt;
    const AppliedPeer* last = find(applied_.peers, peer.key);
    const bool still_what_we_wrote = last && last->endpoint == state->endpoint;
    return still_what_we_wrote || holds(terms_.down, peer.key) ? peer.endpoint : std::nullopt;
  }

  void diff_peer(const TunnelPeer& peer) {
    const auto found = present_.find(peer.key);
    const TunnelPeerState* state = found == present_.end() ? nullptr : found->second;
    auto& wanted = assigned_[peer.key];
    std::sort(wanted.begin(), wanted.end());

    SetPeer change;
    change.key = peer.key;
    change.create = !state;
    change.endpoint = endpoint_to_write(peer, state);
    const auto keepalive = state ? state->keepalive : std::chrono::seconds{0};
    if (keepalive != peer.keepalive) change.keepalive = peer.keepalive;
    std::vector<Prefix> held = state ? state->allowed_ips : std::vector<Prefix>{};
    std::sort(held.begin(), held.end());
    std::set_difference(wanted.begin(), wanted.end(), held.begin(), held.end(), std::back_inserter(change.add));
    // A prefix that another peer shall have leaves this one by being added there.
    std::vector<Prefix> stale;
    for (const Prefix& prefix : held)
      if (!owner_.contains(prefix)) stale.push_back(prefix);
    if (terms_.removes_allowed_ip) change.remove = stale;
    if (!state || change.endpoint || change.keepalive || !change.add.empty() || !change.remove.empty())
      set_peers_.push_back(change);
    if (!stale.empty() && !terms_.removes_allowed_ip)
      replacements_.push_back(SetPeer{
          .key = peer.key, .create = false, .endpoint = {}, .replace = true, .add = wanted, .remove = {}, .keepalive = {}});
  }

  void diff_peers() {
    for (const TunnelPeerState& state : actual_.peers) present_.emplace(state.key, &state);
    for (const TunnelPeer& peer : desired_.tunnel.peers) {
      // WireGuard answers "done" to its own key as a peer, and does nothing.
      if (peer.key == desired_.device.public_key)
        conflicts_.push_back({ConflictKind::own_key_as_peer, {}, peer.key, 0});
      else
        wanted_keys_.insert(peer.key);
    }
    assign_prefixes();
    for (const TunnelPeer& peer : desired_.tunnel.peers)
      if (wanted_keys_.contains(peer.key)) diff_peer(peer);
    // Replacing comes last: by then every prefix that moves has moved, without a gap.
    set_peers_.insert(set_peers_.end(), replacements_.begin(), replacements_.end());
    for (const auto& [key, state] : present_)
      if (find(applied_.peers, key) && !wanted_keys_.contains(key)) remove_peers_.push_back(RemovePeer{key});
  }

  const DesiredTunnel& desired_;
  const AppliedTunnel& applied_;
  const ActualTunnel& actual_;
  const DiffTerms& terms_;

  std::map<TunnelKey, const TunnelPeerState*> present_;
  std::set<TunnelKey> wanted_keys_;
  std::map<Prefix, TunnelKey> owner_;
  std::map<TunnelKey, std::vector<Prefix>> assigned_;
  std::set<TunnelRoute> removed_;
  std::vector<TunnelConflict> conflicts_;
  std::vector<TunnelChange> cover_, device_, add_addresses_, set_peers_, replacements_, add_routes_, remove_routes_,
      remove_addresses_, remove_peers_, uncover_;
};

template <class T>
void sort_unique(std::vector<T>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

}  // namespace

TunnelDiff diff_tunnel(const DesiredTunnel& desired, const AppliedTunnel& applied, const ActualTunnel& actual,
                       const DiffTerms& terms) {
  check(std::is_sorted(desired.tunnel.addresses.begin(), desired.tunnel.addresses.end()), "desired addresses are sorted");
  check(std::is_sorted(desired.tunnel.routes.begin(), desired.tunnel.routes.end()), "desired routes are sorted");
  check(std::is_sorted(terms.down.begin(), terms.down.end()), "the keys of peers that are down are sorted");
  return Differ(desired, applied, actual, terms).run();
}

TeardownPlan diff_teardown(const AppliedTunnel& applied, const ActualTunnel& actual) {
  TeardownPlan plan;
  std::vector<TunnelChange> single, uncover;
  for (const ActualRoute& found : actual.routes) {
    if (const auto ours = owned(found, {}, applied.routes))
      (ours->kind == RouteKind::unreachable ? uncover : single).push_back(RemoveRoute{*ours});
    else if (found.target == RouteTarget::this_tunnel)
      plan.kept_for.push_back("route " + to_string(found.destination) + " metric " + std::to_string(found.metric));
  }
  for (const Prefix& found : actual.addresses) {
    if (holds(applied.addresses, found))
      single.push_back(RemoveAddress{found});
    else
      plan.kept_for.push_back("address " + to_string(found));
  }
  for (const TunnelPeerState& found : actual.peers) {
    if (find(applied.peers, found.key))
      single.push_back(RemovePeer{found.key});
    else
      plan.kept_for.push_back("peer " + to_base64(found.key));
  }
  if (actual.other_routes) plan.kept_for.push_back("routes outside the main table");
  if (actual.exists && !applied.created) plan.kept_for.push_back("the interface, which was there before wigwag");
  // With the interface goes everything on it; the unreachable routes are bound to none.
  if (actual.exists && plan.kept_for.empty())
    plan.changes.push_back(RemoveInterface{});
  else
    plan.changes = std::move(single);
  plan.changes.insert(plan.changes.end(), uncover.begin(), uncover.end());
  return plan;
}

AppliedTunnel claim(const DesiredTunnel& desired, const AppliedTunnel& applied) {
  AppliedTunnel claimed = applied;
  claimed.public_key = desired.device.public_key;
  for (const TunnelPeer& peer : desired.tunnel.peers)
    if (peer.key != desired.device.public_key && !find(applied.peers, peer.key))
      claimed.peers.push_back({peer.key, std::nullopt});
  claimed.addresses.insert(claimed.addresses.end(), desired.tunnel.addresses.begin(), desired.tunnel.addresses.end());
  claimed.routes.insert(claimed.routes.end(), desired.tunnel.routes.begin(), desired.tunnel.routes.end());
  sort_unique(claimed.peers);
  sort_unique(claimed.addresses);
  sort_unique(claimed.routes);
  return claimed;
}

AppliedTunnel settle(const DesiredTunnel& desired, const AppliedTunnel& applied, const ActualTunnel& actual) {
  AppliedTunnel settled{.interface = applied.interface,
                        .created = applied.created && actual.exists,
                        .public_key = desired.device.public_key,
                        .peers = {},
                        .addresses = {},
                        .routes = {}};
  std::map<TunnelKey, const TunnelPeer*> wanted;
  for (const TunnelPeer& peer : desired.tunnel.peers) wanted.emplace(peer.key, &peer);
  for (const TunnelPeerState& state : actual.peers) {
    const AppliedPeer* before = find(applied.peers, state.key);
    const auto wish = wanted.find(state.key);
    if (!before && wish == wanted.end()) continue;
    AppliedPeer now{state.key, before ? before->endpoint : std::nullopt};
    if (wish != wanted.end() && wish->second->endpoint && wish->second->endpoint == state.endpoint) now.endpoint = state.endpoint;
    settled.peers.push_back(now);
  }
  for (const Prefix& address : actual.addresses)
    if (holds(applied.addresses, address) || holds(desired.tunnel.addresses, address)) settled.addresses.push_back(address);
  for (const ActualRoute& found : actual.routes)
    if (const auto ours = owned(found, desired.tunnel.routes, applied.routes)) settled.routes.push_back(*ours);
  sort_unique(settled.peers);
  sort_unique(settled.addresses);
  sort_unique(settled.routes);
  return settled;
}

}  // namespace wigwag
