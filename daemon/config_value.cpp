#include "daemon/config_value.hpp"

#include <toml++/toml.h>

#include <algorithm>

#include "daemon/words.hpp"

namespace wigwag {
namespace {

ConfigValue value_of(const toml::node& node) {
  if (const auto* truth = node.as_boolean()) return truth->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  if (node.is_floating_point()) return OtherValue{"a number with a fraction"};
  if (node.is_table()) return OtherValue{"a table", true};
  const auto* list = node.as_array();
  if (list == nullptr) return OtherValue{"a date or time"};
  std::vector<std::string> texts;
  for (const auto& item : *list) {
    const auto* text = item.as_string();
    if (text == nullptr) return OtherValue{"a list of something other than strings"};
    texts.push_back(text->get());
  }
  return texts;
}

ConfigEntry entry_of(std::string key, const toml::node& node, const std::string& origin) {
  const auto& source = node.source();
  return {std::move(key), value_of(node), {origin, source.begin.line, source.begin.column}, source.end.line, source.end.column};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
      continue;
    }
    out += c;
  }
  return out + "\"";
}

struct ToText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<std::string>& values) const {
    std::vector<std::string> parts;
    for (const auto& value : values) parts.push_back(quoted(value));
    return "[" + joined(parts, ", ") + "]";
  }
  std::string operator()(const OtherValue& value) const { return value.kind; }
};

}  // namespace

std::string to_string(const ConfigFault& fault) {
  std::string text = fault.place.origin;
  if (fault.place.line != 0) text += ":" + std::to_string(fault.place.line) + ":" + std::to_string(fault.place.column);
  if (!fault.key.empty()) text += ": " + fault.key;
  return text + ": " + fault.message;
}

Result<std::vector<ConfigEntry>, ConfigFault> read_toml(std::string_view text, const std::string& origin) {
  std::vector<ConfigEntry> entries;
  try {
    const toml::table file = toml::parse(text);
    for (const auto& [section, content] : file) {
      const std::string name(section.str());
      const auto* table = content.as_table();
      if (table == nullptr) {
        entries.push_back(entry_of(name, content, origin));
        continue;
      }
      if (table->empty()) entries.push_back(entry_of(name, content, origin));
      for (const auto& [key, value] : *table) entries.push_back(entry_of(name + "." + std::string(key.str()), value, origin));
    }
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return Unexpected{ConfigFault{{origin, at.line, at.column}, "", "this is not TOML: " + std::string(error.description())}};
  }
  std::stable_sort(entries.begin(), entries.end(), [](const ConfigEntry& a, const ConfigEntry& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  return entries;
}

Result<ConfigValue, std::string> read_toml_value(std::string_view text) {
  try {
    const toml::table file = toml::parse("value = " + std::string(text) + "\n");
    const auto* value = file.get("value");
    if (value == nullptr || file.size() != 1) return Unexpected{std::string("more than one value")};
    return value_of(*value);
  } catch (const toml::parse_error& error) {
    return Unexpected{std::string(error.description())};
  }
}

std::string toml_text(const ConfigValue& value) { return std::visit(ToText{}, value); }

}  // namespace wigwag
