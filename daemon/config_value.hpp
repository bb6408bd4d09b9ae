#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gossip/base/result.hpp"

// The one door to the TOML library: files and values as plain entries.
namespace wigwag {

// Something that TOML can say and no key of ours takes: "a date", "a table".
struct OtherValue {
  std::string kind;
  bool is_table = false;
};
using ConfigValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>, OtherValue>;

// Lines and columns count from 1; a line of 0 stands for "no place in a file".
struct ConfigPlace {
  std::string origin;  // a file's path, or the flag: "--set node.name"
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct ConfigEntry {
  std::string key;  // "node.name"
  ConfigValue value;
  ConfigPlace place;       // of the key's value
  std::uint32_t end_line = 0, end_column = 0;  // just behind the value
};

struct ConfigFault {
  ConfigPlace place;
  std::string key;      // empty where no key is concerned
  std::string message;  // what is wrong, what is allowed
};
// "/etc/wigwag/wigwag.toml:3:8: node.relay: ...".
std::string to_string(const ConfigFault& fault);

// All entries in the order of the file; the fault is the first offence against TOML itself.
Result<std::vector<ConfigEntry>, ConfigFault> read_toml(std::string_view text, const std::string& origin);

// A value as it stands behind an equals sign, and the other way round.
Result<ConfigValue, std::string> read_toml_value(std::string_view text);
std::string toml_text(const ConfigValue& value);

}  // namespace wigwag
