#include "gossip/topology/endpoints.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

bool inside(const Address& address, const std::vector<Prefix>& mesh) {
  return std::any_of(mesh.begin(), mesh.end(), [&](const Prefix& p) { return p.contains(address); });
}

void add_once(std::vector<Endpoint>& list, const Endpoint& endpoint) {
  if (std::find(list.begin(), list.end(), endpoint) == list.end()) list.push_back(endpoint);
}

// Whether two hosts probably share a link: the prefix lengths of real networks are not
// known here, so these are the usual ones.
bool probably_beside(const Address& a, const Address& b) {
  return a.family == b.family && Prefix::covering(a, a.family == Family::ipv4 ? 24 : 64).contains(b);
}

// Where somebody other than a process of this machine may be.
bool addressable(const Endpoint& endpoint, const std::vector<Prefix>& mesh) {
  const Address& a = endpoint.address;
  return endpoint.port != 0 && !a.is_unspecified() && !a.is_multicast() && !a.is_link_local() && !inside(a, mesh);
}

}  // namespace

bool usable_endpoint(const Endpoint& endpoint, const std::vector<Prefix>& mesh) {
  return addressable(endpoint, mesh) && !endpoint.address.is_loopback();
}

void OwnEndpoints::set_local(std::vector<Address> addresses) {
  std::sort(addresses.begin(), addresses.end(), [](const Address& a, const Address& b) {
    return std::make_pair(a.is_private(), a) < std::make_pair(b.is_private(), b);
  });
  local_ = std::move(addresses);
  look_for_nat();
}

void OwnEndpoints::seen_by(const NodeId& witness, const Endpoint& endpoint) {
  std::erase_if(witnesses_, [&](const Witness& w) { return w.id == witness; });
  const auto same_family = [&](const Witness& w) { return w.endpoint.address.family == endpoint.address.family; };
  if (static_cast<std::size_t>(std::count_if(witnesses_.begin(), witnesses_.end(), same_family)) >= witnesses_max) {
    witnesses_.erase(std::find_if(witnesses_.begin(), witnesses_.end(), same_family));
  }
  witnesses_.push_back({witness, endpoint});
  look_for_nat();
}

void OwnEndpoints::forget_witness(const NodeId& witness) {
  if (std::erase_if(witnesses_, [&](const Witness& w) { return w.id == witness; }) != 0) look_for_nat();
}

bool OwnEndpoints::set_in_reach(const NodeId& witness, bool in_reach) {
  const auto found = std::find_if(witnesses_.begin(), witnesses_.end(), [&](const Witness& w) { return w.id == witness; });
  if (found == witnesses_.end() || found->in_reach == in_reach) return false;
  const auto before = observed();
  found->in_reach = in_reach;
  look_for_nat();
  return observed() != before;
}

std::optional<Endpoint> OwnEndpoints::agreed(Family family) const {
  const auto speaks = [&](const Witness& w) { return w.endpoint.address.family == family; };
  const bool some_in_reach = std::any_of(witnesses_.begin(), witnesses_.end(), [&](const Witness& w) { return speaks(w) && w.in_reach; });
  std::map<Endpoint, int> votes;
  int witnesses = 0;
  for (const Witness& witness : witnesses_) {
    if (speaks(witness) && (witness.in_reach || !some_in_reach)) ++votes[witness.endpoint], ++witnesses;
  }
  if (witnesses == 1) return votes.begin()->first;
  std::optional<Endpoint> best;
  int most = 1;
  for (const auto& [endpoint, count] : votes) {
    if (count > most) best = endpoint, most = count;
  }
  return best;
}

std::vector<Endpoint> OwnEndpoints::observed() const {
  std::vector<Endpoint> seen;
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    if (const auto endpoint = agreed(family)) seen.push_back(*endpoint);
  }
  std::stable_partition(seen.begin(), seen.end(), [this](const Endpoint& e) { return is_local(e.address); });
  return seen;
}

void OwnEndpoints::look_for_nat() {
  const auto seen = observed();
  behind_nat_ = std::any_of(seen.begin(), seen.end(), [this](const Endpoint& e) { return !is_local(e.address); });
}

std::vector<Endpoint> OwnEndpoints::announce(std::uint16_t listen_port, const std::vector<Prefix>& mesh) const {
  std::vector<Endpoint> list;
  for (const auto& endpoint : configured_) add_once(list, endpoint);
  for (const auto& endpoint : observed()) add_once(list, endpoint);
  for (const auto& address : local_) add_once(list, {address, listen_port});
  std::erase_if(list, [&](const Endpoint& e) { return !usable_endpoint(e, mesh); });
  if (list.size() > limits::endpoints_per_record) list.resize(limits::endpoints_per_record);
  return list;
}

