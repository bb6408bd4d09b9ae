#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr Duration compare_idle = seconds(10);
constexpr Duration compare_unsynced = seconds(2);
constexpr Duration compare_progress = milliseconds(300);
constexpr std::uint64_t progress_steps = 6;          // so many changes since the last round: there is more to come
constexpr Duration hearing_after = seconds(3);        // several times what a refutation that was asked for takes
constexpr Duration hearing_pause = seconds(3);
constexpr Duration hearings_apart = milliseconds(500);
constexpr std::size_t hearings_most = 4;             // so many at once: the others' turn comes next
constexpr Duration witness_after = seconds(3);        // of a fall: a refutation on its way has come by then
constexpr Duration witness_within = seconds(4);
constexpr Duration witness_patience = seconds(3);     // its answer, a handshake before it and all
constexpr Duration witness_pause = seconds(5);        // fewer a minute than make one notorious
constexpr Duration rejoin_pause = seconds(1);
constexpr Duration rejoin_hello_pause = seconds(5);
constexpr Duration silence = seconds(30);            // of all others: several times what a verdict takes
constexpr Duration sweep_pause = minutes(1);
constexpr Duration candidate_for = hours(72);        // of running time
constexpr std::int64_t expired_kept_s = 24 * 3600;
constexpr Duration forgotten_for = hours(6);         // beyond what trusted clocks may differ: until then others have forgotten too

bool accused_by(const Member& member, const NodeId& accuser) {
  return std::any_of(member.accusations.begin(), member.accusations.end(),
                     [&](const HeldAccusation& held) { return held.statement.body.accuser == accuser; });
}

}  // namespace

// Recomputes who watches whom and along which edges statements flow, when the live set changed.
void Node::Impl::rewire() {
  if (wired_ == roster_.seating()) return;
  wired_ = roster_.seating();
  const Member* own = self();
  if (own == nullptr) return;
  const auto subjects = roster_.rings().subjects_of(own->place->seat);
  prober_.watch(subjects, now_.at);
  const auto eager = std::min(eager_edges, subjects.size());
  spread_edges_.eager.assign(subjects.begin(), subjects.begin() + static_cast<std::ptrdiff_t>(eager));
  spread_edges_.lazy.assign(subjects.begin() + static_cast<std::ptrdiff_t>(eager), subjects.end());
  edges_ = {subjects.begin(), subjects.end()};
  auto observers = roster_.rings().observers_of(own->place->seat);
  edges_.insert(observers.begin(), observers.end());
  prober_.watched_by(std::move(observers));
  std::erase_if(met_, [&](const NodeId& id) { return !edges_.contains(id); });
  verdicts_.keep_counting([this](const NodeId& id) { return prober_.watches(id); });
}

void Node::Impl::handle_probe(const ProbeResult& result) {
  if (result.answered) verdicts_.answered(result.subject);
  if (result.answered || !result.on_schedule || health_.frozen(now_.at)) return;
  // Where the others would not count our word it is our path or our machine that is bad; but some of them
  // may, and if it is gone for good theirs are the only verdicts that ours can still bring about.
  verdicts_.missed(result.subject);
  if (verdicts_.is_ignored(result.subject, id_, now_.at) && !verdicts_.found_silent(result.subject)) return;
  accuse(result.subject);
}

// Our own word against a subject of ours that did not answer over a warm edge.
void Node::Impl::accuse(const NodeId& subject) {
  const Member* member = roster_.find(subject);
  if (member == nullptr || !member->live() || !prober_.watches(subject) || accused_by(*member, id_)) return;
  testify(*member);
}

// Signs that the member does not answer, and spreads it.
void Node::Impl::testify(const Member& member) {
  const NodeId subject = member.id();
  const auto made = make_accusation({subject, member.record->body.version, id_}, config_.network, *identity_);
  const Item item{ItemKind::accusation, made.wire, {}, {}, {}};
  const bool first = member.accusations.empty();
  if (roster_.apply_accusation(item, now_.at).applied != Applied::updated) return;
  ++counters_.accusations_made;
  if (first) raise(EventKind::member_suspect, subject);
  spread_.add(item, Urgency::liveness, std::nullopt);
  // The subject itself may still hear us, and can then refute at once.
  push_items(subject, {item}, mail_);
  dirty_ = true;
}

