#include <algorithm>
#include <utility>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr std::size_t nudged_max = 1024;
constexpr Duration meeting_pause = milliseconds(250);
constexpr int obstinate_from = 6;                           // twice as many refutations as it takes for the others

Urgency urgency_of(const Record& record) { return record.left ? Urgency::liveness : Urgency::records; }

}  // namespace

void Node::Impl::on(const NodeId& from, const Ping& ping) {
  mail_.push_back({from, Ack{ping.sequence, edges_.contains(from) ? prober_.on_ping(from, now_.at) : std::uint16_t{0}}});
  if (const Member* member = roster_.find(from)) nudge(*member);
}

// Whoever speaks to us while it stands accused can refute, if it learns of it.
void Node::Impl::nudge(const Member& member) {
  const bool down = member.health == Health::dead;
  std::vector<Item> items;
  for (const auto& accusation : member.accusations) {
    // Of accusers who do not count here it need not hear from us: it will have heard from those for whom they do.
    const bool counts = down || !verdicts_.is_ignored(member.id(), accusation.statement.body.accuser, now_.at);
    if (counts) items.push_back({ItemKind::accusation, accusation.statement.wire, {}, {}, {}});
  }
  if (items.empty() && !down) return;
  if (nudged_.size() >= nudged_max) nudged_.clear();
  const auto [last, first_time] = nudged_.try_emplace(member.id(), now_.at);
  if (!first_time && now_.at < last->second + nudge_pause) return;
  last->second = now_.at;
  push_items(member.id(), std::move(items), mail_);
  if (down) compare_with(member.id(), false);
}

void Node::Impl::on(const NodeId& from, const Ack& ack) {
  const auto result = prober_.on_ack(from, ack, now_.at, health_, mail_);
  if (!result) return;
  verdicts_.answered(from);
  if (const Member* member = roster_.find(from)) nudge(*member);
  // A warm edge that is new, or somebody who was away: what differs is found at once. Where that is
  // so of many, as when a partition heals, what the first brings need not come from all of them.
  if (!edges_.contains(from) || now_.at < next_meeting_ || !met_.insert(from).second) return;
  next_meeting_ = now_.at + meeting_pause;
  compare_with(from, !synced());
}

void Node::Impl::on(const NodeId& from, const PingRequest& request) {
  if (request.subject == id_ || request.subject == from || roster_.find(request.subject) == nullptr) return;
  prober_.on_request(from, request, now_.at, health_, mail_);
}

void Node::Impl::on(const NodeId& from, const IndirectAck& ack) {
  if (const auto result = prober_.on_indirect_ack(from, ack.sequence, now_.at, health_)) handle_probe(*result);
}

void Node::Impl::on(const NodeId& from, const Push& push) {
  for (const auto& item : push.items) take_item(from, item);
}

void Node::Impl::on(const NodeId& from, const Have& have) { spread_.on_have(from, have, now_.at); }
void Node::Impl::on(const NodeId& from, const Want& want) {
  if (!repair_budget_.allows(from, now_.at)) return;
  const auto before = mail_.size();
  spread_.on_want(from, want, mail_);
  repair_budget_.spend(from, (mail_.size() - before) * limits::datagram_payload, now_.at);
}
void Node::Impl::on(const NodeId& from, const Need& need) { send_all_about(from, {{}, {}, need.keys}); }

void Node::Impl::take_item(const NodeId& from, const Item& item) {
  switch (item.kind) {
    case ItemKind::record:
    case ItemKind::member: take_record(from, item); return;
    case ItemKind::accusation: take_accusation(from, item); return;
    case ItemKind::revocation: take_revocation(from, item); return;
  }
}

void Node::Impl::take_record(const NodeId& from, const Item& item) {
  const auto peek = decode_record(item.statement);
  const Member* held = peek ? roster_.find(peek->body.node) : nullptr;
  const Health before = held != nullptr ? held->health : Health::alive;
  // Who let us in is also believed about whom it lets us meet: their sponsors may be each other.
  const auto sponsor = own_sponsor();
  const auto outcome = roster_.apply_record(item, judged_at(), now_.wall, sponsor == from);
  switch (outcome.applied) {
    case Applied::added:
    case Applied::updated: member_news(outcome.node, item, outcome, before, from); break;
    case Applied::held: spread_.note_held(statement_id(item.statement)); break;
    case Applied::stale: answer_with_newer(from, outcome.node); break;
    case Applied::needs_chain: mail_.push_back({from, Need{{key_of(outcome.node)}}}); break;
    case Applied::equivocation:
      // Both are passed on, once: each is the proof against the other.
      if (spread_.holds(statement_id(item.statement))) break;
      spread_.add(item, Urgency::records, from);
      if (const Member* kept = roster_.find(outcome.node)) spread_.add(roster_.item_of(*kept, false), Urgency::records, std::nullopt);
      raise_rarely(EventKind::equivocation, outcome.node, "two different records with one version: is its state copied to two machines?");
      outdone_ = outdone_ || outcome.node == id_;
      break;
    case Applied::full: raise_rarely(EventKind::members_full, outcome.node, std::to_string(config_.members_max) + " members are known"); break;
    case Applied::refused:
      ++counters_.dropped_refused;
      // Its sponsor may be on its way; anti-entropy brings it again.
      if (outcome.reason == TrustError::sponsor_unknown) {
        if (sponsor && *sponsor != from) mail_.push_back({*sponsor, Need{{key_of(outcome.node)}}});
        break;
      }
      raise_rarely(EventKind::record_refused, outcome.node, std::string("sent by a member: ") + to_string(outcome.reason));
      break;
  }
}

