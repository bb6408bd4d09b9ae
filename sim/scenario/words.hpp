#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.hpp"

// What a scenario's kinds are called in files and reports: "one-way", "ack-and-drop".
namespace wigwag::sim {

std::string_view word(Happening::Kind kind);
std::string_view word(Behaviour behaviour);
std::string_view word(DiskFate fate);
std::string_view word(Joining::Pattern pattern);
std::string_view word(NatKind::Filter filter);

std::optional<Happening::Kind> kind_from(std::string_view text);
std::optional<Behaviour> behaviour_from(std::string_view text);
std::optional<DiskFate> fate_from(std::string_view text);
std::optional<Joining::Pattern> pattern_from(std::string_view text);
std::optional<NatKind::Filter> filter_from(std::string_view text);

// All of them, as a fault says what is allowed: "crash", "reboot" or "restart".
std::string kinds_allowed();
std::string behaviours_allowed();
std::string fates_allowed();
std::string patterns_allowed();
std::string filters_allowed();

// "a", "b" or "c".
std::string quoted_list(const std::vector<std::string>& words);
// The known word that was probably meant, when one is near enough.
std::optional<std::string> nearest(std::string_view written, const std::vector<std::string>& known);
// "partition: 50% of region eu-west for 5m", as reports say what happened.
std::string describe(const Happening& happening);
std::string describe(const Selection& who);

}  // namespace wigwag::sim
