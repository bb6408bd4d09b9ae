#pragma once

#include <string>

// Numbers as people read them, the same under every locale. What is no number is said as "-".
namespace wigwag::sim {

// As many decimals, and commas between thousands: "12,345.6".
std::string fixed(double value, int decimals);

// About three digits that say something: "0.042", "3.14", "27.2", "12,345".
std::string rounded(double value);

// As scenario files write it: "90s", "5m", "1h30m", "250ms".
std::string duration_text(double seconds);

}  // namespace wigwag::sim
