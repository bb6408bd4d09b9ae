#pragma once

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"

// Values that a test can read at a glance; text that does not parse ends the test.
namespace wigwag::test {

inline TunnelKey key(std::uint8_t n) {
  TunnelKey made;
  made.bytes.fill(n);
  return made;
}

inline Prefix prefix(const char* text) { return Prefix::parse(text).value(); }
inline Endpoint endpoint(const char* text) { return Endpoint::parse(text).value(); }

}  // namespace wigwag::test
