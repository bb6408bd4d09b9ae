#include <gtest/gtest.h>

#include "gossip/membership/repair_budget.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

constexpr std::size_t answer_bytes = 24'000;  // the most that one Compare is answered with

class RepairBudgetTest : public testing::Test {
 protected:
  std::size_t asked(const NodeId& asker, Duration since, std::size_t bytes = answer_bytes) {
    if (!budget.allows(asker, instant(since))) return 0;
    budget.spend(asker, bytes, instant(since));
    return bytes;
  }

  RepairBudget budget;
  const NodeId greedy = numbered_id(1);
};

TEST_F(RepairBudgetTest, GivesOneAllWhereNobodyElseAsks) {
  constexpr std::size_t span_s = 60;
  std::size_t got = 0;
  for (std::size_t tick = 0; tick < span_s * 100; ++tick) got += asked(greedy, milliseconds(10) * tick);
  EXPECT_GE(got, 256'000 + span_s * 127'000);
  EXPECT_LE(got, 512'000 + span_s * 128'000 + answer_bytes) << "and no more than there is";
}

TEST_F(RepairBudgetTest, TakesNothingFromTheOthersForOneWhoNeverStopsAsking) {
  for (int tick = 0; tick < 60 * 6; ++tick) {
    const Duration at = milliseconds(167) * tick;
    asked(greedy, at);
    if (tick % 6 != 0) continue;
    for (std::uint64_t other = 2; other < 5; ++other) EXPECT_GT(asked(numbered_id(other), at), 0U) << "in second " << tick / 6;
  }
}

TEST_F(RepairBudgetTest, StaysWithinTheRateHoweverManyAsk) {
  constexpr std::size_t span_s = 30;
  std::size_t got = 0;
  for (std::size_t tick = 0; tick < span_s * 10; ++tick) {
    for (std::uint64_t other = 1; other < 30; ++other) got += asked(numbered_id(other), milliseconds(100) * tick);
  }
  EXPECT_LE(got, 512'000 + span_s * 128'000 + answer_bytes);
}

// Thousands who ask once must not make it forget who asked for too much.
TEST_F(RepairBudgetTest, RemembersWhoAskedForTooMuchAmongManyAskers) {
  while (asked(greedy, seconds(0)) != 0) {
  }
  for (std::uint64_t other = 2; other < 2 + 2 * RepairBudget::askers_max; ++other) asked(numbered_id(other), seconds(0), 1);
  EXPECT_EQ(asked(greedy, seconds(0)), 0U);
  EXPECT_GT(asked(numbered_id(2), seconds(0)), 0U);
}

}  // namespace
}  // namespace wigwag
