#include "gossip/membership/verdict.hpp"

#include <algorithm>
#include <set>

namespace wigwag {

// Whoever is left out of the network has no word in it.
bool Verdicts::counts(const Member& subject, const NodeId& accuser, const Roster& roster, Instant now) const {
  const Member* other = roster.find(accuser);
  return other != nullptr && !other->excluded && !is_ignored(subject.id(), accuser, now);
}

std::size_t Verdicts::legal_votes(const Member& member, const Roster& roster, Instant now) const {
  return static_cast<std::size_t>(std::count_if(member.accusations.begin(), member.accusations.end(), [&](const auto& held) {
    return held.legal && counts(member, held.statement.body.accuser, roster, now);
  }));
}

// The second way's count. Fewer liars than H suffice for nothing here either: one that is ignored takes half a
// vote off what is needed, where it would have had a whole one.
bool Verdicts::suffices(const Member& member, const Roster& roster, Instant now) const {
  std::vector<NodeId> voters;
  for (const auto& held : member.accusations) {
    if (counts(member, held.statement.body.accuser, roster, now)) voters.push_back(held.statement.body.accuser);
  }
  if (voters.empty()) return false;
  for (const auto& observer : roster.rings().observers_of(member.place->seat)) {
    if (std::find(voters.begin(), voters.end(), observer) != voters.end()) continue;
    const Member* other = roster.find(observer);
    const bool silent = other != nullptr && other->accused_since && *other->accused_since + lonely_grace <= now;
    if (silent) voters.push_back(observer);
  }
  return voters.size() >= quorum(roster.live_count(), abstaining(member, voters, roster, now));
}

// Who watches the member and, for all that we know of it, cannot be believed about it.
std::size_t Verdicts::abstaining(const Member& member, const std::vector<NodeId>& voters, const Roster& roster, Instant now) const {
  std::set<NodeId> ignored;
  for (auto pair = refuted_.lower_bound({member.id(), NodeId{}}); pair != refuted_.end() && pair->first.first == member.id(); ++pair) {
    if (is_ignored(member.id(), pair->first.second, now)) ignored.insert(pair->first.second);
  }
  for (const auto& [accuser, repute] : reputes_) {
    if (now < repute.ignored_until) ignored.insert(accuser);
  }
  const auto watches = [&](const NodeId& id) {
    const Member* other = roster.find(id);
    if (other == nullptr || !other->live() || std::find(voters.begin(), voters.end(), id) != voters.end()) return false;
    const auto subjects = roster.rings().subjects_of(other->place->seat);
    return std::find(subjects.begin(), subjects.end(), member.id()) != subjects.end();
  };
  return static_cast<std::size_t>(std::count_if(ignored.begin(), ignored.end(), watches));
}

bool Verdicts::judge(Member& member, const Roster& roster, Instant now) {
  // Who is ignored now has a vote again later, and may say nothing more by then.
  for (const auto& held : member.accusations) {
    if (const auto until = ignored_until(member.id(), held.statement.body.accuser, now)) next_ = std::min(next_, *until);
  }
  const auto needed = quorum(roster.live_count());
  if (legal_votes(member, roster, now) >= needed) {
    if (!member.quorum_since) member.quorum_since = now;
    if (*member.quorum_since + refutation_grace <= now) return true;
    next_ = std::min(next_, *member.quorum_since + refutation_grace);
  } else {
    member.quorum_since.reset();
  }
  if (*member.accused_since + lonely_grace > now) {
    next_ = std::min(next_, *member.accused_since + lonely_grace);
    return false;
  }
  return suffices(member, roster, now);
}

std::vector<NodeId> Verdicts::evaluate(Instant now, Roster& roster) {
  next_ = never;
  std::vector<NodeId> fallen;
  // All are judged by the same seats: the order of the roster must not matter.
  for (const auto& id : roster.accused()) {
    Member& member = *roster.find(id);
    if (member.live() && judge(member, roster, now)) fallen.push_back(id);
  }
  for (const auto& id : fallen) {
    Member& member = *roster.find(id);
    member.health = Health::dead;
    member.down_since = now;
    roster.health_changed(member);
  }
  if (!fallen.empty()) next_ = now;  // fewer live members need fewer votes
  return fallen;
}

void Verdicts::restart_graces(Instant now, Roster& roster) {
  for (const auto& id : roster.accused()) {
    Member& member = *roster.find(id);
    if (!member.live()) continue;
    member.accused_since = now;
    if (member.quorum_since) member.quorum_since = now;
    next_ = std::min(next_, now + refutation_grace);
  }
}

void Verdicts::note_refuted(const NodeId& subject, const std::vector<NodeId>& accusers, Instant now) {
  for (const auto& accuser : accusers) {
    if (refuted_.size() >= pairs_max && !refuted_.contains({subject, accuser})) make_room(now);
    auto& entry = refuted_[{subject, accuser}];
    if (entry.count == 0 || entry.first + memory <= now) entry = {now, now, 0};
    ++entry.count;
    entry.last = now;
    note_refuter(subject, accuser, now);
  }
}

// Who errs is wrong about those it watches, or about those behind a bad link; a liar, about anybody.
void Verdicts::note_refuter(const NodeId& subject, const NodeId& accuser, Instant now) {
  if (reputes_.size() >= accusers_max && !reputes_.contains(accuser)) make_room_for_accuser(now);
  auto& [refuters, ignored_until] = reputes_[accuser];
  std::erase_if(refuters, [&](const auto& refuter) { return refuter.first == subject || refuter.second + repute_memory <= now; });
  refuters.emplace_back(subject, now);
  if (refuters.size() < refuters_max) return;
  ignored_until = now + memory;
  refuters.clear();
}

void Verdicts::make_room_for_accuser(Instant now) {
  const auto kept_for = [&](const Repute& repute) {
    const auto last = repute.refuters.empty() ? Instant{} : repute.refuters.back().second;
    return std::pair(std::max(repute.ignored_until, now), last);
  };
  reputes_.erase(std::min_element(reputes_.begin(), reputes_.end(), [&](const auto& a, const auto& b) { return kept_for(a.second) < kept_for(b.second); }));
}

bool Verdicts::is_notorious(const NodeId& accuser, Instant now) const {
  const auto found = reputes_.find(accuser);
  return found != reputes_.end() && now < found->second.ignored_until;
}

void Verdicts::make_room(Instant now) {
  std::erase_if(refuted_, [&](const auto& entry) { return entry.second.count < refutations_max || entry.second.first + memory <= now; });
  if (refuted_.size() < pairs_max - pairs_max / 8) return;
  std::vector<Instant> since;
  for (const auto& [pair, entry] : refuted_) since.push_back(entry.first);
  const auto middle = since.begin() + static_cast<std::ptrdiff_t>(since.size() / 2);
  std::nth_element(since.begin(), middle, since.end());
  std::erase_if(refuted_, [&](const auto& entry) { return entry.second.first <= *middle; });
}

std::optional<Instant> Verdicts::ignored_until(const NodeId& subject, const NodeId& accuser, Instant now) const {
  if (is_notorious(accuser, now)) return reputes_.at(accuser).ignored_until;
  if (found_silent(subject)) return std::nullopt;
  const auto found = refuted_.find({subject, accuser});
  if (found == refuted_.end() || found->second.count < refutations_max) return std::nullopt;
  const Instant until = std::min(found->second.first + memory, found->second.last + ignored_for);
  return now < until ? std::optional(until) : std::nullopt;
}

bool Verdicts::is_ignored(const NodeId& subject, const NodeId& accuser, Instant now) const { return ignored_until(subject, accuser, now).has_value(); }

void Verdicts::missed(const NodeId& subject) {
  if (++missed_[subject] == misses_max) next_ = Instant{};  // those who were ignored may suffice now
}

bool Verdicts::found_silent(const NodeId& subject) const {
  const auto found = missed_.find(subject);
  return found != missed_.end() && found->second >= misses_max;
}

void Verdicts::keep_counting(const std::function<bool(const NodeId&)>& watched) {
  std::erase_if(missed_, [&](const auto& entry) { return !watched(entry.first); });
}

int Verdicts::refutations(const NodeId& subject, const NodeId& accuser, Instant now) const {
  const auto found = refuted_.find({subject, accuser});
  return found != refuted_.end() && now < found->second.first + memory ? found->second.count : 0;
}

}  // namespace wigwag
