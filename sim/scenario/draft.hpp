#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/result.hpp"
#include "sim/scenario/fault.hpp"
#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// A scenario that is still being put together from files and flags. It remembers who said what, so that
// what does not go together is reported where it was said, and so that names may be used before the
// file that defines them.
struct Draft {
  Scenario scenario;
  bool calm_said = false;                // else it follows from the duration
  bool bundled_latencies = false;        // between regions, where the scenario says nothing itself
  Place duration, calm;                  // where they were said last
  // Where each of the scenario's is from, in the same order.
  std::vector<Place> groups, region_links, happenings;
};

// What `run` plays, and what whoever wrote it may not have meant.
struct Composed {
  Scenario scenario;
  std::vector<std::string> notes;
};

// Puts what a file says over what is there: single values replace, groups, regions and links between
// regions of the same name replace, events are added. `name`: what the scenario is called if the file
// does not say so itself. Returns the faults; the draft then holds what was good.
std::vector<Fault> lay_over(Draft& draft, std::string_view text, const std::string& path, const std::string& name);

// Sees that it all goes together.
Result<Composed, std::vector<Fault>> finish(Draft draft);

// Replaces the group of the same name, or adds it.
void put_group(Draft& draft, NodeGroup group, Place place);

inline constexpr std::int64_t nodes_most = 100'000;
inline constexpr Duration duration_least = seconds(1);
inline constexpr Duration duration_most = hours(24 * 30);

}  // namespace wigwag::sim
