#include "sim/scenario/section.hpp"

#include <algorithm>

#include "sim/scenario/units.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

constexpr std::size_t shown_max = 60;

std::string shown(const TomlValue& value) {
  if (value.kind != TomlValue::Kind::text) return value.text;
  return toml_text(value.text.size() <= shown_max ? value.text : value.text.substr(0, shown_max) + "…");
}

}  // namespace

const TomlValue* Section::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const auto found = std::find_if(table_.entries.begin(), table_.entries.end(), [&](const TomlEntry& e) { return e.name == key; });
  return found == table_.entries.end() ? nullptr : &found->value;
}

bool Section::take_duration(std::string_view key, Duration& to, Duration least, Duration most) {
  const auto parse = [&](std::string_view text) {
    const auto read = parse_duration(text);
    return read && *read >= least && *read <= most ? read : std::nullopt;
  };
  return take(key, to, parse, std::string(duration_allowed) + ", from " + print_duration(least) + " to " + print_duration(most));
}

std::optional<std::int64_t> Section::count_of(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind == TomlValue::Kind::integer && value->integer >= least && value->integer <= most) return value->integer;
  refuse(key, *value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

bool Section::take_truth(std::string_view key, bool& to) {
  const auto* value = find(key);
  if (value == nullptr) return false;
  if (value->kind == TomlValue::Kind::truth) return to = value->truth, true;
  return refuse(key, *value, "true or false"), false;
}

bool Section::take_text(std::string_view key, std::string& to) {
  return take(key, to, [](const std::string& text) { return std::optional(text); }, "a text");
}

bool Section::take_name(std::string_view key, std::string& to) {
  return take(key, to, [](const std::string& text) { return is_name(text) ? std::optional(text) : std::nullopt; }, name_allowed);
}

std::optional<Section> Section::table(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind == TomlValue::Kind::table) return Section(*value, full(key), path_, faults_);
  refuse(key, *value, "a table: [" + full(key) + "], or { … }");
  return std::nullopt;
}

std::vector<Section> Section::tables(std::string_view key) {
  std::vector<Section> all;
  const auto* value = find(key);
  if (value == nullptr) return all;
  const auto is_table = [](const TomlValue& item) { return item.kind == TomlValue::Kind::table; };
  if (value->kind != TomlValue::Kind::list || !std::all_of(value->items.begin(), value->items.end(), is_table)) {
    refuse(key, *value, "tables, each begun by [[" + full(key) + "]]");
    return all;
  }
  for (const auto& item : value->items) all.emplace_back(item, full(key), path_, faults_);
  return all;
}

void Section::fault(std::string_view key, std::string message) { faults_.push_back({place_of(key), full(key), std::move(message)}); }

Place Section::place_of(std::string_view key) const {
  const auto found = std::find_if(table_.entries.begin(), table_.entries.end(), [&](const TomlEntry& e) { return e.name == key; });
  return {path_, found == table_.entries.end() ? table_.line : found->line};
}

void Section::refuse(std::string_view key, const TomlValue& value, std::string_view allowed) {
  fault(key, "cannot be " + shown(value) + "; allowed: " + std::string(allowed));
}

void Section::finish() {
  for (const auto& entry : table_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.name) != known_.end()) continue;
    const auto meant = nearest(entry.name, known_);
    fault(entry.name, meant ? "there is no such key; did you mean " + full(*meant) + "?"
                            : "there is no such key" + (name_.empty() ? std::string(" here") : " in " + name_) + "; allowed: " + quoted_list(known_));
  }
}

bool is_name(std::string_view text) {
  constexpr std::size_t longest = 40;
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace wigwag::sim
