#include "sim/run/stage.hpp"

#include <algorithm>

#include "sim/run/newer.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

// Converged nodes are started within a second; then their disks hold what they began with.
constexpr Duration converged_settled = seconds(2);
// Of what an old backup remembers: the network was smaller when it was made.
constexpr std::size_t old_disk_members = 100;

bool wants_old_disks(const Scenario& scenario) {
  return scenario.churn.disk == DiskFate::old ||
         std::any_of(scenario.happenings.begin(), scenario.happenings.end(), [](const Happening& one) { return one.disk == DiskFate::old; });
}

}  // namespace

Stage::Stage(World& world, const Scenario& scenario, std::uint64_t seed, Audience& audience)
    : world_(world),
      scenario_(scenario),
      seed_(seed),
      audience_(audience),
      cast_(scenario_, seed),
      churn_rng_(rng_for(seed, "churn")),
      old_disks_(wants_old_disks(scenario)),
      gang_(std::make_shared<Gang>()) {
  facts_.began = facts_.disturbed = world_.instant();
  facts_.path = [this](std::size_t a, std::size_t b) { return world_.has_physical_path(a, b); };
}

void Stage::put(Instant when, Sort sort, Action action) {
  agenda_.emplace(When{std::max(when, world_.instant()), entries_++}, Entry{sort, std::move(action)});
}

// What lasts is undone after its time; what has none stays.
void Stage::put_undo(const Happening& happening, Action action) {
  if (happening.lasting) put(world_.instant() + *happening.lasting, Sort::undo, std::move(action));
}

void Stage::play() {
  while (!agenda_.empty() && agenda_.begin()->first.first <= world_.instant()) {
    const auto due = agenda_.extract(agenda_.begin());
    due.mapped().action();
  }
}

void Stage::begin() {
  set_stage();
  open();
  const Instant began = facts_.began;
  std::map<std::string, int> names;      // how many of one kind at one time came before
  for (const auto& happening : scenario_.happenings) {
    if (happening.at >= scenario_.duration - scenario_.calm) continue;
    std::string name = std::string(word(happening.kind)) + " " + std::to_string(happening.at.count());
    name += " " + std::to_string(names[name]++);
    put(began + happening.at, Sort::play, [this, &happening, name] { perform(happening, name); });
  }
  if (scenario_.churn.rate_per_minute > 0) put(began + scenario_.joining.over, Sort::play, [this] { churn_later(); });
  put(began + std::max(Duration::zero(), scenario_.duration - scenario_.calm), Sort::upkeep, [this] { begin_calm(); });
}

void Stage::set_stage() {
  weathers_.push_back(scenario_.weather);
  world_.set_weather(scenario_.weather);
  const auto number = [&](const std::string& name) {
    const auto found = std::find_if(scenario_.regions.begin(), scenario_.regions.end(), [&](const Region& region) { return region.name == name; });
    return static_cast<std::uint32_t>(found - scenario_.regions.begin());
  };
  for (const auto& link : scenario_.region_links) world_.set_region_latency(number(link.a), number(link.b), link.latency);
  weigh_loss();
}

// The first nodes of a storm come spread over its time, the last of them at its end.
void Stage::open() {
  const std::size_t nodes = scenario_.nodes;
  if (scenario_.joining.pattern == Joining::Pattern::converged) {
    std::vector<World::Options> all;
    for (std::size_t node = 0; node < nodes; ++node) all.push_back(options_of(node));
    plights_.resize(nodes);
    facts_.machines.resize(nodes);
    for (auto& machine : facts_.machines) machine.sound_since = world_.instant();
    world_.found_converged(all);
    for (std::size_t node = 0; node < nodes; ++node) settle(node);
    if (old_disks_) put(facts_.began + converged_settled, Sort::upkeep, [this] { keep_old_disks(); });
    return;
  }
  for (std::size_t node = 0; node < nodes; ++node) {
    const auto steps = static_cast<std::int64_t>(std::max<std::size_t>(nodes, 2) - 1);
    const Duration later = scenario_.joining.over * static_cast<std::int64_t>(node) / steps;
    put(facts_.began + later, Sort::upkeep, [this, node] { enter(node); });
  }
  play();
}

World::Options Stage::options_of(std::size_t node) const {
  World::Options options;
  options.certify_itself = scenario_.joining.certify_themselves;
  options.seeds = scenario_.joining.seeds;
  const auto& role = cast_.role(node);
  options.region = static_cast<std::uint32_t>(role.region.value_or(0));
  options.beside = role.beside;
  if (const NodeGroup* group = cast_.group(node); group != nullptr && !role.beside) options.nat = group->nat;
  return options;
}

std::size_t Stage::enter(std::size_t node) {
  check(node == world_.size(), "nodes come into the world in the order of their numbers");
  plights_.emplace_back();
  facts_.machines.emplace_back();
  facts_.machines.back().sound_since = world_.instant();
  if (node == 0) world_.found(options_of(node));
  else world_.add(options_of(node));
  settle(node);
  return node;
}

