#include "gossip/membership/probe.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace wigwag {
namespace {

constexpr Duration patience_unknown = milliseconds(500);
constexpr Duration patience_cold = milliseconds(1500);  // a handshake comes first
constexpr Duration patience_least = milliseconds(150);
constexpr Duration patience_most = seconds(3);
constexpr Duration busy = milliseconds(50);           // a deadline noticed this late: we were
constexpr Duration asked_recently = seconds(2);

}  // namespace

void RoundTrip::sample(Duration measured) {
  if (samples < first_few) {
    smoothed = samples == 0 ? measured : std::min(smoothed, measured);
    variation = smoothed / 2;
    ++samples;
    return;
  }
  const auto error = measured > smoothed ? measured - smoothed : smoothed - measured;
  variation += (error - variation) / 4;
  smoothed += (measured - smoothed) / 8;
}

Prober::Prober(const NodeId& self, std::uint64_t seed) : self_(self), rng_(seed), sequence_(static_cast<std::uint32_t>(rng_.below((1U << 16) / sequence_step)) * sequence_step) {}

void Prober::watch(const std::vector<NodeId>& subjects, Instant now) {
  std::map<NodeId, Subject> fresh;
  for (const auto& id : subjects) {
    const auto held = subjects_.find(id);
    fresh.emplace(id, held != subjects_.end() ? held->second : Subject{.since = now});
  }
  for (auto& [id, subject] : fresh) {
    if (!subjects_.contains(id)) subject.due = now + rng_.below(interval);  // its answer tells our slot
  }
  subjects_ = std::move(fresh);
}

Duration Prober::patience(const NodeId& id, const LocalHealth& health) const {
  const auto subject = subjects_.find(id);
  const auto known = round_trips_.find(id);
  Duration base = patience_unknown;
  if (known != round_trips_.end()) {
    base = std::clamp(known->second.smoothed + 4 * known->second.variation, patience_least, patience_most);
  } else if (subject != subjects_.end() && !subject->second.answered) {
    base = patience_cold;
  }
  return base * health.multiplier();
}

Prober::Probe* Prober::outstanding(const NodeId& subject) {
  const auto found = std::find_if(probes_.begin(), probes_.end(),
                                  [&](const Probe& p) { return p.subject == subject && p.why != Why::greeting && !p.given_up; });
  return found == probes_.end() ? nullptr : &*found;
}

void Prober::send_try(Probe& probe, Instant now, Duration patience, Outbox& out) {
  out.push_back({probe.subject, Ping{probe.first_sequence + static_cast<std::uint32_t>(probe.tries)}});
  ++probe.tries;
  probe.sent[static_cast<std::size_t>(probe.tries - 1)] = now;
  probe.deadline = now + patience;
  probe.prolonged = false;
  ++sent_;
}

Prober::Probe* Prober::begin(const NodeId& subject, Why why, Instant now, Duration patience, Outbox& out) {
  const auto open = static_cast<std::size_t>(std::count_if(probes_.begin(), probes_.end(), [](const Probe& p) { return !p.given_up; }));
  if (open >= (why == Why::request ? outstanding_max / 2 : outstanding_max)) return nullptr;
  if (probes_.size() >= 2 * outstanding_max) {
    probes_.erase(std::find_if(probes_.begin(), probes_.end(), [](const Probe& p) { return p.given_up; }));
  }
  Probe probe{.subject = subject, .why = why, .first_sequence = sequence_};
  sequence_ = (sequence_ + sequence_step) & 0xffff;
  probes_.push_back(std::move(probe));
  send_try(probes_.back(), now, patience, out);
  return &probes_.back();
}

std::optional<NodeId> Prober::random_member(const Roster& roster) {
  const auto& live = roster.live();
  if (live.size() <= subjects_.size() + 1) return std::nullopt;
  const NodeId& id = rng_.pick(live)->id();
  if (id == self_ || subjects_.contains(id)) return std::nullopt;
  return id;
}

