#pragma once

#include <cstdint>
#include <string>

namespace wigwag::sim {

// Where something was said: a file and a line from 1, or a flag of the command line and no line.
struct Place {
  std::string origin;
  std::uint32_t line = 0;
  bool operator==(const Place&) const = default;
};

// What is wrong with a scenario: "net.toml:7: links.loss: …".
struct Fault {
  Place place;
  std::string key;                       // empty where none is concerned
  std::string message;                   // what is wrong, what is allowed
  bool operator==(const Fault&) const = default;
};
inline std::string to_string(const Fault& fault) {
  std::string text = fault.place.origin;
  if (fault.place.line != 0) text += ":" + std::to_string(fault.place.line);
  if (!fault.key.empty()) text += ": " + fault.key;
  return text + ": " + fault.message;
}

}  // namespace wigwag::sim
