#include <algorithm>

#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr std::size_t greet_all_up_to = 64;        // members; in larger networks only edges are kept warm
constexpr Duration greet_pause = seconds(10);
constexpr Duration way_given = milliseconds(500);
constexpr Duration doubt = seconds(5);

// They are one machine: it is where any of them is, and no verdict on one is about all.
void heed_sharers(PeerEndpoints::Facts& facts, const NodeId& id, const std::vector<const Member*>& sharers) {
  for (const Member* other : sharers) {
    if (other->id() == id) continue;
    const auto& theirs = other->record->body.endpoints;
    facts.others.insert(facts.others.end(), theirs.begin(), theirs.end());
    facts.down = facts.down && !other->live();
  }
}

}  // namespace

std::vector<Prefix> Node::Impl::mesh_prefixes() const {
  std::vector<Prefix> prefixes{overlay_ipv6_prefix(config_.network)};
  if (roster_.bundle()) prefixes.push_back(roster_.bundle()->body.ipv4);
  return prefixes;
}

const TunnelPeerState* Node::Impl::kernel_peer(const Member& member) const {
  if (!kernel_) return nullptr;
  const auto found = kernel_->find(member.record->body.tunnel_key);
  return found == kernel_->end() ? nullptr : &found->second;
}

void Node::Impl::on(const KernelSnapshot& snapshot) {
  const bool first = !kernel_;
  if (first) kernel_.emplace();
  if (first && !snapshot.peers.empty()) doubted_until_ = now_.at + doubt;
  std::set<TunnelKey> changed;
  for (const auto& peer : snapshot.peers) note_peer(peer, first, changed);
  if (snapshot.changes_only) {
    for (const auto& key : snapshot.gone) drop_peer(key, changed);
  } else if (kernel_->size() != snapshot.peers.size()) {
    // Without two of one key, as many as are shown are all that there are.
    drop_missing(snapshot, changed);
  }
  std::erase_if(first_seen_, [this](const auto& seen) { return now_.at >= seen.second + way_given; });
  kernel_shown_ = now_;
  peer_endpoints_.looked(now_.at);
  for (const auto& key : changed) {
    for (const Member* member : roster_.announcing(key)) look_at(*member);
  }
  next_judgement_ = now_.at;
  greet_peers();
}

// Takes over what the kernel shows of one peer, and notes where that is news. What it may be sent is
// ours to say and not kept.
void Node::Impl::note_peer(const TunnelPeerState& shown, bool first, std::set<TunnelKey>& changed) {
  auto [held, fresh] = kernel_->try_emplace(shown.key);
  TunnelPeerState& peer = held->second;
  const bool was_cold = !fresh && peer.last_handshake_unix_s == 0;
  const bool same = !fresh && peer.endpoint == shown.endpoint && peer.keepalive == shown.keepalive && peer.rx_bytes == shown.rx_bytes &&
                    peer.tx_bytes == shown.tx_bytes && peer.last_handshake_unix_s == shown.last_handshake_unix_s;
  if (same) return;
  peer = {shown.key, shown.endpoint, {}, shown.keepalive, shown.last_handshake_unix_s, shown.rx_bytes, shown.tx_bytes};
  changed.insert(shown.key);
  if (peer.last_handshake_unix_s != 0) first_seen_.erase(shown.key);
  else if (!was_cold) first_seen_.try_emplace(shown.key, now_.at);
  if (!fresh || first) return;
  // Whoever was not there before is greeted again: of two who add each other, the second
  // to do so is the one whose handshake succeeds.
  for (const Member* member : roster_.announcing(shown.key)) greeted_.erase(member->id());
}

void Node::Impl::drop_missing(const KernelSnapshot& snapshot, std::set<TunnelKey>& changed) {
  std::set<TunnelKey> shown;
  for (const auto& peer : snapshot.peers) shown.insert(peer.key);
  std::vector<TunnelKey> gone;
  for (const auto& [key, peer] : *kernel_) {
    if (!shown.contains(key)) gone.push_back(key);
  }
  for (const auto& key : gone) drop_peer(key, changed);
}

void Node::Impl::drop_peer(const TunnelKey& key, std::set<TunnelKey>& changed) {
  if (kernel_->erase(key) == 0) return;
  changed.insert(key);
  first_seen_.erase(key);
}

void Node::Impl::look_at(const Member& member) {
  if (member.id() == id_ || member.record->body.left) return;
  peer_endpoints_.look(member.id(), member.record->body.tunnel_key, kernel_peer(member), kernel_shown_);
}

// Our addresses moved: everyone learns the new one from the next packet it gets from us.
void Node::Impl::on(const LocalAddresses& local) {
  own_endpoints_.set_local(local.addresses);
  local_known_ = true;
  networks_ = local.networks;
  networks_changed_ = true;
  self_stale_ = true;
  all_ways_stale_ = true;
  endpoints_revision_ = UINT64_MAX;
  for (const Member* member : roster_.live()) peer_endpoints_.moved(member->id());
  if (!joined_ || !kernel_) return;
  std::size_t greeted = 0;
  for (const Member* member : roster_.live()) {
    const bool close = edges_.contains(member->id()) || roster_.live_count() <= greet_all_up_to;
    if (member->id() != id_ && close && ++greeted <= greet_all_up_to) prober_.greet(member->id(), now_.at, mail_);
  }
}

