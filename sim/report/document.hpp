#pragma once

#include <string>

#include "sim/run/outcome.hpp"

namespace wigwag::sim {

// The JSON document, on one line; `for_page` adds who the nodes are, what changed for them, and how
// the figures are called. Text that is no UTF-8 is mended rather than refused: a run is not lost to a name.
std::string document(const RunOutcome& outcome, bool for_page);

}  // namespace wigwag::sim
