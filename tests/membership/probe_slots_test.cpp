#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gossip/membership/probe.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

// Eight observers with phases at random, each known to the subject by its ring or by its pings.
TEST(ProbeSlots, SpreadTheObserversOfASubjectEvenlyAfterOneCycle) {
  for_seeds(20, [](Rng& rng) {
    constexpr int observers = 8;
    constexpr Duration cycle = observers * Prober::interval;
    const SmallMesh mesh;
    Prober subject(mesh.id(0), rng.next());
    std::vector<NodeId> watching;
    for (std::uint64_t number = 1; number <= observers; ++number) watching.push_back(numbered_id(number));
    const Instant start = instant(seconds(12345) + rng.below(seconds(10)));
    subject.watch(watching, start);
    subject.watched_by({watching.begin(), watching.begin() + static_cast<std::ptrdiff_t>(rng.below(observers + 1))});
    std::vector<Instant> due;
    for (int i = 0; i < observers; ++i) due.push_back(start + rng.below(Prober::interval));
    const auto ping_next = [&] {
      const auto next = std::min_element(due.begin(), due.end());
      const Instant at = *next;
      const auto again = milliseconds(subject.on_ping(watching[static_cast<std::size_t>(next - due.begin())], at));
      EXPECT_GE(again, cycle / 2 - milliseconds(1));
      EXPECT_LE(again, cycle * 3 / 2);
      *next = at + again;
      return at;
    };
    for (int pings = 0; pings < 3 * observers; ++pings) ping_next();
    for (Instant last = ping_next(); last < start + seconds(60);) {
      const Instant at = ping_next();
      EXPECT_LE(at - last, Prober::interval + milliseconds(20));
      last = at;
    }
  });
}

TEST(ProbeSlots, AreBoundedWhateverTheSubjectAsks) {
  const SmallMesh mesh;
  for (const auto asked : {std::uint16_t{1}, std::uint16_t{65535}}) {
    SmallMesh world;
    Roster roster = world.roster_of(2);
    LocalHealth health;
    Prober prober(mesh.id(0), 3);
    Instant now = instant(seconds(0));
    prober.watch({mesh.id(1)}, now);
    int probes = 0;
    for (const Instant end = now + seconds(60); now < end;) {
      Outbox out;
      prober.tick(now, roster, health, out);
      for (const auto& [to, ping] : sent<Ping>(out)) {
        ++probes;
        prober.on_ack(to, Ack{ping.sequence, asked}, now + milliseconds(1), health, out);
      }
      now = std::max(prober.next_wakeup(), now + milliseconds(2));
    }
    EXPECT_GE(probes, 38);
    EXPECT_LE(probes, 125);
  }
}

}  // namespace
}  // namespace wigwag
