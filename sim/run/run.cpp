#include "sim/run/run.hpp"

#include <algorithm>

#include "sim/check/checker.hpp"
#include "sim/run/meter.hpp"
#include "sim/run/stage.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration tick = milliseconds(100);
constexpr Duration look = seconds(1);
constexpr std::size_t broken_max = 20;   // more say nothing new, and searches need not wait for them

// One run: the world, who plays on it, and who watches.
class Run {
 public:
  Run(const Scenario& scenario, std::uint64_t seed, const RunControl& control)
      : control_(control),
        world_(seed),
        meter_(world_, seed, scenario.nodes, scenario.duration, scenario.joining.certify_themselves, control.moments),
        stage_(world_, scenario, seed, meter_),
        end_(world_.instant() + scenario.duration),
        wall_began_(control.wall_clock ? control.wall_clock() : 0) {
    outcome_.scenario = scenario;
    outcome_.scenario.seed = seed;
    outcome_.seed = seed;
    world_.watch(&stage_);
    world_.watch(&meter_);
    checkers_ = all_checkers(world_, stage_.facts(), outcome_.broken);
    for (const auto& checker : checkers_) world_.watch(checker.get());
  }

  RunOutcome play() {
    stage_.begin();
    const bool whole = go_to_the_end();
    outcome_.trace = world_.trace_hash();
    meter_.fill(outcome_);
    outcome_.played = stage_.played(outcome_.simulated_s);
    for (std::size_t node = 0; node < world_.size(); ++node) {
      outcome_.identities.push_back({world_.name(node), stage_.cast().region_name(node), stage_.cast().group_name(node)});
    }
    if (whole) {
      for (const auto& checker : checkers_) checker->calm_ends();
    }
    outcome_.wall_s = wall_s();
    return std::move(outcome_);
  }

 private:
  double wall_s() const { return control_.wall_clock ? control_.wall_clock() - wall_began_ : 0; }

  // False when it broke off.
  bool go_to_the_end() {
    Instant next_tick = world_.instant() + tick;
    Instant next_look = world_.instant() + look;
    while (world_.instant() < end_) {
      const Instant next = std::min({end_, next_tick, stage_.next()});
      if (next > world_.instant()) world_.run_for(next - world_.instant());
      stage_.play();
      if (world_.instant() < next_tick) continue;
      next_tick += tick;
      meter_.tick();
      if (world_.instant() >= next_look) {
        next_look += look;
        for (const auto& checker : checkers_) checker->look();
      }
      if (world_.instant() >= meter_.next_sample()) take_sample();
      if (outcome_.broken.size() >= broken_max) return false;
      if (control_.stop && world_.instant() < end_ && control_.stop()) {
        outcome_.interrupted = true;
        return false;
      }
    }
    return true;
  }

  void take_sample() {
    const Sample& sample = meter_.sample();
    if (control_.progress) control_.progress(sample, sample.at, wall_s());
  }

  const RunControl& control_;
  RunOutcome outcome_;
  World world_;
  Meter meter_;
  Stage stage_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  Instant end_;
  double wall_began_;
};

}  // namespace

RunOutcome run(const Scenario& scenario, std::uint64_t seed, const RunControl& control) { return Run(scenario, seed, control).play(); }

}  // namespace wigwag::sim
