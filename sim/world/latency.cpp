#include "sim/world/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace wigwag::sim {
namespace {

// `base` to the power 1/log2(500), by square roots and products only: IEEE 754 says what these are to
// the last bit, and of pow() it says nothing.
double octave_factor(double base) {
  double exponent = 0.11153873;  // from half of all to one in a thousand it is 8.966 octaves
  double factor = 1;
  for (int bit = 0; bit < 40; ++bit) {
    base = std::sqrt(base);
    exponent *= 2;
    if (exponent < 1) continue;
    exponent -= 1;
    factor *= base;
  }
  return factor;
}

}  // namespace

LatencyDraw::LatencyDraw(const Latency& latency) : latency_(latency) {
  latency_.most = std::max(latency_.most, latency_.least);
  if (latency_.shape != Latency::Shape::long_tail) return;
  const auto least = std::max<std::int64_t>(latency_.least.count(), 1);
  const double factor = octave_factor(static_cast<double>(std::max<std::int64_t>(latency_.most.count(), 1)) / static_cast<double>(least));
  double value = static_cast<double>(least);
  const std::int64_t end = std::max<std::int64_t>(latency_.most.count(), 1) * 10;
  for (auto& step : tail_) {
    step = std::min(static_cast<std::int64_t>(value), end);
    value = std::min(value * factor, static_cast<double>(end));
  }
}

Duration LatencyDraw::draw(Rng& rng) const {
  switch (latency_.shape) {
    case Latency::Shape::fixed: return latency_.least;
    case Latency::Shape::uniform: return latency_.least + rng.below(latency_.most - latency_.least);
    case Latency::Shape::long_tail: break;
  }
  const std::uint64_t drawn = rng.next();
  if ((drawn >> 63) != 0) return latency_.least / 2 + rng.below(latency_.least - latency_.least / 2);
  // Of the slow half each octave is half as likely as the one before it; within one the time grows evenly.
  const auto octave = std::min<std::size_t>(static_cast<std::size_t>(std::countl_zero(drawn << 1 | 1)), octaves - 1);
  const std::int64_t from = tail_[octave], to = tail_[octave + 1];
  return Duration(from + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(std::max<std::int64_t>(to - from, 1)))));
}

}  // namespace wigwag::sim
