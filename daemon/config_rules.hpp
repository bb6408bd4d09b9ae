#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config.hpp"

namespace wigwag {

enum class ValueShape : std::uint8_t { text, number, text_or_number, truth, list };

// One key of the configuration: everything that is known about it, on one line of one table.
struct ConfigRule {
  const char* key;
  ValueShape shape;
  bool live;            // takes effect on reload
  const char* allowed;  // as it stands in a fault: "allowed: ..."
  // Takes the value over; false when it is not allowed.
  bool (*take)(const ConfigValue& value, Config& config);
  // The value in a form that differs when the configuration does.
  std::string (*show)(const Config& config);
  // What this version does not do about the value that was set; empty: nothing to say.
  std::string (*idle)(const Config& config);
};

const std::vector<ConfigRule>& config_rules();

}  // namespace wigwag
