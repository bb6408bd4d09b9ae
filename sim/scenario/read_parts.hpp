#pragma once

#include "sim/scenario/draft.hpp"
#include "sim/scenario/section.hpp"

// The pieces that reading a file is made of.
namespace wigwag::sim {

// What a table of links says, over what is there.
void read_weather(Section& links, Weather& weather);
std::optional<NatKind> read_nat(Section& section, std::string_view key);
Selection read_selection(Section& who);
void read_event(Section& event, Draft& draft);

}  // namespace wigwag::sim
