#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wigwag::sim {

// A scenario that is part of the program: a file of sim/scenarios/.
struct Bundled {
  std::string_view name;                 // without ".toml"
  std::string_view text;
  std::string summary;
};

// In the order of their names.
const std::vector<Bundled>& bundled_scenarios();
const Bundled* bundled_scenario(std::string_view name);

}  // namespace wigwag::sim