// Everything that follows from a record that was news to us.
void Node::Impl::member_news(const NodeId& id, const Item& item, const Outcome& outcome, Health before, std::optional<NodeId> from) {
  if (!outcome.changed()) return;
  Member& member = *roster_.find(id);
  ++counters_.records_accepted;
  dirty_ = true;
  if (id == id_) return;
  verdicts_.answered(id);
  spread_.add(item, urgency_of(member.record->body), from);
  // Of one who was Down the accusers were right, as far as anybody could tell.
  if (before != Health::dead) verdicts_.note_refuted(id, member.refuted, now_.at);
  if (!std::exchange(member.refuted, {}).empty()) {
    spread_.retract([&](const Accusation& a) { return a.subject == id || verdicts_.is_ignored(a.subject, a.accuser, now_.at); });
  }
  if (member.record->body.left) {
    peer_endpoints_.forget(id);
    prober_.forget(id);
    own_endpoints_.forget_witness(id);
    if (before != Health::left) raise(EventKind::member_left, id);
    return;
  }
  if (outcome.applied == Applied::added) {
    if (member.live()) raise(EventKind::member_joined, id);
  } else if (before != Health::alive) {
    member.dormant = false;
    // It may be elsewhere now, and answers that waited for its return are no measure of the way. One that
    // was suspected only spoke up, perhaps by a detour: that says nothing about the way between us.
    if (before == Health::dead) peer_endpoints_.retry(id), prober_.forget(id);
    prober_.greet(id, now_.at, mail_);  // its tunnel may have gone cold meanwhile
    raise(EventKind::member_alive, id);
  } else {
    raise(EventKind::member_changed, id);
  }
}

// An answer may be larger than what it answers, and whoever says what is old may say it all day.
void Node::Impl::answer_with_newer(const NodeId& to, const NodeId& about) {
  const Member* newer = roster_.find(about);
  if (newer == nullptr || !repair_budget_.allows(to, now_.at)) return;
  Item item = roster_.item_of(*newer, false);
  repair_budget_.spend(to, item.packed_size(), now_.at);
  push_items(to, {std::move(item)}, mail_);
}

// Whether an accusation comes from one whom its subject has refuted so often that it counts for nothing here. We
// ourselves answer longer than others listen, and still answer those to whom the accuser is new.
bool Node::Impl::is_idle_talk(const NodeId& from, const Accusation& accusation) {
  const Member* subject = roster_.find(accusation.subject);
  if (subject == nullptr || accusation.version != subject->record->body.version) return false;
  if (accusation.subject != id_) return verdicts_.is_ignored(accusation.subject, accusation.accuser, now_.at);
  const bool enough = verdicts_.refutations(id_, accusation.accuser, now_.at) >= obstinate_from || verdicts_.is_notorious(accusation.accuser, now_.at);
  if (!enough) return false;
  return !subject->accusations.empty() || !patience_.take(from, now_.at);
}

void Node::Impl::take_accusation(const NodeId& from, const Item& item) {
  const auto made = decode_accusation(item.statement);
  if (made && is_idle_talk(from, made->body)) {
    spread_.note_held(statement_id(item.statement));
    return;
  }
  const auto outcome = roster_.apply_accusation(item, now_.at);
  switch (outcome.applied) {
    case Applied::updated: {
      const Member* subject = roster_.find(outcome.node);
      dirty_ = true;
      if (subject->accusations.size() == 1 && outcome.node != id_ && subject->live()) raise(EventKind::member_suspect, outcome.node);
      // What is said against ourselves we do not pass on: our answer goes instead.
      const bool telling = outcome.node != id_ && !verdicts_.is_ignored(outcome.node, made->body.accuser, now_.at);
      if (telling) spread_.add(item, Urgency::liveness, from);
      break;
    }
    case Applied::held: spread_.note_held(statement_id(item.statement)); break;
    case Applied::stale: answer_with_newer(from, outcome.node); break;  // they have not heard the refutation
    case Applied::needs_chain:
      mail_.push_back({from, Need{{key_of(outcome.node)}}});
      // They may have forgotten that accuser meanwhile, and take us for Down on its word all the same.
      if (made->body.subject == id_ && outcome.node == made->body.accuser && patience_.take(from, now_.at)) stranger_ = outcome.node;
      break;
    case Applied::full: break;
    case Applied::added:
    case Applied::equivocation:
    case Applied::refused:
      ++counters_.dropped_refused;
      raise_rarely(EventKind::record_refused, outcome.node, std::string("an accusation against it: ") + to_string(outcome.reason));
      break;
  }
}

