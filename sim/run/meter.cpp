#include "sim/run/meter.hpp"

#include <algorithm>

#include "sim/run/cast.hpp"

// Who is what, and what is held against whom.
namespace wigwag::sim {
namespace {

constexpr Duration settled = seconds(5);     // so long well, and on one side, before a verdict is false
constexpr std::int64_t samples_max = 600;

}  // namespace

Figure figure_of(std::vector<double> observed) {
  if (observed.empty()) return {};
  std::sort(observed.begin(), observed.end());
  const auto rank = [&](std::size_t percent) { return observed[std::max<std::size_t>(1, (observed.size() * percent + 99) / 100) - 1]; };
  return {observed.size(), rank(50), rank(90), rank(99), observed.back()};
}

Meter::Meter(World& world, std::uint64_t seed, std::size_t planned, Duration duration, bool certify_themselves, bool moments)
    : world_(world),
      began_(world.instant()),
      planned_(planned),
      certify_themselves_(certify_themselves),
      keep_moments_(moments),
      rng_(rng_for(seed, "meter")),
      every_(seconds(std::max<std::int64_t>(1, (std::chrono::duration_cast<seconds>(duration).count() + samples_max - 1) / samples_max))),
      next_sample_(began_ + every_),
      last_sample_(began_),
      next_pings_(began_ + seconds(1)) {}

Meter::Person& Meter::person(std::size_t machine) {
  if (machine >= people_.size()) people_.resize(machine + 1);
  return people_[machine];
}

void Meter::note(std::size_t machine, Moment::What what, std::size_t by) {
  if (!keep_moments_) return;
  if (moments_.size() < moments_max) moments_.push_back({at(), machine, what, by});
  else moments_cut_ = true;
}

bool Meter::well(const Person& person) const {
  const Condition& condition = person.condition;
  return person.running && person.joined && !condition.paused && !condition.cut && !condition.deaf && !condition.leaving;
}

// Now, or a moment ago.
bool Meter::apart(const Person& a, const Person& b) const {
  const auto before = [&](const Person& one) { return one.side_changed + settled > now() ? one.side_before : one.condition.side; };
  return a.condition.side != b.condition.side || before(a) != before(b);
}

void Meter::wellness(std::size_t machine, bool was) {
  const bool is = well(people_[machine]);
  if (is && !was) people_[machine].well_since = now();
  if (!is && was) leave_watches(machine);
}

void Meter::started(std::size_t machine) {
  Person& one = person(machine);
  one.running = true;
  one.joined = false;
  one.started = now();
  one.revision = UINT64_MAX;
  one.version = {};
  note(machine, Moment::What::started);
  // From its disk it may be a member at once.
  if (world_.running(machine) && world_.node(machine).joined() && (one.ever_joined || !certify_themselves_)) admit(machine);
}

void Meter::stopped(std::size_t machine) {
  Person& one = person(machine);
  if (!one.running) return;
  const bool was = well(one);
  if (one.joined && !one.condition.leaving) crashed(machine);
  if (one.joined) live_set_changed();
  stop_counting(one);
  one.ran += now() - one.started;
  one.running = one.joined = one.first_life = false;
  wellness(machine, was);
  for (std::size_t subject = 0; subject < people_.size(); ++subject) doubt(machine, subject, Doubt::none);
  note(machine, one.condition.leaving ? Moment::What::left : Moment::What::stopped);
}

void Meter::admit(std::size_t machine) {
  Person& one = people_[machine];
  if (one.joined) return;
  const bool was = well(one);
  one.joined = true;
  one.joined_at = now();
  note(machine, Moment::What::joined);
  if (now() > one.started) join_.push_back(to_seconds(now() - one.started));
  if (!one.ever_joined && machine < planned_) ++planned_joined_;
  one.ever_joined = true;
  wellness(machine, was);
  live_set_changed();
  back(machine);
  if (all_joined_) {
    begin_counting(one);
  } else if (planned_joined_ == planned_) {
    all_joined_ = at();
    first_bytes_at_joined_ = first_bytes_;
    for (auto& everybody : people_) begin_counting(everybody);
  }
}

void Meter::begin_counting(Person& person) {
  if (person.running && person.joined && person.counted_from == never) person.counted_from = now();
}

void Meter::stop_counting(Person& person) {
  if (person.counted_from == never) return;
  person.counted += now() - person.counted_from;
  person.counted_from = never;
}

void Meter::stepped(std::size_t machine, const Input&) {
  if (machine >= people_.size() || !world_.running(machine)) return;
  Person& one = people_[machine];
  const Node& node = world_.node(machine);
  if (!one.joined) {
    if (!node.joined() || (certify_themselves_ && !one.ever_joined && machine != 0)) return;
    admit(machine);
  }
  const auto revision = node.revision();
  if (revision == one.revision) return;
  one.revision = revision;
  watch_own_record(machine);
  if (!updates_.empty()) received(machine);
}

void Meter::raised(std::size_t machine, const Event& event) {
  if (event.kind == EventKind::network_joined) {
    admit(machine);
    return;
  }
  const bool down = event.kind == EventKind::member_down;
  const bool cleared = event.kind == EventKind::member_alive || event.kind == EventKind::member_left || event.kind == EventKind::member_joined;
  if (!down && !cleared && event.kind != EventKind::member_suspect) return;
  const auto subject = world_.machine_of(event.subject);
  if (!subject || *subject >= people_.size()) return;
  if (down && is_false(machine, *subject)) ++false_downs_;
  doubt(machine, *subject, down ? Doubt::down : cleared ? Doubt::none : Doubt::suspect);
  if (!down) return;
  if (const auto crash = crashes_.find(*subject); crash != crashes_.end() && crash->second.waiting.drop(machine)) settle(crash->second);
}

void Meter::sent(std::size_t machine, std::size_t bytes, bool) {
  bytes_ += bytes;
  if (machine >= people_.size()) return;
  if (people_[machine].counted_from != never) people_[machine].bytes += bytes;
  if (machine == 0) first_bytes_ += bytes;
}

void Meter::shook_hands(std::size_t machine) {
  ++handshakes_;
  if (machine < people_.size() && people_[machine].counted_from != never) ++people_[machine].handshakes;
}

void Meter::condition_changed(std::size_t machine, const Condition& condition) {
  Person& one = person(machine);
  const Condition before = one.condition;
  if (condition == before) return;
  const bool was = well(one);
  const bool cut = condition.cut && !before.cut;
  if (cut && one.running && one.joined) crashed(machine);
  one.condition = condition;
  if (condition.side != before.side) {
    one.side_before = before.side;
    one.side_changed = now();
    if ((condition.side & ~before.side) != 0) healed_.reset();
    leave_watches(machine);
  }
  if (condition.paused != before.paused) {
    if (condition.paused) one.paused_at = now(), ++paused_;
    else --paused_;
    note(machine, condition.paused ? Moment::What::paused : Moment::What::resumed);
  }
  if (condition.cut != before.cut) note(machine, condition.cut ? Moment::What::cut : Moment::What::mended);
  if (condition.hostile && !before.hostile) note(machine, Moment::What::hostile);
  wellness(machine, was);
  live_set_changed();
  if (before.cut && !condition.cut && one.joined) back(machine);
}

void Meter::doubt(std::size_t observer, std::size_t subject, Doubt doubt) {
  Person& one = people_[subject];
  bool changed = false;
  if (doubt == Doubt::suspect ? one.suspects.add(observer) : one.suspects.drop(observer)) {
    changed = true;
    doubt == Doubt::suspect ? ++suspects_ : --suspects_;
  }
  if (doubt == Doubt::down ? one.downs.add(observer) : one.downs.drop(observer)) {
    changed = true;
    doubt == Doubt::down ? ++downs_ : --downs_;
  }
  if (!changed || !one.told) return;
  one.told = false;
  untold_.push_back(subject);
}

// One moment a tick for each who is doubted by others than before, not one for each who doubts.
void Meter::tell_doubts() {
  std::sort(untold_.begin(), untold_.end());
  for (const auto subject : untold_) {
    Person& one = people_[subject];
    one.told = true;
    if (one.downs.count() > 0) note(subject, Moment::What::down, one.downs.count());
    else if (one.suspects.count() > 0) note(subject, Moment::What::suspected, one.suspects.count());
    else note(subject, Moment::What::cleared);
  }
  untold_.clear();
}

bool Meter::is_false(std::size_t observer, std::size_t subject) const {
  const Person& a = people_[observer];
  const Person& b = people_[subject];
  const auto judges = [&](const Person& one) { return well(one) && !one.condition.hostile && one.well_since + settled <= now(); };
  return judges(a) && judges(b) && !apart(a, b) && world_.has_physical_path(observer, subject);
}

}  // namespace wigwag::sim