void Prober::begin_due(Instant now, const Roster& roster, const LocalHealth& health, Outbox& out) {
  for (auto& [id, subject] : subjects_) {
    if (now < subject.due) continue;
    if (outstanding(id) == nullptr) begin(id, Why::schedule, now, patience(id, health), out);
    // A little jitter keeps what is accidental from lasting.
    subject.due = now + cycle() * 39 / 40 + rng_.below(cycle() / 20);
  }
  if (now >= next_random_) {
    if (next_random_ != Instant{}) {
      if (const auto id = random_member(roster)) greet(*id, now, out);
    }
    next_random_ = now + random_interval * 9 / 10 + rng_.below(random_interval / 5);
  }
}

void Prober::ask_others(Probe& probe, Instant now, const Roster& roster, Outbox& out) {
  const auto subject = subjects_.find(probe.subject);
  const Member* member = roster.find(probe.subject);
  if (subject == subjects_.end() || member == nullptr || now < subject->second.others_asked + asked_recently) return;
  subject->second.others_asked = now;
  probe.others_asked = true;
  for (const auto& observer : roster.rings().observers_of(member->place->seat)) {
    if (observer == self_) continue;
    probe.asked.push_back(observer);
    out.push_back({observer, PingRequest{probe.first_sequence, probe.subject}});
  }
}

// Where we come late to a deadline, the answer may lie unread in a socket: it gets as long again.
bool Prober::pardoned(Probe& probe, Instant now) const {
  const Duration late = now - probe.deadline;
  if (late < busy || probe.prolonged) return false;
  probe.prolonged = true;
  probe.deadline = now + late;
  return true;
}

void Prober::measure(const Probe& probe, std::uint32_t sequence, Instant now) {
  const auto sent = probe.sent[sequence - probe.first_sequence];
  round_trips_[probe.subject].sample(std::max(now - sent, Duration(1)));
}

// What there was to say of it has been said; no other's word counts any more.
void Prober::give_up(Probe& probe, Instant now) const {
  probe.given_up = true;
  probe.asked.clear();
  probe.deadline = now + late_answers;
}

std::vector<ProbeResult> Prober::tick(Instant now, const Roster& roster, LocalHealth& health, Outbox& out) {
  std::vector<ProbeResult> results;
  for (auto& probe : probes_) {
    if (now < probe.deadline || probe.why == Why::greeting || probe.given_up || pardoned(probe, now)) continue;
    if (probe.tries < tries_most) {
      const bool last = probe.tries + 1 == tries_most;
      if (last) ask_others(probe, now, roster, out);
      send_try(probe, now, (last ? 2 : 1) * patience(probe.subject, health), out);
      continue;
    }
    const auto subject = subjects_.find(probe.subject);
    // Who never answered us, may never have been within our reach: then only what others said too is evidence.
    const bool reached = subject != subjects_.end() && subject->second.answered;
    const bool others_silent = subject != subjects_.end() && probe.others_asked && now - subject->second.since >= warm_up;
    const bool warm = reached || others_silent;
    ++missed_;
    if (probe.why == Why::schedule) health.missed();
    results.push_back({probe.subject, false, false, warm});
    give_up(probe, now);
  }
  std::erase_if(probes_, [&](const Probe& p) { return now >= p.deadline; });
  begin_due(now, roster, health, out);
  return results;
}

Instant Prober::next_wakeup() const {
  Instant next = next_random_;
  for (const auto& [id, subject] : subjects_) next = std::min(next, subject.due);
  for (const auto& probe : probes_) next = std::min(next, probe.deadline);
  return next;
}

void Prober::greet(const NodeId& id, Instant now, Outbox& out) {
  const bool already = std::any_of(probes_.begin(), probes_.end(), [&](const Probe& p) { return p.subject == id && now < p.sent[0] + seconds(1); });
  if (!already) begin(id, Why::greeting, now, greeting_patience, out);
}

