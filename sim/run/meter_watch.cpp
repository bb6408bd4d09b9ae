#include <algorithm>

#include "sim/run/meter.hpp"

// How long things take: until a crash is seen, a record has arrived, all views are right.
namespace wigwag::sim {
namespace {

constexpr Duration away_long_enough = seconds(20);   // that a verdict is due
constexpr Duration member_long_enough = seconds(10); // that a new record is not part of joining
constexpr std::size_t updates_watched = 4;
constexpr Duration update_given_up = minutes(1);
constexpr Duration long_pause = seconds(10);
constexpr Duration view_given_up = seconds(30);

bool most(std::size_t left, std::size_t of) { return left * 100 <= of; }  // 99 % have it

}  // namespace

// Called before the subject counts as gone.
void Meter::crashed(std::size_t subject) {
  if (crashes_.contains(subject)) return;
  Crash crash;
  crash.subject = subject;
  crash.at = now();
  for (std::size_t observer = 0; observer < people_.size(); ++observer) {
    if (observer == subject || !well(people_[observer]) || apart(people_[observer], people_[subject])) continue;
    const auto held = world_.node(observer).health_of(world_.id(subject));
    if (held == Health::alive || held == Health::suspect) crash.waiting.add(observer);
  }
  crash.of = crash.waiting.count();
  if (crash.of > 0) crashes_.emplace(subject, std::move(crash));
}

// Takes down what has been reached, and forgets what is complete.
void Meter::settle(Crash& crash) {
  const double took = to_seconds(now() - crash.at);
  const auto left = crash.waiting.count();
  if (crash.of > 0) {
    if (!crash.half && left * 2 <= crash.of) crash.half = true, detection_half_.push_back(took);
    if (!crash.most && most(left, crash.of)) crash.most = true, detection_.push_back(took);
    if (left == 0) detection_all_.push_back(took);
  }
  const auto subject = crash.subject;
  if (left == 0) crashes_.erase(subject);
}

void Meter::back(std::size_t subject) {
  const auto found = crashes_.find(subject);
  if (found == crashes_.end() || people_[subject].condition.cut) return;
  give_up(found->second);
  crashes_.erase(found);
}

// Whoever was away for so long and is not Down everywhere: the verdict took at least that long.
void Meter::give_up(const Crash& crash) {
  if (crash.of == 0 || now() - crash.at < away_long_enough) return;
  const double at_least = to_seconds(now() - crash.at);
  if (!crash.half) detection_half_.push_back(at_least);
  if (!crash.most) detection_.push_back(at_least);
  detection_all_.push_back(at_least);
}

// It is not well any more, or on another side: nothing is asked of it, and its own news is not waited for.
void Meter::leave_watches(std::size_t machine) {
  for (auto next = crashes_.begin(); next != crashes_.end();) {
    Crash& crash = (next++)->second;     // settling may erase it
    const bool stays = crash.waiting.has(machine) && well(people_[machine]) && !apart(people_[machine], people_[crash.subject]);
    if (stays || !crash.waiting.drop(machine)) continue;
    --crash.of;
    settle(crash);
  }
  std::erase_if(updates_, [&](Update& update) {
    if (update.publisher == machine) return true;
    if (!update.waiting.drop(machine)) return false;
    --update.of;
    return update.waiting.count() == 0;
  });
}

void Meter::watch_own_record(std::size_t machine) {
  Person& one = people_[machine];
  const Version version = world_.node(machine).version_of(world_.id(machine));
  if (version == one.version) return;
  const bool first = one.version == Version{};
  one.version = version;
  const bool watched = std::any_of(updates_.begin(), updates_.end(), [&](const Update& update) { return update.publisher == machine; });
  if (first || watched || updates_.size() >= updates_watched || !well(one) || now() < one.joined_at + member_long_enough) return;
  Update update{machine, version, now(), {}, 0};
  for (std::size_t other = 0; other < people_.size(); ++other) {
    if (other == machine || !well(people_[other]) || apart(people_[other], one)) continue;
    const Version held = world_.node(other).version_of(world_.id(machine));
    if (held != Version{} && held < version) update.waiting.add(other);
  }
  update.of = update.waiting.count();
  if (update.of > 0) updates_.push_back(std::move(update));
}

void Meter::received(std::size_t machine) {
  std::erase_if(updates_, [&](Update& update) {
    if (!update.waiting.has(machine) || world_.node(machine).version_of(world_.id(update.publisher)) < update.version) return false;
    update.waiting.drop(machine);
    if (!most(update.waiting.count(), update.of)) return false;
    update_.push_back(to_seconds(now() - update.at));
    return true;
  });
}

void Meter::healed() {
  healed_ = now();
  live_set_changed();
}

void Meter::live_set_changed() {
  truth_stale_ = true;
  changed_ = now();
  seen_wrong_ = false;
}

bool Meter::counts_as_live(const Person& person) const {
  const Condition& condition = person.condition;
  const bool away = condition.paused && now() >= person.paused_at + long_pause;
  return person.running && person.joined && !condition.cut && !condition.deaf && !condition.leaving && !away;
}

void Meter::renew_truth() {
  truth_.clear();
  for (std::size_t machine = 0; machine < people_.size(); ++machine) {
    if (!counts_as_live(people_[machine])) continue;
    auto& live = truth_[people_[machine].condition.side];
    ++live.count;
    live.marks += live_mark(world_.id(machine));
  }
  truth_stale_ = false;
}

void Meter::tick() {
  tell_doubts();
  if (now() >= next_pings_) {
    read_pings();
    ping_some();
    next_pings_ += seconds(1);
  }
  std::erase_if(updates_, [&](const Update& update) {
    if (now() < update.at + update_given_up) return false;
    update_.push_back(to_seconds(update_given_up));
    return true;
  });
  const auto turned = [&](const Person& one) { return one.condition.paused && one.paused_at + long_pause <= now() && one.paused_at + long_pause > ticked_; };
  if (paused_ > 0 && std::any_of(people_.begin(), people_.end(), turned)) live_set_changed();
  ticked_ = now();
  watch_views();
}

// The next tick after the last change may find all well already, when somebody went and came back
// before anybody noticed: that is no convergence to measure.
void Meter::watch_views() {
  if (!changed_ && !healed_) return;
  if (truth_stale_) renew_truth();
  if (!all_views_right()) {
    seen_wrong_ = true;
    return;
  }
  if (changed_ && seen_wrong_) convergence_.push_back(to_seconds(now() - *changed_));
  changed_.reset();
  if (!all_agreed_ && all_joined_) all_agreed_ = at();
  if (!healed_ || !all_digests_equal()) return;
  healing_.push_back(to_seconds(now() - *healed_));
  healed_.reset();
}

// Begins with who was wrong the last time, so that while something is wrong one look is mostly enough.
bool Meter::all_views_right() {
  for (std::size_t step = 0; step < people_.size(); ++step) {
    const std::size_t machine = (views_at_ + step) % people_.size();
    const Person& one = people_[machine];
    if (!well(one) || one.condition.hostile || world_.node(machine).live_set() == truth_[one.condition.side]) continue;
    views_at_ = machine;
    return false;
  }
  return true;
}

bool Meter::all_digests_equal() {
  std::map<std::uint64_t, Hash32> common;
  for (std::size_t machine = 0; machine < people_.size(); ++machine) {
    const Person& one = people_[machine];
    if (!well(one) || one.condition.hostile) continue;
    const auto digest = world_.node(machine).view().digest;
    if (common.try_emplace(one.condition.side, digest).first->second != digest) return false;
  }
  return true;
}

// What was under way when the run ended took at least so long.
void Meter::give_up_all() {
  for (const auto& [subject, crash] : crashes_) give_up(crash);
  if (healed_) healing_.push_back(to_seconds(now() - *healed_));
  if (changed_ && seen_wrong_ && now() - *changed_ >= view_given_up) convergence_.push_back(to_seconds(now() - *changed_));
}

}  // namespace wigwag::sim
