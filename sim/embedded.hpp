#pragma once

#include <span>
#include <string_view>

namespace wigwag::sim {

// A text file of the source tree, as it was when the program was built (sim/embed.cmake).
struct Embedded {
  std::string_view name;  // without its folder
  std::string_view text;
};

std::span<const Embedded> page_files();  // sim/report/page.*
std::span<const Embedded> scenario_files();  // sim/scenarios/*.toml

}  // namespace wigwag::sim
