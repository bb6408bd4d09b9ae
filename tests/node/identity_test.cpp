#include <gtest/gtest.h>

#include "sim/world/world.hpp"
#include "tests/node/lone_node.hpp"

namespace wigwag {
namespace {

TEST(OwnRecord, OutbidsANewerOneThatOthersHold) {
  LoneNode lone;
  lone.settle();
  const Version foreign{lone.status().self.epoch + 5, 3};
  lone.raised.clear();
  const auto outputs = lone.step(lone.from(2, Push{{SmallMesh::record_item(lone.mesh.record(LoneNode::self, foreign))}}));
  EXPECT_TRUE(lone.has_raised(EventKind::version_adopted));
  EXPECT_EQ(lone.status().self.epoch, foreign.epoch);
  EXPECT_EQ(lone.status().self.sequence, foreign.sequence + 1);
  EXPECT_EQ(lone.status().self.tunnel_key, lone.mesh.record_body(LoneNode::self).tunnel_key);
  EXPECT_EQ(decode_stored(lone.disk)->epoch, foreign.epoch) << "the next life begins above it";
  lone.run_for(seconds(1));
  const auto heard = lone.own_records_heard_by(0);
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.back().version, (Version{foreign.epoch, foreign.sequence + 1}));
}

TEST(OwnRecord, RefutesEveryAccusation) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto before = lone.status().self;
  lone.own_records_heard_by(0);
  lone.step(lone.from(2, Push{{lone.mesh.accusation(2, LoneNode::self, {before.epoch, before.sequence})}}));
  lone.run_for(seconds(1));
  EXPECT_GT(lone.status().self.sequence, before.sequence);
  EXPECT_EQ(lone.status().self.health, Health::alive);
  EXPECT_FALSE(lone.own_records_heard_by(0).empty());
  EXPECT_EQ(lone.node->counters().refutations_made, 1U);
}

TEST(OwnRecord, IsNotForgedByWhoHasNotTheKey) {
  LoneNode lone;
  lone.settle();
  const auto before = lone.status().self;
  Record forged = lone.mesh.record_body(LoneNode::self, {before.epoch + 1, 0});
  lone.step(lone.from(2, Push{{SmallMesh::record_item(make_record(forged, lone.mesh.network, lone.mesh.identity(2)))}}));
  EXPECT_EQ(lone.status().self.epoch, before.epoch);
  EXPECT_EQ(lone.node->counters().dropped_refused, 1U);
}

TEST(OwnRecord, GoesOnAboveTheMarkAfterAStaleBackup) {
  LoneNode lone;
  const Bytes backup = lone.disk;
  lone.settle();
  const auto last = lone.status().self;
  lone.disk = backup;
  lone.now.wall.seconds -= 1'000'000;
  lone.start();
  lone.settle();
  ASSERT_LT(lone.status().self.epoch, last.epoch);
  lone.step(lone.from(0, Push{{SmallMesh::record_item(lone.mesh.record(LoneNode::self, {last.epoch, last.sequence}))}}));
  EXPECT_EQ(lone.status().self.epoch, last.epoch);
  EXPECT_GT(lone.status().self.sequence, last.sequence);
}

// A backup from before the goodbye: its new versions are above that of the goodbye, which is final all the same.
TEST(OwnRecord, OfWhoSaidGoodbyeEndsTheMembershipWhateverItsVersion) {
  for (const std::uint32_t ahead : {0U, 7U}) {
    LoneNode lone;
    lone.settle();
    Record goodbye = lone.mesh.record_body(LoneNode::self, {ahead == 0 ? 1 : lone.status().self.epoch + ahead, 0});
    goodbye.left = true;
    lone.raised.clear();
    lone.step(lone.from(2, Push{{SmallMesh::record_item(lone.mesh.sign(goodbye, LoneNode::self))}}));
    lone.run_for(seconds(10));
    EXPECT_FALSE(lone.status().joined) << ahead;
    EXPECT_NE(lone.status().waiting_for.find("goodbye"), std::string::npos) << lone.status().waiting_for;
    EXPECT_TRUE(lone.has_raised(EventKind::join_failed));
    EXPECT_FALSE(lone.has_raised(EventKind::record_refused));
  }
}