std::vector<Endpoint> PeerEndpoints::candidates(const Facts& facts) {
  std::vector<Endpoint> list;
  const auto beside_us = [&](const Endpoint& e) {
    return std::any_of(facts.local.begin(), facts.local.end(), [&](const Address& a) { return probably_beside(a, e.address); });
  };
  for (const auto& endpoint : facts.record.endpoints) {
    if (beside_us(endpoint)) add_once(list, endpoint);
  }
  for (const auto& endpoint : facts.record.endpoints) add_once(list, endpoint);
  std::erase_if(list, [&](const Endpoint& e) { return !usable_endpoint(e, facts.mesh); });
  // Nobody's word, but where a hello went to or came from: on one machine that may be the loopback address.
  if (facts.hint && addressable(*facts.hint, facts.mesh)) {
    std::erase(list, *facts.hint);
    list.insert(list.begin(), *facts.hint);
  }
  return list;
}

std::optional<Endpoint> PeerEndpoints::wanted(const NodeId& id) const {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.up || found->second.candidates.empty()) return std::nullopt;
  return found->second.candidates[found->second.trying];
}

bool PeerEndpoints::judge(const NodeId& id, const Facts& facts, Instant now) {
  const auto before = wanted(id);
  Peer& peer = peers_[id];
  stale_.erase(id);
  const bool fresh = std::exchange(peer.afresh, false);
  auto list = candidates(facts);
  const auto its_own = static_cast<std::ptrdiff_t>(list.size());
  for (const auto& endpoint : facts.others) {
    if (list.size() < static_cast<std::size_t>(its_own) + others_max && usable_endpoint(endpoint, facts.mesh)) add_once(list, endpoint);
  }
  if (fresh || list != peer.candidates) {
    // What the peer has newly announced comes first: it may have moved. Else what is being tried
    // goes on being tried when it is still a candidate.
    const auto is_new = [&](const Endpoint& e) { return std::find(peer.candidates.begin(), peer.candidates.end(), e) == peer.candidates.end(); };
    const auto end_of_its_own = list.begin() + its_own;
    const auto newest = std::find_if(list.begin(), end_of_its_own, is_new);
    const auto announced = fresh || newest == end_of_its_own ? list.end() : newest;
    const bool first = fresh || peer.candidates.empty();
    const auto kept = announced != list.end() || first ? announced : std::find(list.begin(), list.end(), peer.candidates[peer.trying]);
    peer.trying = kept == list.end() ? 0 : static_cast<std::size_t>(kept - list.begin());
    // Who was tried alone had no turn that could end: it begins with there being others.
    if (kept == list.end() || kept == announced || peer.candidates.size() < 2) peer.since = now;
    peer.candidates = std::move(list);
  }
  // A verdict is about its daemon: what its kernel sends shows that the path is good.
  const bool heard = !facts.down || (peer.seen && peer.seen->heard_at && now < *peer.seen->heard_at + silence_patience);
  const bool was_up = std::exchange(peer.up, heard && stands(id, now));
  if (peer.up) peer.since = now;
  // It was up at every judgement until this one, whether it was among those to be judged or not.
  else if (was_up) peer.since = std::max(peer.since, judged_before_);
  if (!peer.up && now >= peer.since + candidate_patience && !peer.candidates.empty()) {
    peer.trying = (peer.trying + 1) % peer.candidates.size();
    peer.since = now;
  }
  schedule(id, peer, facts.down, now);
  return wanted(id) != before;
}

void PeerEndpoints::set_due(Due& all, Instant& held, Instant due, const NodeId& id) {
  if (held == due) return;
  if (held != never) all.erase({held, id});
  if (due != never) all.emplace(due, id);
  held = due;
}

void PeerEndpoints::schedule(const NodeId& id, Peer& peer, bool down, Instant now) {
  set_due(turns_, peer.turn, !peer.up && peer.candidates.size() > 1 ? peer.since + candidate_patience : never, id);
  Instant end = never;
  if (peer.up) end = *peer.seen->handshake_at + session;
  if (down && peer.seen && peer.seen->heard_at && now < *peer.seen->heard_at + silence_patience) end = std::min(end, *peer.seen->heard_at + silence_patience);
  set_due(ends_, peer.end, end, id);
}

