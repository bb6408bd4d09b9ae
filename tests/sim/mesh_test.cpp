#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <numeric>

#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// Every test of a mesh runs from one seed, printed, and again with another by
// WIGWAG_SEED=n ctest -R Mesh.
std::uint64_t seed() {
  const char* given = std::getenv("WIGWAG_SEED");
  const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  std::cout << "seed " << value << " (replay with WIGWAG_SEED=" << value << ")\n";
  return value;
}

class Mesh : public testing::Test {
 protected:
  Mesh() : world(seed()) {}

  std::vector<std::size_t> all() const {
    std::vector<std::size_t> machines(world.size());
    std::iota(machines.begin(), machines.end(), 0U);
    return machines;
  }
  std::vector<std::size_t> all_but(std::size_t one) const {
    auto machines = all();
    std::erase(machines, one);
    return machines;
  }
  void grow_to(std::size_t size) {
    if (world.size() == 0) world.found();
    while (world.size() < size) world.add();
    ASSERT_TRUE(world.run_until(seconds(30), [&] { return world.agreed(all()); })) << explain();
    world.run_for(seconds(20));
    ASSERT_TRUE(world.agreed(all())) << explain();
  }
  std::string explain() const {
    std::string text = "at " + std::to_string(to_seconds(world.now().at.time_since_epoch())) + " s\n";
    for (std::size_t i = 0; i < world.size(); ++i) {
      text += std::to_string(i) + ": ";
      if (!world.running(i)) {
        text += "not running\n";
        continue;
      }
      const auto view = world.status(i);
      text += view.joined ? "joined" : "waiting: " + view.waiting_for;
      text += " digest " + to_hex(view.digest).substr(0, 8);
      for (const auto& member : view.members) text += " " + member.name + "=" + to_string(member.health) + "@" + std::to_string(member.sequence);
      text += "\n";
    }
    return text;
  }
  void expect_every_pair_reaches() {
    for (const auto from : all()) {
      for (const auto to : all()) {
        if (from == to) continue;
        EXPECT_TRUE(world.reaches(from, to)) << from << " to " << to;
      }
    }
  }

  World world;
};

TEST_F(Mesh, JoinsThroughOneSeedAndEveryPairReaches) {
  grow_to(8);
  expect_every_pair_reaches();
}

TEST_F(Mesh, NoticesADeadMemberEverywhereWithinSevenSeconds) {
  grow_to(8);
  world.set_cable(3, false);
  EXPECT_TRUE(world.run_until(seconds(7), [&] {
    for (const auto i : all_but(3)) {
      if (!world.sees_down(i, 3)) return false;
    }
    return true;
  })) << explain();
  for (const auto i : all_but(3)) EXPECT_EQ(world.desired(i)->peers.size(), 7U) << "no peer is removed";
  world.run_for(seconds(60));
  world.set_cable(3, true);
  EXPECT_TRUE(world.run_until(seconds(15), [&] { return world.agreed(all()); })) << explain();
  expect_every_pair_reaches();
}

TEST_F(Mesh, HealsAfterHalfIsCutFromHalf) {
  grow_to(8);
  for (std::size_t i = 0; i < 4; ++i) world.set_group(i, 1);
  EXPECT_TRUE(world.run_until(seconds(15), [&] { return world.agreed({0, 1, 2, 3}) && world.agreed({4, 5, 6, 7}); })) << explain();
  world.run_for(minutes(3));
  for (std::size_t i = 0; i < 4; ++i) world.set_group(i, 0);
  world.run_for(seconds(15));
  EXPECT_TRUE(world.agreed(all())) << explain();
  expect_every_pair_reaches();
}

TEST_F(Mesh, AMinorityNoticesThatTheMajorityIsGone) {
  grow_to(8);
  for (std::size_t i = 3; i < 8; ++i) world.set_cable(i, false);
  EXPECT_TRUE(world.run_until(seconds(30), [&] { return world.agreed({0, 1, 2}); })) << explain();
}

// Alone it cannot get the votes together, and knows all the same that it is.
TEST_F(Mesh, OneOfManyKnowsThatItIsCutOffAndFindsBack) {
  grow_to(30);
  world.set_cable(7, false);
  EXPECT_TRUE(world.run_until(seconds(10), [&] { return world.agreed(all_but(7)); })) << explain();
  world.run_for(minutes(2));
  const auto& told = world.events_of(7);
  EXPECT_TRUE(std::any_of(told.begin(), told.end(), [](const Event& event) { return event.kind == EventKind::isolated; }));
  world.set_cable(7, true);
  EXPECT_TRUE(world.run_until(seconds(15), [&] { return world.agreed(all()); })) << explain();
}