void Node::Impl::take_revocation(const NodeId& from, const Item& item) {
  const auto outcome = roster_.apply_revocation(item);
  if (outcome.applied == Applied::updated) {
    dirty_ = true;
    spread_.add(item, Urgency::records, from == id_ ? std::nullopt : std::optional(from));
  } else if (outcome.applied == Applied::refused) {
    ++counters_.dropped_refused;
    raise_rarely(EventKind::record_refused, outcome.node, std::string("a revocation: ") + to_string(outcome.reason));
  }
}

// All we hold under the given members and keys, within the budget for repairs.
void Node::Impl::send_all_about(const NodeId& to, const Lacking& lacking) {
  const auto allowed = [&] { return repair_budget_.allows(to, now_.at); };
  if (!allowed()) return;
  std::vector<Item> items;
  const auto add = [&](Item item) {
    repair_budget_.spend(to, item.packed_size(), now_.at);
    items.push_back(std::move(item));
  };
  const auto add_member = [&](const Member& member, bool with_chain) {
    add(roster_.item_of(member, with_chain));
    for (const auto& accusation : member.accusations) add({ItemKind::accusation, accusation.statement.wire, {}, {}, {}});
  };
  for (const auto* some : {&lacking.members, &lacking.records}) {
    for (const auto& id : *some) {
      const Member* member = roster_.find(id);
      if (member != nullptr && allowed()) add_member(*member, some == &lacking.members);
    }
  }
  // Sponsors before those they let in, who would be refused without.
  std::vector<const Member*> wanted;
  for (const auto key : lacking.keys) {
    if (const Member* member = roster_.by_key(key)) wanted.push_back(member);
  }
  std::sort(wanted.begin(), wanted.end(), [this](const Member* a, const Member* b) { return roster_.admitted(*a) < roster_.admitted(*b); });
  for (const Member* member : wanted) {
    if (allowed()) add_member(*member, true);
  }
  for (const auto key : lacking.keys) {
    if (!allowed()) break;
    NodeId least;
    store_be64(least.bytes.data(), key);
    const auto revocation = roster_.revocations().lower_bound(least);
    if (revocation != roster_.revocations().end() && key_of(revocation->first) == key) {
      add({ItemKind::revocation, revocation->second.wire, {}, {}, {}});
    }
  }
  push_items(to, std::move(items), mail_);
}

void Node::Impl::heard_clock(const NodeId& from, UnixTime theirs) {
  const bool was_trusted = peer_clock_.trusted();
  peer_clock_.heard(from, theirs, now_.wall);
  clock_news(was_trusted);
}

void Node::Impl::clock_news(bool was_trusted) {
  if (was_trusted == peer_clock_.trusted()) return;
  self_stale_ = true;                      // our record may be dated by a time that nobody shares
  roster_.expire(judged_at());             // and others may have run out by that time only
  raise_rarely(was_trusted ? EventKind::clock_doubtful : EventKind::clock_trusted, id_,
               "peers' clocks are " + std::to_string(peer_clock_.median_offset_s()) + " s ahead of ours");
}

void Node::Impl::on(const NodeId& from, const Compare& compare) {
  heard_clock(from, compare.wall);
  if (compare.you) {
    const auto before = own_endpoints_.observed();
    own_endpoints_.seen_by(from, *compare.you);
    const auto after = own_endpoints_.observed();
    self_stale_ = self_stale_ || after != before;
    for (const auto& endpoint : after) {
      const bool news = std::find(before.begin(), before.end(), endpoint) == before.end();
      if (news) raise_rarely(EventKind::endpoint_observed, id_, to_string(endpoint));
    }
  }
  auto difference = anti_entropy_.compare(compare, roster_);
  const bool whole = compare.ranges.size() == 1 && compare.ranges[0].first == 0 && compare.ranges[0].last == UINT64_MAX;
  if (difference.equal && whole) {
    synced_revision_ = roster_.revision();
    if (compare.confirm) compare_with(from, false);
    return;
  }
  if (!difference.ranges.empty()) {
    Compare answer{now_.wall, std::nullopt, false, std::move(difference.ranges)};
    mail_.push_back({from, std::move(answer)});
  }
  if (!difference.need.empty()) mail_.push_back({from, Need{std::move(difference.need)}});
  send_all_about(from, {std::move(difference.send), std::move(difference.newer), std::move(difference.extras)});
}

}  // namespace wigwag
