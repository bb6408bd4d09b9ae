#include <algorithm>

#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr std::size_t greet_all_up_to = 64;        // members; in larger networks only edges are kept warm
constexpr Duration greet_pause = seconds(10);
constexpr Duration way_given = milliseconds(500);

// They are one machine: it is where any of them is, and no verdict on one is about all.
void heed_sharers(PeerEndpoints::Facts& facts, const NodeId& id, const std::vector<const Member*>& sharers) {
  for (const Member* other : sharers) {
    if (other->id() == id) continue;
    const auto& theirs = other->record.body.endpoints;
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
  const auto found = kernel_->find(member.record.body.tunnel_key);
  return found == kernel_->end() ? nullptr : &found->second;
}

void Node::Impl::on(const KernelSnapshot& snapshot) {
  std::map<TunnelKey, TunnelPeerState> fresh;
  for (const auto& peer : snapshot.peers) fresh.emplace(peer.key, peer);
  // Whoever was not there before is greeted again: of two who add each other, the second
  // to do so is the one whose handshake succeeds.
  for (const auto& [id, member] : roster_.members()) {
    const auto& key = member.record.body.tunnel_key;
    if (kernel_ && fresh.contains(key) && !kernel_->contains(key)) greeted_.erase(id);
  }
  kernel_ = std::move(fresh);
  std::erase_if(first_seen_, [this](const auto& seen) {
    const auto peer = kernel_->find(seen.first);
    return peer == kernel_->end() || peer->second.last_handshake_unix_s != 0;
  });
  for (const auto& [key, peer] : *kernel_) {
    if (peer.last_handshake_unix_s == 0) first_seen_.try_emplace(key, now_.at);
  }
  kernel_shown_ = now_;
  for (const auto& [id, member] : roster_.members()) look_at(member);
  next_judgement_ = now_.at;
  greet_peers();
}

void Node::Impl::look_at(const Member& member) {
  if (member.id() == id_ || member.record.body.left) return;
  peer_endpoints_.look(member.id(), member.record.body.tunnel_key, kernel_peer(member), kernel_shown_);
}

// Our addresses moved: everyone learns the new one from the next packet it gets from us.
void Node::Impl::on(const LocalAddresses& local) {
  own_endpoints_.set_local(local.addresses);
  local_known_ = true;
  self_stale_ = true;
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
  const auto seen = first_seen_.find(member.record.body.tunnel_key);
  return seen != first_seen_.end() && now_.at < seen->second + way_given;
}

// Warms the tunnels that must be warm: edges, and in small networks every pair.
void Node::Impl::greet_peers() {
  if (!joined_) return;
  for (const Member* member : roster_.live()) {
    const auto* peer = kernel_peer(*member);
    const bool edge = edges_.contains(member->id());
    if (member->id() == id_ || peer == nullptr || (!edge && roster_.live_count() > greet_all_up_to)) continue;
    if (gives_way(*member)) continue;
    const bool warm = peer->last_handshake_unix_s != 0 && (!edge || peer_endpoints_.has_session(member->id(), now_.at));
    const auto [last, first_time] = greeted_.try_emplace(member->id(), now_.at);
    if (!first_time && (warm || now_.at < last->second + greet_pause)) continue;
    last->second = now_.at;
    prober_.greet(member->id(), now_.at, mail_);
  }
}

void Node::Impl::judge_endpoints() {
  const bool news = endpoints_revision_ != roster_.revision();
  if (!kernel_ || (!news && now_.at < next_judgement_)) return;
  endpoints_revision_ = roster_.revision();
  const auto mesh = mesh_prefixes();
  const auto keys = sharers_of_keys(roster_);
  for (const auto& [id, member] : roster_.members()) {
    if (id == id_ || member.record.body.left) continue;
    // Of whom we have just learnt, the last snapshot may already show something.
    if (!peer_endpoints_.looked_at(id, member.record.body.tunnel_key)) look_at(member);
    const auto hint = hints_.find(id);
    PeerEndpoints::Facts facts{member.record.body,
                                     hint == hints_.end() ? std::nullopt : std::optional(hint->second),
                                     own_endpoints_.local(),
                                     mesh,
                                     {},
                                     member.health == Health::dead};
    if (const auto shared = keys.find(member.record.body.tunnel_key); shared != keys.end()) heed_sharers(facts, id, shared->second);
    if (!peer_endpoints_.judge(id, facts, now_.at)) continue;
    greeted_.erase(id);
    ++endpoint_changes_;
  }
  next_judgement_ = peer_endpoints_.next_wakeup();
}

void Node::Impl::plan() {
  // Before the kernel has been seen, endpoints that work could be overwritten.
  if (!kernel_) return;
  const bool nat = own_endpoints_.behind_nat();
  const PlanBasis basis{roster_.revision(), roster_.seating(), endpoint_changes_, nat};
  if (basis == planned_from_) return;
  planned_from_ = basis;
  const auto keepalive = config_.keepalive.value_or(nat ? keepalive_behind_nat : std::chrono::seconds(0));
  auto wanted = plan_direct(roster_, {id_, peer_endpoints_, keepalive});
  if (desired_ && *desired_ == wanted) return;
  desired_ = wanted;
  out_.push_back(Desire{std::move(wanted)});
}

}  // namespace wigwag
