#include "gossip/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace wigwag {
namespace {

TEST(Rng, GivesTheSameRunForASeedOnEveryMachine) {
  Rng zero(0);
  EXPECT_EQ(zero.next(), 0x99ec5f36cb75f2b4ULL);
  EXPECT_EQ(zero.next(), 0xbf6e1f784956452aULL);
  EXPECT_EQ(zero.next(), 0x1a5f849d4933e6e0ULL);
  Rng other(42);
  EXPECT_EQ(other.next(), 0x15780b2e0c2ec716ULL);
  EXPECT_EQ(other.next(), 0x6104d9866d113a7eULL);
}

TEST(Rng, PinsWhatIsDrawnFromIt) {
  Rng rng(7);
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < 6; ++i) drawn.push_back(rng.below(1000));
  std::vector<int> shuffled(8);
  std::iota(shuffled.begin(), shuffled.end(), 0);
  rng.shuffle(shuffled);
  EXPECT_EQ(drawn, (std::vector<std::uint64_t>{700, 278, 839, 981, 990, 872}));
  EXPECT_EQ(shuffled, (std::vector<int>{4, 1, 3, 5, 6, 2, 7, 0}));
}

TEST(Rng, StaysBelowItsBoundAndReachesAllOfIt) {
  Rng rng(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 7000; ++i) ++counts.at(rng.below(7));
  for (int count : counts) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(rng.below(1), 0U);
  for (int i = 0; i < 100; ++i) EXPECT_LT(rng.below((1ULL << 63) + 1), (1ULL << 63) + 1);
}

TEST(Rng, DrawsDurationsBelowASpan) {
  Rng rng(2);
  EXPECT_EQ(rng.below(Duration::zero()), Duration::zero());
  EXPECT_EQ(rng.below(Duration(-5)), Duration::zero());
  for (int i = 0; i < 100; ++i) {
    const Duration drawn = rng.below(Duration(milliseconds(3)));
    EXPECT_GE(drawn, Duration::zero());
    EXPECT_LT(drawn, milliseconds(3));
  }
}

TEST(Rng, TakesChancesInPermille) {
  Rng rng(3);
  int hits = 0;
  for (int i = 0; i < 10000; ++i) hits += rng.chance(250) ? 1 : 0;
  EXPECT_NEAR(hits, 2500, 200);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(rng.chance(0));
    EXPECT_TRUE(rng.chance(1000));
  }
}

TEST(Rng, ShufflesWithoutLosingAnything) {
  Rng rng(4);
  std::vector<int> items(50);
  std::iota(items.begin(), items.end(), 0);
  auto shuffled = items;
  rng.shuffle(shuffled);
  EXPECT_NE(shuffled, items);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, items);
}

TEST(RngDeathTest, HasNothingToDrawFromNothing) {
  Rng rng(5);
  std::vector<int> nothing;
  EXPECT_DEATH(rng.below(0), "broken invariant");
  EXPECT_DEATH(rng.pick(nothing), "broken invariant");
}

}  // namespace
}  // namespace wigwag