TEST(Leaving, IsToldBeforeItEnds) {
  LoneNode lone;
  lone.settle();
  lone.heard_by(0);
  bool left = false;
  lone.step(LeaveCommand{});
  for (int wakeups = 0; wakeups < 40 && !left; ++wakeups) {
    lone.advance_to(lone.node->next_wakeup());
    for (const auto& output : lone.wake()) left = left || std::holds_alternative<Left>(output);
  }
  EXPECT_TRUE(left);
  for (const std::uint64_t other : {0U, 2U, 3U}) {
    const auto heard = lone.own_records_heard_by(other);
    ASSERT_FALSE(heard.empty()) << other;
    EXPECT_TRUE(heard.back().left);
  }
  EXPECT_EQ(lone.node->next_wakeup(), never);
}

}  // namespace

namespace sim {
namespace {

class Identity : public testing::Test {
 protected:
  void grow_to(std::size_t size) {
    world.found();
    while (world.size() < size) world.add();
    ASSERT_TRUE(world.run_until(seconds(40), [&] {
      std::vector<std::size_t> all;
      for (std::size_t i = 0; i < size; ++i) all.push_back(i);
      return world.agreed(all);
    }));
  }
  World world{5};
};

TEST_F(Identity, ThatSaidGoodbyeDoesNotComeBackFromItsDisk) {
  grow_to(4);
  world.leave(2);
  world.run_for(seconds(5));
  world.kill(2);
  world.start(2);
  world.run_for(minutes(1));
  EXPECT_TRUE(world.agreed({0, 1, 3}));
  EXPECT_EQ(world.health(0, 2), Health::left);
}

TEST_F(Identity, ThatSaidGoodbyeDoesNotComeBackFromABackup) {
  grow_to(4);
  const auto backup = world.disk(2);
  world.leave(2);
  world.run_for(seconds(5));
  world.kill(2);
  world.restore_disk(2, backup);
  world.start(2);
  world.run_for(minutes(2));
  EXPECT_TRUE(world.agreed({0, 1, 3}));
  for (const std::size_t other : {0U, 1U, 3U}) EXPECT_EQ(world.health(other, 2), Health::left);
}

TEST_F(Identity, JoinsWhateverItsClockSays) {
  constexpr std::int64_t year = 365LL * 24 * 3600;
  grow_to(3);
  for (const std::int64_t years : {-20, -3, -1, 1, 20}) {
    const auto machine = world.add();
    world.kill(machine);
    world.set_clock_error(machine, years * year);
    world.start(machine);
    EXPECT_TRUE(world.run_until(minutes(2), [&] { return world.status(machine).joined && world.status(0).digest == world.status(machine).digest; }))
        << years << " years: " << world.status(machine).waiting_for;
    EXPECT_EQ(world.health(0, machine), Health::alive);
    EXPECT_EQ(world.health(machine, 0), Health::alive) << "nothing has run out for it";
  }
}

// Epochs of years to come must not be spent: with its clock mended it would not be believed.
TEST_F(Identity, OutlivesAClockThatWasYearsAhead) {
  grow_to(3);
  for (const std::int64_t years : {20, 0}) {
    world.kill(2);
    world.set_clock_error(2, years * 365LL * 24 * 3600);
    world.start(2);
    EXPECT_TRUE(world.run_until(minutes(1), [&] { return world.agreed({0, 1, 2}); })) << years << " years: " << world.status(2).waiting_for;
  }
}

TEST_F(Identity, IsNotMovedByAClockThatJumpsYears) {
  constexpr std::int64_t year = 365LL * 24 * 3600;
  grow_to(4);
  for (const std::int64_t years : {5, -30, 0}) {
    world.set_clock_error(3, years * year);
    world.run_for(minutes(5));
    EXPECT_TRUE(world.agreed({0, 1, 2, 3})) << years << " years";
  }
}

}  // namespace
}  // namespace sim
}  // namespace wigwag