TEST_F(Mesh, TwoMembersNoticeEachOther) {
  grow_to(2);
  world.set_cable(1, false);
  EXPECT_TRUE(world.run_until(seconds(10), [&] { return world.sees_down(0, 1); })) << explain();
  world.run_for(minutes(10));
  world.set_cable(1, true);
  EXPECT_TRUE(world.run_until(seconds(15), [&] { return world.agreed(all()); })) << explain();
}

TEST_F(Mesh, SurvivesItsSeed) {
  grow_to(6);
  world.kill(0);
  world.set_cable(0, false);
  EXPECT_TRUE(world.run_until(seconds(8), [&] { return world.agreed(all_but(0)); })) << explain();
}

TEST_F(Mesh, ComesBackFromDiskWithoutASeed) {
  grow_to(6);
  for (const auto i : all()) world.kill(i);
  world.run_for(minutes(30));
  for (const auto i : all()) {
    world.reboot(i);
    world.start(i, false);
  }
  EXPECT_TRUE(world.run_until(seconds(15), [&] { return world.agreed(all()); })) << explain();
  expect_every_pair_reaches();
}

TEST_F(Mesh, ForgetsWhoSaysGoodbyeWithinTwoSeconds) {
  grow_to(6);
  world.leave(2);
  EXPECT_TRUE(world.run_until(seconds(2), [&] { return world.has_left(2) && world.agreed(all_but(2)); })) << explain();
  const auto disk = world.disk(2);
  world.kill(2);
  world.run_for(minutes(2));
  EXPECT_TRUE(world.agreed(all_but(2)));
  for (const auto i : all_but(2)) EXPECT_EQ(world.desired(i)->peers.size(), 4U);
}

TEST_F(Mesh, SettlesTwoClaimsToOneAddress) {
  const auto wanted = Address::parse("10.99.7.7");
  world.found();
  world.add({.ipv4 = wanted});
  world.add({.ipv4 = wanted});
  world.add();
  EXPECT_TRUE(world.run_until(seconds(30), [&] {
    if (!world.agreed(all())) return false;
    std::set<Address> held;
    for (const auto i : all()) {
      const auto own = world.status(i).self.ipv4;
      if (own) held.insert(*own);
    }
    return held.size() == 4;
  })) << explain();
  EXPECT_EQ(world.status(1).self.ipv4 == wanted || world.status(2).self.ipv4 == wanted, true);
}

TEST_F(Mesh, ReachesAMemberBehindAMasqueradingRouter) {
  grow_to(4);
  world.add({.nat = NatKind{}});
  ASSERT_TRUE(world.run_until(seconds(20), [&] { return world.agreed(all()); })) << explain();
  world.run_for(seconds(5));
  expect_every_pair_reaches();
  world.run_for(minutes(5));
  expect_every_pair_reaches();
}

TEST_F(Mesh, FollowsAMemberToItsNewAddress) {
  grow_to(6);
  world.move(4, *Address::parse("203.0.113.77"));
  world.run_for(seconds(20));
  EXPECT_TRUE(world.agreed(all())) << explain();
  expect_every_pair_reaches();
}

TEST_F(Mesh, LetsAFleetWithOneSecretStartAtOneMoment) {
  world.found();
  world.kill(0);
  for (int i = 0; i < 7; ++i) world.add({.certify_itself = true});
  world.run_for(seconds(5));
  world.start(0);
  EXPECT_TRUE(world.run_until(seconds(30), [&] { return world.agreed(all()); })) << explain();
}

TEST_F(Mesh, AdmitsAOneUseInvitationOnce) {
  world.found();
  world.add({.uses = 1});
  ASSERT_TRUE(world.run_until(seconds(10), [&] { return world.agreed({0, 1}); })) << explain();
  world.add({.uses = 1});
  world.run_for(seconds(20));
  EXPECT_FALSE(world.status(2).joined);
  EXPECT_NE(world.status(2).waiting_for.find("refused"), std::string::npos) << world.status(2).waiting_for;
  EXPECT_TRUE(world.agreed({0, 1}));
}

