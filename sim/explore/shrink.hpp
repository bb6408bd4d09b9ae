#pragma once

#include <cstddef>
#include <functional>

#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// A smaller scenario with the same fault.
struct Shrunk {
  Scenario scenario;
  std::size_t tries = 0;   // runs that it took
};

// Takes away what `breaks` does not need: happenings (delta debugging: Zeller and Hildebrandt, TSE 2002), groups,
// churn, weather, nodes, time. Asks at most `tries_most` times; `failing` itself is taken to break. The seed stays, and
// what is left is chosen as before, since every happening draws from a stream of its own.
Shrunk shrink(Scenario failing, const std::function<bool(const Scenario&)>& breaks, std::size_t tries_most = 200);

}  // namespace wigwag::sim
