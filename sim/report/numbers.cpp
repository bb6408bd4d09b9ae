#include "sim/report/numbers.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace wigwag::sim {

std::string fixed(double value, int decimals) {
  // Nothing that a run counts comes near; beyond, the digits would mean nothing.
  if (!std::isfinite(value) || std::abs(value) > 1e18) {
    return "-";
  }
  std::array<char, 64> digits{};
  const std::to_chars_result end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals);
  std::string text(digits.data(), end.ptr);
  const std::size_t first = text.front() == '-' ? 1 : 0;
  if (text.find_first_not_of("0.", first) == std::string::npos) {
    text.erase(0, first);  // "-0.00" is nothing to wonder about.
  }
  const std::size_t point = text.find('.');
  for (std::size_t at = point == std::string::npos ? text.size() : point; at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string rounded(double value) {
  const double size = std::abs(value);
  if (size == 0 || size >= 99.95) {
    return fixed(value, 0);
  }
  return fixed(value, size < 0.0995 ? 3 : size < 9.995 ? 2 : 1);
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) {
    return "-";
  }
  std::int64_t left = std::llround(seconds * 1000);
  struct Unit {
    std::int64_t size;
    const char* name;
  };
  std::string text;
  for (const Unit unit : {Unit{3'600'000, "h"}, Unit{60'000, "m"}, Unit{1000, "s"}, Unit{1, "ms"}}) {
    if (left >= unit.size) {
      text += std::to_string(left / unit.size) + unit.name;
      left %= unit.size;
    }
  }
  return text.empty() ? "0s" : text;
}

}  // namespace wigwag::sim