TEST_F(Mesh, DoesNotBlameAnyoneForItsOwnPause) {
  grow_to(8);
  world.pause(5);
  world.run_for(seconds(30));
  world.resume(5);
  EXPECT_TRUE(world.run_until(seconds(15), [&] { return world.agreed(all()); })) << explain();
  for (const auto i : all()) {
    for (const auto& event : world.events_of(i)) {
      if (event.kind != EventKind::member_down) continue;
      EXPECT_EQ(event.name, "node-5");
    }
  }
}

TEST_F(Mesh, GoesOnAboveARestoredBackup) {
  grow_to(4);
  const auto backup = world.disk(2);
  for (int i = 0; i < 3; ++i) {
    world.kill(2);
    world.start(2, false);
    world.run_for(seconds(5));
  }
  world.kill(2);
  world.restore_disk(2, backup);
  world.set_clock_error(2, -400LL * 24 * 3600);
  world.start(2, false);
  EXPECT_TRUE(world.run_until(seconds(20), [&] { return world.agreed(all()); })) << explain();
}

// A machine without a battery for its clock: what it signs must not have run out before it is heard.
TEST_F(Mesh, LetsInAMachineWhoseClockSays1970) {
  grow_to(3);
  const auto late = world.add();
  world.set_clock_error(late, -World::wall_at_start);
  EXPECT_TRUE(world.run_until(seconds(20), [&] { return world.agreed(all()); })) << explain();
  world.run_for(minutes(3));
  EXPECT_TRUE(world.agreed(all())) << explain();
}

// Its state was lost but for its own admission: the others remember it, and call.
TEST_F(Mesh, TakesBackAFounderWhoHasForgottenEveryone) {
  grow_to(1);
  const auto backup = world.disk(0);
  grow_to(4);
  world.kill(0);
  world.restore_disk(0, backup);
  world.start(0, false);
  EXPECT_TRUE(world.run_until(seconds(30), [&] { return world.agreed(all()); })) << explain();
}

// Everyone's state is from the moment of its admission: each knows but the one that let it in.
TEST_F(Mesh, FindsTogetherFromStatesOfTheMomentOfJoining) {
  grow_to(1);
  std::vector<Bytes> backups{world.disk(0)};
  for (int joiner = 0; joiner < 3; ++joiner) {
    const auto machine = world.add();
    ASSERT_TRUE(world.run_until(seconds(10), [&] { return world.status(machine).joined; }));
    backups.push_back(world.disk(machine));
  }
  grow_to(4);
  for (std::size_t i = 0; i < 4; ++i) {
    world.kill(i);
    world.restore_disk(i, backups[i]);
    world.start(i, false);
  }
  EXPECT_TRUE(world.run_until(seconds(60), [&] { return world.agreed(all()); })) << explain();
}

TEST_F(Mesh, StaysAgreedUnderLoss) {
  grow_to(12);
  world.set_weather({.loss = 50'000, .duplication = 10'000});
  world.run_for(minutes(30));
  for (const auto i : all()) {
    for (const auto& event : world.events_of(i)) EXPECT_NE(event.kind, EventKind::member_down) << i << " of " << event.name;
  }
}

TEST_F(Mesh, SameSeedGivesTheSameTrace) {
  const auto run = [] {
    World one(42);
    one.found();
    for (int i = 0; i < 5; ++i) one.add();
    one.run_for(seconds(30));
    one.set_cable(2, false);
    one.run_for(seconds(30));
    return one.trace_hash();
  };
  EXPECT_EQ(run(), run());
}

TEST_F(Mesh, IdlesCheaply) {
  grow_to(16);
  std::uint64_t before = 0;
  for (const auto i : all()) before += world.underlay_bytes(i);
  world.run_for(minutes(10));
  std::uint64_t after = 0;
  for (const auto i : all()) after += world.underlay_bytes(i);
  const auto per_node_second = static_cast<double>(after - before) / 600 / static_cast<double>(world.size());
  std::cout << per_node_second << " bytes a second and node, without WireGuard's own overhead\n";
  EXPECT_LT(per_node_second, 600);
}

TEST_F(Mesh, FiftyJoinAtOnce) {
  world.found();
  for (int i = 0; i < 49; ++i) world.add();
  EXPECT_TRUE(world.run_until(seconds(40), [&] { return world.agreed(all()); })) << explain();
  std::cout << "agreed after " << to_seconds(world.now().at.time_since_epoch()) - 1 << " s\n";
}

}  // namespace
}  // namespace wigwag::sim