std::set<NodeId> PeerEndpoints::to_judge(Instant now) {
  judged_before_ = std::exchange(judged_, now);
  auto ids = std::exchange(stale_, {});
  ids.insert(unanswered_.begin(), unanswered_.end());
  for (const Due* due : {&turns_, &ends_}) {
    for (auto at = due->begin(); at != due->end() && at->first <= now; ++at) ids.insert(at->second);
  }
  return ids;
}

void PeerEndpoints::forget(const NodeId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  set_due(turns_, found->second.turn, never, id);
  set_due(ends_, found->second.end, never, id);
  unanswered_.erase(id);
  stale_.insert(id);
  peers_.erase(found);
}

// What the kernel has shown stays true of it.
void PeerEndpoints::retry(const NodeId& id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  auto seen = std::move(found->second.seen);
  set_due(turns_, found->second.turn, never, id);
  set_due(ends_, found->second.end, never, id);
  stale_.insert(id);
  found->second = Peer{};
  found->second.seen = std::move(seen);
}

void PeerEndpoints::moved(const NodeId& id) {
  retry(id);
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.seen) return;
  found->second.seen->heard_at.reset();
  found->second.seen->unanswered_since.reset();
}

const PeerEndpoints::Seen* PeerEndpoints::seen(const NodeId& id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() || !found->second.seen ? nullptr : &*found->second.seen;
}

bool PeerEndpoints::looked_at(const NodeId& id, const TunnelKey& key) const {
  const Seen* last = seen(id);
  return last != nullptr && last->key == key;
}

bool PeerEndpoints::has_session(const NodeId& id, Instant now) const {
  const Seen* last = seen(id);
  return last != nullptr && last->handshake_at && now < *last->handshake_at + session;
}

// By the look, not by the clock: an answer may have come since then.
bool PeerEndpoints::silent(const NodeId& id) const {
  const Seen* last = seen(id);
  return last != nullptr && last->unanswered_since && look_ >= *last->unanswered_since + silence_patience;
}

void PeerEndpoints::look(const NodeId& id, const TunnelKey& key, const TunnelPeerState* kernel, Now now) {
  if (now.at > look_) looked(now.at);
  auto& seen = peers_[id].seen;
  const bool first = !seen || seen->key != key;
  if (first) {
    seen = Seen{};
    seen->key = key;
  }
  shake_hands(*seen, kernel, first, now);
  listen(*seen, kernel);
  seen->configured = kernel != nullptr;
  seen->rx = kernel == nullptr ? 0 : kernel->rx_bytes;
  seen->tx = kernel == nullptr ? 0 : kernel->tx_bytes;
  stale_.insert(id);
  if (seen->unanswered_since) unanswered_.insert(id);
  else unanswered_.erase(id);
}

void PeerEndpoints::looked(Instant at) {
  look_before_ = std::exchange(look_, at);
}

// Only of a handshake that was there before us is its age by the wall clock all we have. One from
// the future was before the clock was set back: that it works is the better guess, since a
// session that does not is noticed.
void PeerEndpoints::shake_hands(Seen& seen, const TunnelPeerState* kernel, bool first, Now now) {
  const std::int64_t latest = kernel == nullptr ? 0 : std::max<std::int64_t>(0, kernel->last_handshake_unix_s);
  if (latest == std::exchange(seen.handshake_unix_s, latest)) return;
  seen.handshake_at.reset();
  if (latest == 0) return;
  const std::int64_t age_s = first ? std::max<std::int64_t>(0, now.wall.seconds - latest) : 0;
  if (age_s < session / seconds(1)) seen.handshake_at = now.at - seconds(age_s);
}

// Keepalives, the persistent ones and the one that answers data, are not answered: what
// they add to the bytes sent since the last look says nothing.
void PeerEndpoints::listen(Seen& seen, const TunnelPeerState* kernel) const {
  if (kernel == nullptr || !seen.configured || kernel->rx_bytes != seen.rx || kernel->tx_bytes < seen.tx) {
    seen.unanswered_since.reset();
  } else if (!seen.unanswered_since) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(look_ - look_before_);
    const bool persistent = kernel->keepalive.count() > 0;
    const std::uint64_t keepalives = 1 + (persistent ? static_cast<std::uint64_t>(elapsed / kernel->keepalive) : 0);
    if (kernel->tx_bytes - seen.tx > keepalives * keepalive_bytes) seen.unanswered_since = look_;
  }
  if (kernel != nullptr && kernel->rx_bytes > seen.rx + keepalive_bytes && seen.configured) seen.heard_at = look_;
}

Instant PeerEndpoints::next_wakeup() const { return turns_.empty() ? never : turns_.begin()->first; }

}  // namespace wigwag
