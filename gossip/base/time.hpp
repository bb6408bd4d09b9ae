#pragma once

#include <chrono>
#include <cstdint>

namespace wigwag {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Duration = std::chrono::microseconds;

// The core's clock: it has no now(). Whoever calls the core says what time it is.
struct CoreClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};

// A point on a clock that never goes back and also runs while the machine is
// suspended (CLOCK_BOOTTIME in the daemon, virtual time in the simulator).
using Instant = CoreClock::time_point;
inline constexpr Instant never = Instant::max();

// Seconds since 1970-01-01 UTC, as this machine believes; it may jump.
struct UnixTime {
  std::int64_t seconds = 0;
  auto operator<=>(const UnixTime&) const = default;
};

// The end of the year 9999: the latest that our formats can say.
inline constexpr std::int64_t latest_unix_second = 253'402'300'799;

// Later than any time that can be said.
inline constexpr UnixTime far_future{INT64_MAX};

// Both clocks, read together at the edge of the core.
struct Now {
  Instant at{};
  UnixTime wall{};
};

inline double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace wigwag
