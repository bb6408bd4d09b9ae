#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config_value.hpp"
#include "daemon/failure.hpp"

namespace wigwag {

// Sets keys in the text of a configuration file and leaves every other byte of it, comments
// included, as it is. The result is read back: unless it says exactly what was wanted and
// nothing else has changed, the edit is refused with what to write by hand instead.
Outcome<std::string> edit_config(const std::string& text, const std::vector<std::pair<std::string, ConfigValue>>& wanted);

// What a new configuration file starts with.
std::string fresh_config();

}  // namespace wigwag
