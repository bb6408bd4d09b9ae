#pragma once

#include "sim/world/weather.hpp"

// How long the promises about time may take. They are meant never to break, so they stand well above
// what is aimed at (DESIGN section 10), and above what a streak of lost datagrams makes of that.
namespace wigwag::sim {

// From when a subject and an observer are sound and a path joins them until the observer has heard
// the refutation of whatever it held against the subject: a call in vain or two, and a round of
// anti-entropy or three. Both lose in powers with the loss.
constexpr Duration refutation_bound(Ppm loss) {
  if (loss <= 50'000) return seconds(45);
  if (loss <= 200'000) return seconds(90);
  return minutes(4);
}

// From a crash until every sound observer has concluded it, as long as no more than a fifth is lost.
inline constexpr Duration detection_bound = seconds(30);
inline constexpr Ppm detection_bound_loss = 200'000;

// What is said of members that somebody raised an event about so lately is still on its way.
inline constexpr Duration news_takes = seconds(30);

}  // namespace wigwag::sim
