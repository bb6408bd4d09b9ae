#include "daemon/config_edit.hpp"

#include <algorithm>

#include "daemon/words.hpp"

namespace wigwag {
namespace {

// Where a place counted in lines and columns (both from 1; columns in characters) is in the text.
std::optional<std::size_t> offset_of(std::string_view text, std::uint32_t line, std::uint32_t column) {
  std::size_t at = 0;
  for (std::uint32_t seen = 1; seen < line; ++seen) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return std::nullopt;
    ++at;
  }
  for (std::uint32_t seen = 1; seen < column; ++seen) {
    if (at >= text.size()) return std::nullopt;
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  }
  return at;
}

// The offset behind a section's header line; nullopt when no line of its own opens it.
std::optional<std::size_t> behind_header(std::string_view text, const std::string& section) {
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto line = trimmed(text.substr(from, end - from));
    const auto close = line.find(']');
    if (line.rfind("[", 0) == 0 && close != std::string_view::npos && trimmed(line.substr(1, close - 1)) == section) {
      return std::min(end + 1, text.size());
    }
    from = end + 1;
  }
  return std::nullopt;
}

void set_key(std::string& text, const std::string& key, const ConfigValue& value, const std::vector<ConfigEntry>& entries) {
  const auto held = std::find_if(entries.begin(), entries.end(), [&](const ConfigEntry& entry) { return entry.key == key; });
  if (held != entries.end()) {
    const auto from = offset_of(text, held->place.line, held->place.column);
    const auto to = offset_of(text, held->end_line, held->end_column);
    if (from && to && *from <= *to) text.replace(*from, *to - *from, toml_text(value));
    return;
  }
  const auto dot = key.find('.');
  const std::string section = key.substr(0, dot);
  const std::string line = key.substr(dot + 1) + " = " + toml_text(value) + "\n";
  if (!text.empty() && text.back() != '\n') text += '\n';
  if (const auto at = behind_header(text, section)) {
    text.insert(*at, line);
  } else {
    text += (text.empty() ? "[" : "\n[") + section + "]\n" + line;
  }
}

bool same_values(const std::vector<ConfigEntry>& entries, std::vector<std::pair<std::string, ConfigValue>> expected) {
  std::vector<std::pair<std::string, std::string>> have;
  for (const auto& entry : entries) have.emplace_back(entry.key, toml_text(entry.value));
  std::vector<std::pair<std::string, std::string>> want;
  for (const auto& [key, value] : expected) want.emplace_back(key, toml_text(value));
  std::sort(have.begin(), have.end());
  std::sort(want.begin(), want.end());
  return have == want;
}

}  // namespace

Outcome<std::string> edit_config(const std::string& text, const std::vector<std::pair<std::string, ConfigValue>>& wanted) {
  std::string edited = text;
  std::vector<std::pair<std::string, ConfigValue>> expected;
  std::vector<std::string> by_hand;
  for (const auto& [key, value] : wanted) by_hand.push_back(key + " = " + toml_text(value));
  const Failure refusal{"cannot change the configuration file without touching the rest of it; set by hand: " + joined(by_hand, "; ")};
  const auto before = read_toml(text, "");
  if (!before) return Unexpected{refusal};
  for (const auto& entry : *before) expected.emplace_back(entry.key, entry.value);
  for (const auto& [key, value] : wanted) {
    const auto entries = read_toml(edited, "");
    if (!entries) return Unexpected{refusal};
    set_key(edited, key, value, *entries);
    const auto same = std::find_if(expected.begin(), expected.end(), [&, &name = key](const auto& pair) { return pair.first == name; });
    if (same == expected.end()) {
      expected.emplace_back(key, value);
    } else {
      same->second = value;
    }
    // An empty section counted as an entry until it got its first key.
    const std::string section = key.substr(0, key.find('.'));
    std::erase_if(expected, [&](const auto& pair) { return pair.first == section; });
  }
  const auto after = read_toml(edited, "");
  if (!after || !same_values(*after, expected)) return Unexpected{refusal};
  return edited;
}

std::string fresh_config() {
  return "# The configuration of wigwagd, written by `wigwag up`. All keys are explained in\n"
         "# wigwag.toml.example; what is absent has its default.\n";
}

}  // namespace wigwag
