#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace wigwag::sim {

// A promise that did not hold. `at` is in seconds of virtual time since the run began.
struct Broken {
  double at = 0;
  std::string invariant;                 // "I3"
  std::string text;                      // what was seen, where
  std::optional<std::size_t> node;
};

}  // namespace wigwag::sim
