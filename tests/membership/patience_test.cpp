#include "gossip/membership/patience.hpp"

#include <gtest/gtest.h>

#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

TEST(Patience, EndsForEachByItself) {
  Patience patience;
  const auto now = instant(seconds(5));
  for (int times = 0; times < 4; ++times) EXPECT_TRUE(patience.take(numbered_id(1), now));
  EXPECT_FALSE(patience.take(numbered_id(1), now));
  EXPECT_TRUE(patience.take(numbered_id(2), now));
}

TEST(Patience, ComesBackOnceAMinute) {
  Patience patience;
  std::size_t answered = 0;
  for (int second = 0; second < 600; ++second) answered += patience.take(numbered_id(1), instant(seconds(second))) ? 1U : 0U;
  EXPECT_GE(answered, 4U + 9U);
  EXPECT_LE(answered, 4U + 10U);
}

// Who asks under a thousand names is a thousand members; but those do not get one forgotten that has asked too often.
TEST(Patience, RemembersWhoAskedTooOftenAmongManyAskers) {
  Patience patience;
  while (patience.take(numbered_id(1), instant(seconds(0)))) {
  }
  for (std::uint64_t other = 2; other < 2 + 2 * Patience::askers_max; ++other) patience.take(numbered_id(other), instant(seconds(0)));
  EXPECT_FALSE(patience.take(numbered_id(1), instant(seconds(0))));
}

}  // namespace
}  // namespace wigwag
