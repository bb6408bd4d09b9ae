#include "sim/scenario/bundled.hpp"

#include <algorithm>

#include "gossip/base/check.hpp"
#include "sim/embedded.hpp"
#include "sim/scenario/read.hpp"

namespace wigwag::sim {
namespace {

std::vector<Bundled> read_all() {
  std::vector<Bundled> all;
  for (const auto& file : scenario_files()) {
    const auto scenario = read_scenario(file.text, std::string(file.name));
    check(scenario.has_value(), "a bundled scenario has no faults");
    all.push_back({file.name.substr(0, file.name.rfind('.')), file.text, scenario->summary});
  }
  std::sort(all.begin(), all.end(), [](const Bundled& a, const Bundled& b) { return a.name < b.name; });
  return all;
}

}  // namespace

const std::vector<Bundled>& bundled_scenarios() {
  static const std::vector<Bundled> all = read_all();
  return all;
}

const Bundled* bundled_scenario(std::string_view name) {
  const auto& all = bundled_scenarios();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Bundled& b) { return b.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace wigwag::sim