void Node::Impl::judge_members() {
  const bool news = judged_revision_ != roster_.revision();
  if (health_.frozen(now_.at) || (!news && now_.at < verdicts_.next_wakeup())) return;
  judged_revision_ = roster_.revision();
  bool isolated = roster_.live_count() > 1;
  for (const auto& id : verdicts_.evaluate(now_.at, roster_)) {
    if (id == id_) continue;
    raise(EventKind::member_down, id);
    fallen_[id] = {roster_.find(id)->record->body.version, now_.at + witness_after + rng_.below(witness_within), false};
    own_endpoints_.forget_witness(id);
    self_stale_ = true;
  }
  isolated = isolated && roster_.live_count() <= 1;
  if (!isolated) return;
  raise_rarely(EventKind::isolated, id_, "no member answers");
  next_call_ = std::min(next_call_, now_.at + seconds(1));
}

// Nobody is judged here unheard. That somebody stands accused may be news to it: those who would pass an
// accusation on may ignore the accuser, as we do not. Over a way that stands it is told as soon as the votes
// suffice, else when it has not answered for a while.
void Node::Impl::hear_accused() {
  if (now_.at < heard_accused_at_ + hearings_apart || (now_.at < next_hearing_ && heard_revision_ == roster_.revision())) return;
  heard_revision_ = roster_.revision();
  next_hearing_ = never;
  std::size_t told = 0;
  for (const auto& id : roster_.accused()) {
    const Member& member = *roster_.find(id);
    if (!member.live() || id == id_) continue;
    const auto nudged = nudged_.find(id);
    const Instant last = nudged == nudged_.end() ? Instant{} : nudged->second;
    Instant due = std::max(*member.accused_since + hearing_after, last + hearing_pause);
    if (member.quorum_since && has_path(id, now_.at)) due = std::min(due, std::max(*member.quorum_since, last + nudge_pause));
    if (due <= now_.at && told < hearings_most) {
      nudge(member);
      ++told;
    }
    next_hearing_ = std::min(next_hearing_, std::max(due, now_.at + hearings_apart));
  }
  if (told > 0) heard_accused_at_ = now_.at;
}

// Whoever concluded a fall with the help of silent observers has accused nobody, and those who count other
// members as live may lack that vote for ever. So observers of the fallen add theirs up to the largest quorum there
// is: one ping unanswered on top of the verdict. Not where more have fallen than live: here it is us who are cut off.
void Node::Impl::bear_witness() {
  if (fallen_.empty() || now_.at < next_witness_ || health_.frozen(now_.at)) return;
  const auto& members = roster_.members();
  const auto down = static_cast<std::size_t>(std::count_if(members.begin(), members.end(), [](const auto& entry) { return entry.second.health == Health::dead; }));
  if (alone() || down >= roster_.live_count()) fallen_.clear();
  for (auto entry = fallen_.begin(); entry != fallen_.end();) {
    const bool settled = now_.at >= std::max(entry->second.due, next_witness_) && witnessed(entry->first, entry->second);
    entry = settled ? fallen_.erase(entry) : std::next(entry);
  }
}

// False as long as we still wait for its answer.
bool Node::Impl::witnessed(const NodeId& id, Fallen& fallen) {
  const Member* member = roster_.find(id);
  if (member == nullptr || member->health != Health::dead || member->record->body.version != fallen.version) return true;
  if (accused_by(*member, id_) || member->accusations.size() >= quorum(rings_max + 1)) return true;
  const auto observers = roster_.rings().observers_of(member->place->seat);
  if (std::find(observers.begin(), observers.end(), id_) == observers.end()) return true;
  if (fallen.asked) {
    testify(*member);
    next_witness_ = now_.at + witness_pause;
    return true;
  }
  prober_.greet(id, now_.at, mail_);
  fallen.asked = true;
  fallen.due = now_.at + witness_patience;
  return false;
}

// Where many are known, one alone cannot make out that all of them are gone: those who would
// have to accuse with it are silent too. That nobody speaks to it, it can tell.
void Node::Impl::notice_silence() {
  const bool silent = roster_.live_count() > 1 && now_.at >= heard_at_ + silence;
  if (silent && !silent_) {
    raise(EventKind::isolated, id_, "no member has been heard for " + std::to_string(to_seconds(silence)).substr(0, 4) + " s");
    next_call_ = std::min(next_call_, now_.at + seconds(1));
  }
  silent_ = silent;
}

// Who has proven itself in a hello is let back into the kernel, so that it can learn in the
// tunnel what is said against it.
void Node::Impl::wake(Member& member) {
  if (!member.dormant) return;
  member.dormant = false;
  member.down_since = now_.at;
  roster_.health_changed(member);
}