std::uint16_t Prober::on_ping(const NodeId& observer, Instant now) {
  const Duration period = cycle();
  std::erase_if(arrivals_, [&](const auto& entry) { return now - entry.second > 2 * period; });
  if (arrivals_.size() >= observers_max) arrivals_.erase(arrivals_.begin());
  arrivals_[observer] = now;
  std::set<NodeId> observers(expected_.begin(), expected_.end());
  for (const auto& [id, at] : arrivals_) observers.insert(id);
  const auto slot = std::distance(observers.begin(), observers.find(observer));
  const Duration begins = period * slot / static_cast<std::ptrdiff_t>(observers.size());
  Duration wait = (begins + period - now.time_since_epoch() % period) % period;
  if (wait < period / 2) wait += period;
  return static_cast<std::uint16_t>(std::chrono::duration_cast<milliseconds>(wait).count());
}

std::optional<ProbeResult> Prober::on_ack(const NodeId& from, const Ack& ack, Instant now, LocalHealth& health, Outbox& out) {
  const auto sequence = ack.sequence;
  const auto found = std::find_if(probes_.begin(), probes_.end(), [&](const Probe& p) {
    return p.subject == from && sequence - p.first_sequence < static_cast<std::uint32_t>(p.tries);
  });
  if (found == probes_.end()) return std::nullopt;
  measure(*found, sequence, now);
  for (const auto& [asker, theirs] : found->askers) out.push_back({asker, IndirectAck{theirs}});
  const auto subject = subjects_.find(from);
  // However late: our own path to it works.
  if (subject != subjects_.end()) subject->second.indirect_in_a_row = 0;
  if (found->given_up) {
    probes_.erase(found);
    return std::nullopt;
  }
  health.answered();
  if (subject != subjects_.end()) {
    subject->second.answered = true;
    // Bounded, so that no subject can keep its observers away, or busy.
    if (found->why == Why::schedule && ack.again_ms != 0) {
      subject->second.due = found->sent[0] + std::clamp<Duration>(milliseconds(ack.again_ms), cycle() / 2, cycle() * 3 / 2);
    }
  }
  probes_.erase(found);
  return ProbeResult{from, true, false, subject != subjects_.end()};
}

std::optional<ProbeResult> Prober::on_indirect_ack(const NodeId& from, std::uint32_t sequence, Instant now, LocalHealth& health) {
  const auto found = std::find_if(probes_.begin(), probes_.end(), [&](const Probe& p) {
    return !p.given_up && p.first_sequence == sequence && std::find(p.asked.begin(), p.asked.end(), from) != p.asked.end();
  });
  if (found == probes_.end()) return std::nullopt;
  // The subject lives and our own path to it may not: that counts against us, not it. But
  // nothing proves the other's word: if it is all that there ever is, the subject shall say so itself.
  health.missed();
  const auto subject = subjects_.find(found->subject);
  const bool enough = subject != subjects_.end() && ++subject->second.indirect_in_a_row > indirect_max;
  give_up(*found, now);  // the subject's own answer may still be on its way
  return ProbeResult{found->subject, !enough, true, subject != subjects_.end()};
}

void Prober::on_request(const NodeId& from, const PingRequest& request, Instant now, const LocalHealth& health, Outbox& out) {
  Probe* probe = outstanding(request.subject);
  if (probe == nullptr) probe = begin(request.subject, Why::request, now, patience(request.subject, health), out);
  if (probe == nullptr || probe->askers.size() >= askers_max) return;
  probe->askers.emplace_back(from, request.sequence);
}

void Prober::discard() { probes_.clear(); }

void Prober::forget(const NodeId& id) {
  round_trips_.erase(id);
  std::erase_if(probes_, [&](const Probe& p) { return p.subject == id; });
}

std::optional<Duration> Prober::round_trip(const NodeId& id) const {
  const auto found = round_trips_.find(id);
  return found == round_trips_.end() ? std::nullopt : std::optional(found->second.smoothed);
}

}  // namespace wigwag
