#include <gtest/gtest.h>

#include "gossip/membership/local_health.hpp"
#include "gossip/membership/peer_clock.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

constexpr UnixTime ours{1'000'000};
UnixTime ahead_by(std::int64_t seconds) { return UnixTime{ours.seconds + seconds}; }

TEST(PeerClock, TrustsItselfWhenNobodySpeaks) {
  const PeerClock clock;
  EXPECT_TRUE(clock.trusted());
  EXPECT_EQ(clock.median_offset_s(), 0);
}

TEST(PeerClock, DoubtsItselfBeyondTwoHoursOfTheMedian) {
  for (const std::int64_t sign : {-1, 1}) {
    PeerClock clock;
    clock.heard(numbered_id(1), ahead_by(sign * PeerClock::tolerance_s), ours);
    EXPECT_TRUE(clock.trusted());
    clock.heard(numbered_id(1), ahead_by(sign * (PeerClock::tolerance_s + 1)), ours);
    EXPECT_FALSE(clock.trusted());
  }
}

TEST(PeerClock, IsNotMovedByAMinorityOfLiars) {
  PeerClock clock;
  for (std::uint64_t number = 0; number < 5; ++number) clock.heard(numbered_id(number), ahead_by(3), ours);
  for (std::uint64_t number = 5; number < 9; ++number) clock.heard(numbered_id(number), ahead_by(1'000'000), ours);
  EXPECT_EQ(clock.median_offset_s(), 3);
  EXPECT_TRUE(clock.trusted());
}

// Strays may be the first that are heard; what was dated by them would have run out for everybody else.
TEST(PeerClock, DecidesItselfBetweenPeersThatDisagree) {
  for (const std::int64_t sign : {-1, 1}) {
    PeerClock clock;
    clock.heard(numbered_id(1), ahead_by(sign * 1'000'000), ours);
    EXPECT_FALSE(clock.trusted()) << "one against one: the other's word";
    clock.heard(numbered_id(2), ours, ours);
    EXPECT_TRUE(clock.trusted());
    clock.heard(numbered_id(3), ahead_by(sign * 1'000'000), ours);
    EXPECT_TRUE(clock.trusted()) << "two against one and itself";
    clock.heard(numbered_id(4), ahead_by(sign * 1'000'000), ours);
    EXPECT_FALSE(clock.trusted()) << "three against one and itself";
  }
}

TEST(PeerClock, HearsOnePeerOnce) {
  PeerClock clock;
  clock.heard(numbered_id(1), ours, ours);
  clock.heard(numbered_id(2), ours, ours);
  for (int i = 0; i < 50; ++i) clock.heard(numbered_id(3), ahead_by(1'000'000), ours);
  EXPECT_TRUE(clock.trusted());
}

TEST(PeerClock, StillKnowsThePeersAfterItWasSet) {
  PeerClock clock;
  clock.heard(numbered_id(1), ahead_by(3), ours);
  clock.shift(1'000'000);
  EXPECT_FALSE(clock.trusted());
  EXPECT_EQ(clock.median_offset_s(), 3 - 1'000'000);
  clock.shift(-1'000'000);
  EXPECT_TRUE(clock.trusted());
}

TEST(LocalHealth, WaitsLongerAfterMissesAndRecovers) {
  LocalHealth health;
  EXPECT_EQ(health.multiplier(), 1);
  health.missed();
  EXPECT_EQ(health.multiplier(), 2);
  for (int i = 0; i < 10; ++i) health.missed();
  EXPECT_EQ(health.multiplier(), 3) << "bounded";
  health.answered();
  health.answered();
  EXPECT_EQ(health.multiplier(), 1);
  health.answered();
  EXPECT_EQ(health.multiplier(), 1);
}

TEST(LocalHealth, BlamesNobodyForAWhileAfterAPause) {
  LocalHealth health;
  const Instant now = instant(seconds(0));
  EXPECT_FALSE(health.frozen(now));
  health.paused(now);
  EXPECT_TRUE(health.frozen(now));
  EXPECT_FALSE(health.frozen(health.frozen_until()));
  EXPECT_GE(health.frozen_until(), now + seconds(1));
  EXPECT_EQ(health.multiplier(), 3);
}

}  // namespace
}  // namespace wigwag
