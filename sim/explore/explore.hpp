#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "gossip/base/bytes.hpp"
#include "sim/explore/mix.hpp"
#include "sim/run/outcome.hpp"

namespace wigwag::sim {

// A random scenario that broke a promise.
struct Found {
  std::uint64_t seed = 0;                // of random_scenario() and of the run
  std::vector<Broken> broken;            // in the whole scenario
  Scenario scenario;                     // shrunk
  Broken left;                           // what breaks first in that
  std::size_t tries = 0;                 // runs that shrinking took
};

struct Exploration {
  std::uint64_t first_seed = 1;
  std::size_t runs = 100;                // of the seeds from first_seed on
  unsigned threads = 1;
  MixBounds bounds;
  std::size_t shrink_tries = 200;
  std::function<bool()> stop;            // asked between runs and within them
  std::function<void(std::size_t runs, std::size_t found)> progress;  // called now and then, by one thread at a time
};

struct Explored {
  std::size_t runs = 0;
  double node_hours = 0;
  std::vector<Found> found;              // in the order of their seeds
  Hash32 trace;                          // over the traces of all runs, in the order of their seeds
};

// Runs random scenarios, one a seed, and shrinks those that break a promise. What is found does not depend on how
// many threads look for it.
Explored explore(const Exploration& exploration);

}  // namespace wigwag::sim
