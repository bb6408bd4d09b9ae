#pragma once

#include <cstdint>
#include <functional>

#include "sim/run/outcome.hpp"
#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// What a caller can say about a run while it goes on. Nothing in here changes what happens in the
// run: the same scenario and seed give the same trace with any control.
struct RunControl {
  // Looked at every 100 ms of simulated time; true ends the run with what it has so far.
  std::function<bool()> stop;
  // Called with every sample as it is taken; `wall_s` is 0 without a wall clock.
  std::function<void(const Sample& sample, double simulated_s, double wall_s)> progress;
  // Seconds from any start; only for the figures of speed.
  std::function<double()> wall_clock;
  bool moments = true;                   // keep what changed for whom, for the replay in pictures
};

// Plays the scenario from its beginning to the end of its calm. The outcome is complete up to the
// moment at which the run ended, also when it was stopped or broke off at too many broken promises.
RunOutcome run(const Scenario& scenario, std::uint64_t seed, const RunControl& control);

}  // namespace wigwag::sim