// What its group makes of a node that has just come. While the mesh is parted it comes on the founder's side.
void Stage::settle(std::size_t node) {
  Plight& plight = plights_[node];
  plight.condition.side = sides_ == 0 ? 0 : plights_.front().condition.side;
  if (const NodeGroup* group = cast_.group(node)) {
    if (group->weather) {
      world_.set_weather_of(node, group->weather);
      facts_.loss = std::max(facts_.loss, worst_loss(*group->weather));
    }
    if (group->cpu != Duration::zero()) world_.set_cpu(node, group->cpu);
    if (group->clock_s != 0) set_clock(node, group->clock_s);
    if (group->newer) world_.set_meddler(node, make_newer());
    if (group->hostile) turn(node, *group->hostile, nullptr);
  }
  if (plight.condition.side != 0) world_.set_group(node, static_cast<int>(plight.condition.side));
  tell(node);
}

// Newcomers come after those who were planned from the start, whose numbers are settled.
void Stage::join(const Happening& happening, std::size_t) {
  if (world_.size() < scenario_.nodes) {
    put(facts_.began + scenario_.joining.over, Sort::play, [this, happening] { join(happening, 0); });
    return;
  }
  enter(cast_.add(happening.who.group, happening.who.region));
}

void Stage::raised(std::size_t machine, const Event& event) {
  if (!old_disks_ || event.kind != EventKind::network_joined || machine >= plights_.size()) return;
  // The admission is on disk only once the outputs of this step have been carried out.
  if (plights_[machine].old_disk.empty()) {
    put(world_.instant() + seconds(1), Sort::upkeep, [this, machine] {
      if (world_.running(machine) && plights_[machine].old_disk.empty()) plights_[machine].old_disk = world_.disk(machine);
    });
  }
}

// Of a converged start there is no moment at which a node has just joined, so that what it began with
// stands for it, without most of those that it would have met later.
void Stage::keep_old_disks() {
  for (std::size_t node = 0; node < world_.size(); ++node) {
    auto state = decode_stored(world_.disk(node));
    if (!state) continue;
    if (state->members.size() > old_disk_members) state->members.resize(old_disk_members);
    plights_[node].old_disk = encode_stored(*state);
  }
}

bool Stage::present(std::size_t node) const {
  return node < world_.size() && world_.running(node) && plights_[node].down == 0 && !plights_[node].condition.leaving;
}

// Between half and one and a half times the average, so that no two nodes go in step.
void Stage::churn_later() {
  const auto each = Duration(static_cast<std::int64_t>(60'000'000ULL * always_ppm / (std::uint64_t{scenario_.churn.rate_per_minute} * scenario_.nodes)));
  put(world_.instant() + each / 2 + churn_rng_.below(each + microseconds(1)), Sort::play, [this] {
    churn();
    churn_later();
  });
}

void Stage::churn() {
  std::vector<std::size_t> candidates;
  for (std::size_t node = scenario_.joining.seeds; node < world_.size(); ++node) {
    if (present(node)) candidates.push_back(node);
  }
  if (candidates.empty()) return;
  const std::size_t node = churn_rng_.pick(candidates);
  const bool fresh = churn_rng_.below(always_ppm) < scenario_.churn.fresh;
  const Duration away = scenario_.churn.away / 2 + churn_rng_.below(scenario_.churn.away + microseconds(1));
  if (fresh) facts_.machines[node].expected = false;
  take_down(node, true);
  disturbed();
  if (fresh) {
    Happening newcomer;
    newcomer.who.group = cast_.group_name(node);
    newcomer.who.region = cast_.region_name(node);
    join(newcomer, 0);
  } else {
    put(world_.instant() + away, Sort::undo, [this, node] { bring_up(node, scenario_.churn.disk); });
  }
}

void Stage::begin_calm() {
  calm_ = true;
  std::map<When, Entry> undone;
  for (auto entry = agenda_.begin(); entry != agenda_.end();) {
    const auto here = entry++;
    if (here->second.sort == Sort::upkeep) continue;
    auto taken = agenda_.extract(here);
    if (taken.mapped().sort == Sort::undo) undone.insert(std::move(taken));
  }
  flaps_.clear();
  const double now = to_seconds(world_.instant() - facts_.began);
  for (auto& played : played_) {
    if (played.until > now && played.until != never_ends) played.until = now;
  }
  for (auto& [when, entry] : undone) entry.action();
  disturbed();
}

std::vector<Played> Stage::played(double end) const {
  auto all = played_;
  for (auto& one : all) one.until = std::min(one.until, end);
  return all;
}

// What checkers and the meter know of a machine follows from what is done to it.
void Stage::tell(std::size_t node) {
  Plight& plight = plights_[node];
  plight.condition.paused = plight.pauses > 0;
  plight.condition.cut = plight.cuts > 0;
  plight.condition.deaf = world_.size() > 1 && plight.deaf_to * 4 > world_.size() - 1;
  auto& machine = facts_.machines[node];
  constexpr std::int64_t clock_right_s = 5;
  constexpr Duration quick = milliseconds(2);
  const NodeGroup* group = cast_.group(node);
  const bool slow = plight.busy > 0 || (group != nullptr && group->cpu >= quick);
  const bool well = plight.down == 0 && plight.pauses == 0 && plight.cuts == 0 && plight.disk_faults == 0 && plight.deaf_to == 0 && !slow;
  const bool sound = well && !plight.condition.leaving && plight.clock_s <= clock_right_s && plight.clock_s >= -clock_right_s;
  if (sound && !machine.sound) machine.sound_since = world_.instant();
  machine.sound = sound;
  machine.hostile = plight.condition.hostile;
  audience_.condition_changed(node, plight.condition);
}

void Stage::disturbed() { facts_.disturbed = world_.instant(); }

}  // namespace wigwag::sim