// Two ends that learn of each other at the same moment would both start a handshake, and
// WireGuard loses two that cross: each takes the other's, drops the answer to its own, and
// tries again only after five seconds. So the higher id lets the lower begin; if the lower
// began before our kernel knew it, it is our turn half a second later.
bool Node::Impl::gives_way(const Member& member) const {
  if (id_ < member.id()) return false;
  const auto seen = first_seen_.find(member.record->body.tunnel_key);
  return seen != first_seen_.end() && now_.at < seen->second + way_given;
}

// Warms the tunnels that must be warm: edges, and in small networks every pair.
void Node::Impl::greet_peers() {
  if (!joined_) return;
  if (roster_.live_count() <= greet_all_up_to) {
    for (const Member* member : roster_.live()) greet_peer(*member);
    return;
  }
  for (const auto& id : edges_) {
    if (const Member* member = roster_.find(id); member != nullptr && member->live()) greet_peer(*member);
  }
}

void Node::Impl::greet_peer(const Member& member) {
  const NodeId& id = member.id();
  const auto* peer = kernel_peer(member);
  if (id == id_ || peer == nullptr || gives_way(member)) return;
  const bool warm = peer->last_handshake_unix_s != 0 && (!edges_.contains(id) || peer_endpoints_.has_session(id, now_.at));
  const auto [last, first_time] = greeted_.try_emplace(id, now_.at);
  if (!first_time && (warm || now_.at < last->second + greet_pause)) return;
  last->second = now_.at;
  prober_.greet(id, now_.at, mail_);
}

// Hands what has happened to members on to whom it concerns.
void Node::Impl::note_touched() {
  auto touched = roster_.take_touched();
  plan_stale_ = plan_stale_ || touched.all || touched.ids.contains(id_);
  all_ways_stale_ = all_ways_stale_ || touched.all;
  for (const auto& id : touched.ids) peer_endpoints_.facts_changed(id);
  note_subnets(touched);
  stale_keys_.merge(touched.keys);
}

void Node::Impl::judge_endpoints() {
  const bool news = endpoints_revision_ != roster_.revision();
  if (!kernel_ || (!news && now_.at < next_judgement_)) return;
  endpoints_revision_ = roster_.revision();
  note_touched();
  judge_ground();
  for (const auto& id : peer_endpoints_.to_judge(now_.at)) {
    const Member* member = roster_.find(id);
    if (member != nullptr && id != id_ && !member->record->body.left) judge_endpoint(*member);
  }
  next_judgement_ = peer_endpoints_.next_wakeup();
}

// Where this host or the mesh has moved, or networks behind members came or went, all endpoints are judged anew.
void Node::Impl::judge_ground() {
  auto mesh = mesh_prefixes();
  const bool moved = std::exchange(all_ways_stale_, false) || mesh != judged_mesh_;
  judged_mesh_ = std::move(mesh);
  plan_stale_ = plan_stale_ || moved;
  if (!plan_stale_ && judged_subnets_ == roster_.subnets_revision()) return;
  judged_subnets_ = roster_.subnets_revision();
  auto inside = inside_prefixes();
  if (!moved && inside == judged_inside_) return;
  judged_inside_ = std::move(inside);
  for (const auto& [id, member] : roster_.members()) peer_endpoints_.facts_changed(id);
}

void Node::Impl::judge_endpoint(const Member& member) {
  const NodeId& id = member.id();
  const TunnelKey& key = member.record->body.tunnel_key;
  // Of whom we have just learnt, the last snapshot may already show something.
  if (!peer_endpoints_.looked_at(id, key)) look_at(member);
  const auto hint = hints_.find(id);
  PeerEndpoints::Facts facts{member.record->body,
                             hint == hints_.end() ? std::nullopt : std::optional(hint->second),
                             own_endpoints_.local(),
                             judged_inside_,
                             {},
                             member.health == Health::dead};
  heed_sharers(facts, id, sharers_of(roster_, key));
  // Whatever came of it: what was wanted before may have been forgotten meanwhile, and stands in the plan.
  stale_keys_.insert(key);
  if (peer_endpoints_.judge(id, facts, now_.at)) greeted_.erase(id);
  const bool in_reach = peer_endpoints_.stands(id, now_.at);
  self_stale_ = own_endpoints_.set_in_reach(id, in_reach) || self_stale_;
}

void Node::Impl::plan() {
  // Before the kernel has been seen, endpoints that work could be overwritten.
  if (!kernel_) return;
  // Nor is a network planned before it is known which ones this host is in.
  if (!local_known_ && !roster_.subnets().empty()) return;
  // And what an earlier life left in the kernel goes on working until it is known again who is Down.
  if (!planned_ && now_.at < doubted_until_ && carriers_in_doubt()) return;
  note_touched();
  const bool nat = own_endpoints_.behind_nat();
  plan_stale_ = plan_stale_ || !planned_ || nat != planned_nat_;
  if (!plan_stale_ && stale_keys_.empty()) return;
  planned_nat_ = nat;
  const auto stale = std::exchange(stale_keys_, {});
  const PlanFacts facts{id_, peer_endpoints_, config_.keepalive.value_or(nat ? keepalive_behind_nat : std::chrono::seconds(0)), networks_};
  if (std::exchange(plan_stale_, false)) {
    auto wanted = plan_direct(roster_, facts);
    if (std::exchange(planned_, true) && desired_ == wanted) return;
    desired_ = std::move(wanted);
    out_.push_back(Desire{});
  } else if (auto changed = replan_direct(desired_, roster_, facts, stale)) {
    out_.push_back(Desire{false, std::move(*changed)});
  }
}

}  // namespace wigwag
