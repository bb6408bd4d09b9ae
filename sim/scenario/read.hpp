#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/result.hpp"
#include "sim/scenario/fault.hpp"
#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// A scenario file that stands alone (sim/README.md says what may be in it), or all of its faults.
Result<Scenario, std::vector<Fault>> read_scenario(std::string_view text, const std::string& path);

}  // namespace wigwag::sim
