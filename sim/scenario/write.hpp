#pragma once

#include <string>

#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// The scenario as a file that read_scenario() reads back to an equal one. Only what differs from the
// defaults is said, but for nodes, duration and calm, which a reader wants to know.
std::string write_scenario(const Scenario& scenario);

}  // namespace wigwag::sim
