#pragma once

#include <string>

#include "sim/run/outcome.hpp"

// An outcome, told in four ways. Each is complete in itself for any outcome, of a run that was
// interrupted at its first second too, and never holds "nan" or "inf".
namespace wigwag::sim {

// For the terminal: aligned, at most 100 columns, units beside the names, "-" for what was not
// observed; ends with what broke and the command that runs it again.
std::string table(const RunOutcome& outcome);

// One document; its fields are described in sim/README.md, "Report formats".
std::string json(const RunOutcome& outcome);

// The samples, as RFC 4180 says: a line of names, then one line each.
std::string csv(const RunOutcome& outcome);

// One page that needs nothing but itself, with plots and the membership as a moving picture.
std::string html(const RunOutcome& outcome);

}  // namespace wigwag::sim
