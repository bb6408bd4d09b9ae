#include <gtest/gtest.h>

#include "tests/sim/watched_world.hpp"

namespace wigwag::sim {
namespace {

// Twelve members of whom the last two, or more, turn on the others. Whatever they do, no honest member
// may come to harm: every checker watches, and none of the honest is ever taken for Down.
class Hostile : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::size_t size = 12;
  WatchedWorld watched{size, GetParam()};
  World& world = watched.world;

  void play(Behaviour behaviour, std::vector<std::size_t> machines = {10, 11}, int seconds_ = 90) {
    ASSERT_TRUE(watched.settle()) << watched.told();
    before_ = {watched.sum(&NodeCounters::dropped_refused), watched.sum(&NodeCounters::dropped_malformed), watched.sum(&NodeCounters::dropped_unproven),
               watched.sum(&NodeCounters::refutations_made)};
    watched.turn_hostile(behaviour, std::move(machines));
    watched.pass(seconds_);
    EXPECT_EQ(watched.count(EventKind::member_down, true), 0U) << watched.told();
  }
  void end() {
    for (std::size_t machine = 0; machine < size; ++machine) {
      if (watched.facts.machines[machine].hostile) world.set_meddler(machine, nullptr);
    }
    watched.pass(45);
    watched.end_calm();
    EXPECT_TRUE(watched.found.empty()) << watched.told();
    EXPECT_TRUE(world.agreed({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})) << watched.told();
  }
  const Gang::Deeds& deeds() const { return watched.gang->deeds; }
  struct Before {
    std::uint64_t refused, malformed, unproven, refuted;
  } before_{};
};

INSTANTIATE_TEST_SUITE_P(Seeds, Hostile, testing::Values(1, 2, 3), [](const auto& seed) { return std::to_string(seed.param); });

TEST_P(Hostile, AccusersOfEveryoneAreRefutedAndThenIgnored) {
  play(Behaviour::accuse_everyone);
  EXPECT_GT(deeds().accusations, 2 * 10U);
  EXPECT_GT(watched.count(EventKind::member_suspect, true), 0U);
  EXPECT_GT(watched.sum(&NodeCounters::refutations_made), before_.refuted);
  // Once everybody has heard three refutations of each, there is peace: what goes on is signed, and passed on by nobody.
  const auto refuted = watched.sum(&NodeCounters::refutations_made);
  watched.pass(60);
  EXPECT_LT(watched.sum(&NodeCounters::refutations_made) - refuted, 10 * 10U);
  end();
}

TEST_P(Hostile, AccusersOfOneDoNotPutItOut) {
  play(Behaviour::accuse_one);
  EXPECT_GT(deeds().accusations, 2U);
  EXPECT_GT(world.node(0).counters().refutations_made, 0U);
  end();
}

TEST_P(Hostile, FivesColludeAgainstOneInVain) {
  play(Behaviour::accuse_one, {7, 8, 9, 10, 11});
  end();
}

TEST_P(Hostile, ForgeriesAreRefused) {
  play(Behaviour::forge);
  EXPECT_GT(deeds().forgeries, 100U);
  EXPECT_GT(watched.sum(&NodeCounters::dropped_refused), before_.refused + 100);
  EXPECT_EQ(watched.count(EventKind::member_left, false), 0U);
  end();
}

TEST_P(Hostile, WhatIsReplayedIsOldNews) {
  ASSERT_TRUE(watched.settle());
  watched.turn_hostile(Behaviour::replay, {10, 11});
  watched.pass(30);
  watched.fall(4);
  watched.pass(20);
  watched.rise(4);  // and from now on there is something old to be said about it
  world.leave(5);
  watched.facts.machines[5] = {.hostile = false, .expected = false, .sound = false, .sound_since = {}, .disks = 0, .removed = true};
  watched.pass(60);
  EXPECT_GT(deeds().replays, 500U);
  EXPECT_GT(watched.gang->loot().size(), 12U);
  EXPECT_GT(watched.sum(&NodeCounters::dropped_unproven), 0U);
  for (std::size_t machine = 0; machine < size; ++machine) {
    if (machine == 5) continue;
    EXPECT_EQ(world.health(machine, 5), Health::left) << machine;
  }
  watched.end_calm();
  EXPECT_TRUE(watched.found.empty()) << watched.told();
}

TEST_P(Hostile, EquivocatorsAreFoundOut) {
  play(Behaviour::equivocate);
  EXPECT_GT(deeds().equivocations, 10U);
  EXPECT_GT(watched.count(EventKind::equivocation, false), 0U);
  end();
}

TEST_P(Hostile, FloodsAreDroppedAndCounted) {
  play(Behaviour::flood);
  EXPECT_GT(deeds().floods, 2 * 150 * 60U);
  EXPECT_GT(watched.sum(&NodeCounters::dropped_malformed), before_.malformed + 500);
  EXPECT_GT(watched.sum(&NodeCounters::hello_dropped), 500U);
  end();
}

TEST_P(Hostile, TheSilentHoldNothingBackFromTheRest) {
  play(Behaviour::ack_and_drop, {8, 9, 10, 11}, 30);
  watched.fall(3);
  watched.pass(30);
  watched.rise(3);
  watched.pass(30);
  EXPECT_GT(deeds().swallowed, 100U);
  EXPECT_EQ(world.health(0, 3), Health::alive);
  for (const std::size_t silent : {8U, 9U, 10U, 11U}) EXPECT_EQ(world.health(0, silent), Health::alive) << "it answers probes";
  end();
}

// The first that memberlist's victims did was to say something newer than the accusation, which wrapped round.
TEST_P(Hostile, AccusationsBeyondAllVersionsMoveNobody) {
  ASSERT_TRUE(watched.settle()) << watched.told();
  std::vector<Version> before;
  for (std::size_t machine = 0; machine < 10; ++machine) before.push_back(world.node(machine).version_of(world.id(machine)));
  play(Behaviour::accuse_beyond);
  EXPECT_GT(deeds().accusations, 1000U);
  EXPECT_EQ(watched.count(EventKind::member_suspect, true), 0U) << "of versions that nobody signed nobody is accused";
  EXPECT_EQ(watched.sum(&NodeCounters::refutations_made), before_.refuted);
  for (std::size_t machine = 0; machine < 10; ++machine) {
    const Version after = world.node(machine).version_of(world.id(machine));
    EXPECT_GE(after, before[machine]) << machine;
    EXPECT_EQ(after.epoch, before[machine].epoch) << machine;
    EXPECT_EQ(world.node(0).version_of(world.id(machine)), after) << machine;
  }
  end();
}

TEST_P(Hostile, NothingOfAnotherNetworkGetsIn) {
  play(Behaviour::mingle);
  EXPECT_GT(deeds().mingled, 1000U);
  EXPECT_GT(watched.sum(&NodeCounters::dropped_refused), before_.refused + 100) << "its members";
  EXPECT_GT(watched.sum(&NodeCounters::dropped_unproven), before_.unproven + 100) << "what is said under its keys";
  EXPECT_GT(watched.sum(&NodeCounters::hello_dropped), 100U) << "its calls";
  for (std::size_t machine = 0; machine < 10; ++machine) EXPECT_EQ(world.status(machine).members.size(), world.status(0).members.size()) << machine;
  EXPECT_LE(world.status(0).members.size(), size);
  end();
}

TEST_P(Hostile, AllKindsAtOnceHarmNobody) {
  ASSERT_TRUE(watched.settle());
  watched.turn_hostile(Behaviour::accuse_everyone, {9});
  watched.turn_hostile(Behaviour::replay, {10});
  play(Behaviour::forge, {11});
  end();
}

TEST(HostileRuns, AreTheSameForTheSameSeed) {
  const auto run = [](std::uint64_t seed) {
    WatchedWorld watched(8, seed, false);
    watched.settle();
    watched.turn_hostile(Behaviour::accuse_everyone, {5});
    watched.turn_hostile(Behaviour::flood, {6});
    watched.turn_hostile(Behaviour::equivocate, {7});
    watched.world.run_for(seconds(20));
    return watched.world.trace_hash();
  };
  EXPECT_EQ(run(9), run(9));
  EXPECT_NE(run(9), run(10));
}

}  // namespace
}  // namespace wigwag::sim
