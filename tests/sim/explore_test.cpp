#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/explore/explore.hpp"
#include "sim/explore/mix.hpp"
#include "sim/explore/shrink.hpp"

namespace wigwag::sim {
namespace {

using Kind = Happening::Kind;

TEST(Mix, GivesOneScenarioASeedAndAnotherForAnother) {
  EXPECT_EQ(random_scenario(7), random_scenario(7));
  EXPECT_NE(random_scenario(7), random_scenario(8));
}

TEST(Mix, StaysWithinItsBoundsAndHasEveryKindOfFaultSomewhere) {
  const MixBounds bounds{.nodes_most = 20, .duration_most = minutes(4), .happenings_most = 9};
  std::set<Kind> kinds;
  std::set<Behaviour> behaviours;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const Scenario scenario = random_scenario(seed, bounds);
    ASSERT_GE(scenario.nodes, 2U) << seed;
    ASSERT_LE(scenario.nodes, 20U) << seed;
    ASSERT_LE(scenario.duration, minutes(4)) << seed;
    ASSERT_LE(scenario.happenings.size(), 9U) << seed;
    for (const auto& event : scenario.happenings) {
      kinds.insert(event.kind);
      ASSERT_LE(event.at, scenario.duration - scenario.calm) << seed;
    }
    for (const auto& group : scenario.groups) {
      if (group.hostile) behaviours.insert(*group.hostile);
    }
  }
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(Kind::turn_hostile)) << "all but that one: groups are hostile from the start";
  EXPECT_EQ(behaviours.size(), 7U);
}

// What is looked for needs a pause, and a network of at least five.
bool is_bad(const Scenario& scenario) {
  return scenario.nodes >= 5 && std::any_of(scenario.happenings.begin(), scenario.happenings.end(), [](const auto& h) { return h.kind == Kind::pause; });
}

TEST(Shrink, LeavesWhatTheFaultNeedsAndNothingElse) {
  std::size_t shrunk = 0;
  for (std::uint64_t seed = 1; shrunk < 20; ++seed) {
    const Scenario scenario = random_scenario(seed);
    if (!is_bad(scenario)) continue;
    ++shrunk;
    const auto small = shrink(scenario, is_bad, 2000).scenario;
    EXPECT_TRUE(is_bad(small)) << seed;
    EXPECT_EQ(small.nodes, 5U) << seed;
    EXPECT_EQ(small.happenings.size(), 1U) << seed;
    EXPECT_TRUE(small.groups.empty()) << seed;
    EXPECT_EQ(small.weather, Weather{}) << seed;
    EXPECT_EQ(small.churn, Churn{}) << seed;
  }
}

TEST(Shrink, AsksNoMoreOftenThanItMay) {
  std::size_t asked = 0;
  const auto count = [&](const Scenario&) { return ++asked, false; };
  const auto result = shrink(random_scenario(3), count, 10);
  EXPECT_EQ(asked, 10U);
  EXPECT_EQ(result.tries, 10U);
  EXPECT_EQ(result.scenario, random_scenario(3)) << "what does not break any more is not taken";
}

TEST(Explore, FindsTheSameWithOneThreadAndWithMany) {
  Exploration exploration{.first_seed = 100, .runs = 4, .threads = 1, .bounds = {.nodes_most = 6, .duration_most = minutes(2)}, .stop = {}, .progress = {}};
  const auto alone = explore(exploration);
  exploration.threads = 3;
  const auto together = explore(exploration);
  EXPECT_EQ(alone.runs, 4U);
  EXPECT_EQ(alone.trace, together.trace);
  EXPECT_EQ(alone.found.size(), together.found.size());
}

TEST(Explore, EndsWhenItIsToldToAndSaysHowFarItCame) {
  std::size_t done = 0;
  const Exploration exploration{.runs = 1000,
                                .bounds = {.nodes_most = 4, .duration_most = minutes(2), .happenings_most = 2},
                                .stop = [&] { return done >= 2; },
                                .progress = [&](std::size_t runs, std::size_t) { done = runs; }};
  EXPECT_EQ(explore(exploration).runs, 2U);
}

}  // namespace
}  // namespace wigwag::sim
