#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/result.hpp"
#include "sim/scenario/fault.hpp"

// The one door to the TOML library: a file as plain values.
namespace wigwag::sim {

struct TomlEntry;

struct TomlValue {
  enum class Kind : std::uint8_t { text, integer, truth, list, table, other };
  Kind kind = Kind::other;
  std::uint32_t line = 0;
  std::string text;                      // of a text; of others, as a fault shows them
  std::int64_t integer = 0;
  bool truth = false;
  std::vector<TomlValue> items;          // of a list
  std::vector<TomlEntry> entries;        // of a table, in the order of the file
};
struct TomlEntry {
  std::string name;
  std::uint32_t line = 0;
  TomlValue value;
};

// The whole file as a table; the fault is its first offence against TOML itself.
Result<TomlValue, Fault> parse_toml(std::string_view text, const std::string& path);

// A text as TOML writes it, quotes and all.
std::string toml_text(std::string_view text);

}  // namespace wigwag::sim
