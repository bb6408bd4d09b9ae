#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/run/outcome.hpp"

// What a run is measured by, with the targets that wigwag sets itself: the one list from which the
// table, the JSON document and the page are made, so that none of them leaves a figure out.
namespace wigwag::sim {

// The targets are for a thousand nodes at 5 % loss; other runs show them for comparison.
struct Spread {
  std::string key;                       // in the JSON document
  std::string title;
  std::string meaning;
  std::string unit;
  Figure figure;
  std::optional<double> p50_most, p99_most;
};

struct Single {
  std::string key;
  std::string title;
  std::string meaning;
  std::string unit;                      // may be empty
  std::optional<double> value;           // nullopt: not observed
  std::optional<double> target;
  bool at_least = false;                 // the target is a lower limit
  bool whole = false;                    // a count, without decimals
};

std::vector<Spread> spreads(const RunOutcome& outcome);
std::vector<Single> singles(const RunOutcome& outcome);

}  // namespace wigwag::sim
