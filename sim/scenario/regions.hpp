#pragma once

#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// The regions whose latencies are bundled, by short names: "us-east", "eu-west", …
std::vector<std::string> bundled_regions();

// Gives the scenario the bundled latencies between those of its regions that have them, and within each,
// but for the links it names itself. Where it names no region it gets them all.
void add_bundled_latencies(Scenario& scenario);

}  // namespace wigwag::sim