// Members that are Down are tried at random, and while we are alone anybody who has not left:
// in the tunnel, and more rarely by hello.
void Node::Impl::rejoin_tick() {
  if (now_.at < next_rejoin_) return;
  next_rejoin_ = now_.at + rejoin_pause * 3 / 4 + rng_.below(rejoin_pause / 2);
  bear_witness();
  if (!alone() && roster_.live_count() == roster_.members().size()) return;
  std::vector<const Member*> away;
  for (const auto& [id, member] : roster_.members()) {
    const bool down = member.health == Health::dead && !member.expired && !member.dormant;
    const bool candidate = down || (alone() && !member.record->body.left);
    if (candidate && !member.excluded && id != id_) away.push_back(&member);
  }
  if (away.empty()) return;
  prober_.greet(rng_.pick(away)->id(), now_.at, mail_);
  if (now_.at < next_rejoin_hello_) return;
  next_rejoin_hello_ = now_.at + rejoin_hello_pause * 3 / 4 + rng_.below(rejoin_hello_pause / 2);
  const Record& record = rng_.pick(away)->record->body;
  if (record.endpoints.empty() || record.hello_port == 0) return;
  const Endpoint target{rng_.pick(record.endpoints).address, record.hello_port};
  // A private address of theirs may be one of ours, and we would only hear ourselves.
  if (usable_endpoint(target, mesh_prefixes()) && !is_own_hello(target)) hello_client_.call(target, now_.at, entropy_, out_);
}

void Node::Impl::compare_with(const NodeId& edge, bool confirm) {
  const Member* member = roster_.find(edge);
  if (member == nullptr) return;
  Compare compare = AntiEntropy::opening(roster_);
  compare.wall = now_.wall;
  compare.confirm = confirm;
  // Without a session the kernel only has what we tried last, which tells the other nothing.
  if (has_path(edge, now_.at)) compare.you = kernel_peer(*member)->endpoint;
  mail_.push_back({edge, std::move(compare)});
}

// One edge every ten seconds; sooner while we know that we are behind.
void Node::Impl::compare_tick() {
  const auto revision = roster_.revision();
  const bool behind = !synced();
  if (behind) {
    const bool progressing = revision >= compared_revision_ + progress_steps;
    next_compare_ = std::min(next_compare_, now_.at + (progressing ? compare_progress : compare_unsynced));
  }
  if (now_.at < next_compare_) return;
  next_compare_ = now_.at + compare_idle * 9 / 10 + rng_.below(compare_idle / 5);
  compared_revision_ = revision;
  std::vector<NodeId> edges(edges_.begin(), edges_.end());
  if (!edges.empty()) compare_with(rng_.pick(edges), behind);
}

// Once a minute: what has run out, who has been away for too long, what nobody needs any more.
void Node::Impl::sweep_tick() {
  if (now_.at < next_sweep_) return;
  next_sweep_ = now_.at + sweep_pause;
  self_stale_ = true;  // our own record may be due for renewal
  // Nobody is given up on the word of a clock that no peer has confirmed.
  const auto time = peer_clock_.heard_any() ? judged_at() : std::nullopt;
  std::vector<NodeId> forgotten;
  for (auto& [id, member] : roster_.members_for_sweep()) {
    const bool away = member.health == Health::dead && now_.at >= member.down_since + candidate_for;
    if (away && !member.dormant) {
      member.dormant = true;
      roster_.health_changed(member);
      raise(EventKind::member_forgotten, id, "not seen for three days");
    }
    const auto expiry = member.record->body.expires;
    // By the clock that peers share, so that all forget it in the same minute.
    const bool over = time && expiry != no_expiry && now_.wall.seconds + peer_clock_.median_offset_s() > expiry.seconds + expired_kept_s;
    if (over && id != id_ && !roster_.sponsors_somebody(id)) forgotten.push_back(id);
  }
  for (const auto& id : forgotten) {
    roster_.forget(id, now_.at + forgotten_for);
    forget_ways(id);
  }
  roster_.drop_graves(now_.at);
  roster_.expire(time);
}

// What the roster did to members while it took others.
void Node::Impl::note_aftermath() {
  const auto aftermath = roster_.take_aftermath();
  for (const auto& id : aftermath.dropped) forget_ways(id);
  for (const auto& id : aftermath.excluded) {
    if (roster_.find(id) != nullptr) raise(EventKind::invitation_conflict, id, "its invitation had been used before: it is left out");
  }
}

void Node::Impl::forget_ways(const NodeId& id) {
  prober_.forget(id);
  peer_endpoints_.forget(id);
  own_endpoints_.forget_witness(id);
  hints_.erase(id);
  greeted_.erase(id);
  dirty_ = true;
}

}  // namespace wigwag
