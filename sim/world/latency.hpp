#pragma once

#include <array>
#include <cstdint>

#include "gossip/base/rng.hpp"
#include "sim/world/weather.hpp"

namespace wigwag::sim {

// Draws how long datagrams take. What a long tail needs is worked out once, and in whole numbers
// from then on, so that a seed gives the same run on every machine.
class LatencyDraw {
 public:
  explicit LatencyDraw(const Latency& latency = {});
  Duration draw(Rng& rng) const;

 private:
  static constexpr std::size_t octaves = 24;
  Latency latency_;
  std::array<std::int64_t, octaves + 1> tail_{};  // microseconds not exceeded but by one in two to the power of the index plus one
};

}  // namespace wigwag::sim
