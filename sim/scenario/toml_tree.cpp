#include "sim/scenario/toml_tree.hpp"

#include <algorithm>
#include <utility>

#include <toml++/toml.h>

namespace wigwag::sim {
namespace {

TomlValue value_of(const toml::node& node);

void fill(TomlValue& to, const toml::table& table) {
  to.kind = TomlValue::Kind::table;
  to.text = "a table";
  for (const auto& [key, value] : table) {
    to.entries.push_back({std::string(key.str()), key.source().begin.line, value_of(value)});
  }
  std::stable_sort(to.entries.begin(), to.entries.end(), [](const TomlEntry& a, const TomlEntry& b) { return a.line < b.line; });
}

TomlValue value_of(const toml::node& node) {
  TomlValue value;
  value.line = node.source().begin.line;
  if (const auto* text = node.as_string()) {
    value.kind = TomlValue::Kind::text;
    value.text = text->get();
  } else if (const auto* number = node.as_integer()) {
    value.kind = TomlValue::Kind::integer;
    value.integer = number->get();
    value.text = std::to_string(value.integer);
  } else if (const auto* truth = node.as_boolean()) {
    value.kind = TomlValue::Kind::truth;
    value.truth = truth->get();
    value.text = value.truth ? "true" : "false";
  } else if (const auto* list = node.as_array()) {
    value.kind = TomlValue::Kind::list;
    value.text = "a list";
    for (const auto& item : *list) value.items.push_back(value_of(item));
  } else if (const auto* table = node.as_table()) {
    fill(value, *table);
  } else {
    value.text = node.is_floating_point() ? "a number with a fraction" : "a date or a time of day";
  }
  return value;
}

}  // namespace

Result<TomlValue, Fault> parse_toml(std::string_view text, const std::string& path) {
  try {
    const toml::table file = toml::parse(text);
    TomlValue value;
    fill(value, file);
    value.line = 1;
    return value;
  } catch (const toml::parse_error& error) {
    return Unexpected{Fault{{path, error.source().begin.line}, "", "this is not TOML: " + std::string(error.description())}};
  }
}

std::string toml_text(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace wigwag::sim
