#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/time.hpp"
#include "sim/scenario/fault.hpp"
#include "sim/scenario/toml_tree.hpp"

namespace wigwag::sim {

// One table of a file, read key by key. Every key that is asked for is thereby a known one; finish()
// finds fault with the rest. What is faulty leaves its target as it was, and reading goes on.
class Section {
 public:
  Section(const TomlValue& table, std::string name, std::string path, std::vector<Fault>& faults)
      : table_(table), name_(std::move(name)), path_(std::move(path)), faults_(faults) {}

  // The value, if it is there: whoever asks for it reads it.
  const TomlValue* find(std::string_view key);
  bool has(std::string_view key) { return find(key) != nullptr; }

  // Through `parse`, which gives an optional. True: it was there and good.
  template <class To, class Parse>
  bool take(std::string_view key, To& to, Parse parse, std::string_view allowed) {
    const auto* value = find(key);
    if (value == nullptr) return false;
    if (value->kind == TomlValue::Kind::text) {
      if (const auto read = parse(value->text)) return to = *read, true;
    }
    return refuse(key, *value, allowed), false;
  }
  bool take_duration(std::string_view key, Duration& to, Duration least, Duration most);
  template <class To>
  bool take_count(std::string_view key, To& to, std::int64_t least, std::int64_t most) {
    const auto count = count_of(key, least, most);
    return count && (to = static_cast<To>(*count), true);
  }
  bool take_truth(std::string_view key, bool& to);
  bool take_text(std::string_view key, std::string& to);
  // What groups and regions are called.
  bool take_name(std::string_view key, std::string& to);
  // A table of its own, "[links.bursts]" or "{ … }"; nullopt where it is not there, or is none.
  std::optional<Section> table(std::string_view key);
  // All of "[[event]]", each a section.
  std::vector<Section> tables(std::string_view key);

  // Of a key that is there, but is wrong together with others.
  void fault(std::string_view key, std::string message);
  void finish();

  Place place() const { return {path_, table_.line}; }
  Place place_of(std::string_view key) const;
  const std::string& path() const { return path_; }

 private:
  std::optional<std::int64_t> count_of(std::string_view key, std::int64_t least, std::int64_t most);
  void refuse(std::string_view key, const TomlValue& value, std::string_view allowed);
  std::string full(std::string_view key) const { return name_.empty() ? std::string(key) : name_ + "." + std::string(key); }

  const TomlValue& table_;
  std::string name_, path_;
  std::vector<Fault>& faults_;
  std::vector<std::string> known_;
};

bool is_name(std::string_view text);
inline constexpr std::string_view name_allowed = "a name of at most 40 letters, digits, '-', '_' and '.'";

}  // namespace wigwag::sim
