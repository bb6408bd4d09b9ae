#pragma once

#include <cstdint>

#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// What random scenarios are drawn from.
struct MixBounds {
  std::size_t nodes_most = 40;
  Duration duration_most = minutes(6);   // the calm at the end included
  std::size_t happenings_most = 24;
};

// A random scenario of one seed, swarm style (Groce et al., ISSTA 2012): every run leaves out most kinds of
// faults, so that those it has come thick and together. Only networks in which every promise can be kept:
// as long as nothing carries traffic for others, members that no path joins stay fewer than a verdict takes,
// and so do liars.
Scenario random_scenario(std::uint64_t seed, const MixBounds& bounds = {});

}  // namespace wigwag::sim
