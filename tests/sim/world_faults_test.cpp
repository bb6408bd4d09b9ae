#include <gtest/gtest.h>

#include <numeric>

#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

class WorldFaults : public testing::Test {
 protected:
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> machines(world.size());
    std::iota(machines.begin(), machines.end(), 0U);
    return machines;
  }
  void grow_to(std::size_t size, const World::Options& options = {}) {
    if (world.size() == 0) world.found();
    while (world.size() < size) world.add(options);
    ASSERT_TRUE(agree_within(seconds(40)));
  }
  bool agree_within(Duration span) {
    return world.run_until(span, [&] { return world.agreed(all()); });
  }
  World world{1};
};

TEST_F(WorldFaults, AConvergedStartKnowsEveryoneAtOnce) {
  world.found_converged(std::vector<World::Options>(20));
  world.run_for(seconds(2));
  for (const auto i : all()) EXPECT_EQ(world.status(i).members.size(), 20U);
  EXPECT_TRUE(agree_within(seconds(15)));
  for (const auto i : all()) EXPECT_TRUE(world.status(i).joined);
  EXPECT_TRUE(world.reaches(3, 17) || world.reaches(3, 17));
}

TEST_F(WorldFaults, SaysNothingWhileItsDiskFailsAndSpeaksWhenItIsMended) {
  grow_to(4);
  world.run_for(seconds(20));
  world.set_disk_failing(2, true);
  const auto before = world.disk(2);
  world.kill(2);
  world.start(2);
  world.run_for(seconds(1));
  EXPECT_TRUE(world.mute(2)) << "its new epoch could not be written";
  EXPECT_EQ(world.disk(2), before);
  EXPECT_TRUE(world.run_until(seconds(20), [&] { return world.sees_down(0, 2); }));
  world.set_disk_failing(2, false);
  EXPECT_TRUE(agree_within(seconds(20)));
  EXPECT_NE(world.disk(2), before);
}

TEST_F(WorldFaults, ASlowProcessorDelaysAndABusyOneDrops) {
  grow_to(4);
  world.set_cpu(2, milliseconds(5));
  world.run_for(seconds(60));
  EXPECT_TRUE(world.agreed(all()));
  world.set_cpu(2, seconds(2));
  EXPECT_TRUE(world.run_until(minutes(3), [&] { return !world.agreed(all()); }));
  world.set_cpu(2, {});
  EXPECT_TRUE(agree_within(minutes(20)));
}

TEST_F(WorldFaults, AMachineThatMovesFreelyIsFoundAgain) {
  grow_to(5);
  world.add({.nat = NatKind{}});
  ASSERT_TRUE(agree_within(seconds(30)));
  for (const std::size_t mover : {3U, 5U}) {
    const auto before = world.underlay().outside(mover);
    world.move(mover);
    EXPECT_NE(world.underlay().outside(mover), before);
    world.run_for(seconds(30));
    EXPECT_TRUE(world.agreed(all()));
    EXPECT_TRUE(world.reaches(0, mover) || world.reaches(0, mover));
  }
}

TEST_F(WorldFaults, ARouterThatForgetsIsGotOver) {
  grow_to(4);
  const auto inside = world.add({.nat = NatKind{}});
  ASSERT_TRUE(agree_within(seconds(30)));
  world.run_for(seconds(30));
  world.rebind(inside);
  world.run_for(seconds(60));
  EXPECT_TRUE(world.agreed(all()));
  EXPECT_TRUE(world.reaches(0, inside) || world.reaches(0, inside));
}

TEST_F(WorldFaults, TellsWhoCouldMeet) {
  world.found();
  const NatKind symmetric{.symmetric = true};
  const auto one = world.add({.nat = symmetric});
  const auto beside = world.add({.beside = one});
  const auto other = world.add({.nat = symmetric});
  EXPECT_TRUE(world.has_physical_path(0, one));
  EXPECT_TRUE(world.has_physical_path(one, beside));
  EXPECT_FALSE(world.has_physical_path(one, other));
  world.kill(one);
  EXPECT_FALSE(world.has_physical_path(0, one));
  world.set_one_way(0, beside, true);
  EXPECT_FALSE(world.has_physical_path(0, beside));
}

// Drops whatever its core says to others in the tunnel, counts what comes, and ticks every second.
class Silent : public Meddler {
 public:
  explicit Silent(std::size_t& ticks) : ticks_(ticks) {}
  void outgoing(Outputs& outputs) override {
    std::erase_if(outputs, [](const Output& one) { return std::holds_alternative<SendTunnel>(one) || std::holds_alternative<SendHello>(one); });
  }
  std::optional<Duration> wants(Now) override { return seconds(1); }
  void tick(Now) override { ++ticks_; }

 private:
  std::size_t& ticks_;
};

TEST_F(WorldFaults, AMeddlerStandsBetweenACoreAndTheWorld) {
  grow_to(5);
  world.run_for(seconds(10));
  std::size_t ticks = 0;
  world.set_meddler(3, std::make_unique<Silent>(ticks));
  EXPECT_TRUE(world.run_until(seconds(20), [&] { return world.sees_down(0, 3); }));
  world.run_for(seconds(10));
  EXPECT_GE(ticks, 10U);
  world.set_meddler(3, nullptr);
  EXPECT_TRUE(agree_within(seconds(30)));
}

TEST_F(WorldFaults, AWipedDiskJoinsAgainByItsInvitation) {
  grow_to(4);
  world.kill(2);
  world.wipe_disk(2);
  EXPECT_TRUE(world.disk(2).empty());
  world.start(2);
  EXPECT_TRUE(agree_within(seconds(30)));
}

TEST_F(WorldFaults, AnotherSeedIsAnotherRunAndTheSameIsTheSame) {
  const auto run = [](std::uint64_t seed) {
    World one(seed);
    one.found_converged(std::vector<World::Options>(6));
    one.set_weather({.loss = 50'000, .duplication = 10'000, .reordering = 100'000});
    one.run_for(seconds(20));
    return one.trace_hash();
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

}  // namespace
}  // namespace wigwag::sim
