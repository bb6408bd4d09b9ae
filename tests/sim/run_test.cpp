#include <gtest/gtest.h>

#include <algorithm>

#include "sim/run/run.hpp"
#include "sim/run/stage.hpp"

using namespace wigwag;
using namespace wigwag::sim;

namespace {

Scenario small(std::size_t nodes, Duration duration, Duration calm) {
  Scenario scenario;
  scenario.nodes = nodes;
  scenario.duration = duration;
  scenario.calm = calm;
  return scenario;
}

Happening happening(Happening::Kind kind, Duration at, std::vector<std::size_t> nodes, std::optional<Duration> lasting = {}) {
  Happening one;
  one.kind = kind;
  one.at = at;
  one.lasting = lasting;
  one.who.nodes = std::move(nodes);
  return one;
}

std::string words(const RunOutcome& outcome) {
  std::string all;
  for (const auto& broken : outcome.broken) all += broken.invariant + ": " + broken.text + "\n";
  return all;
}

// A world and a stage on it, without a run around them.
struct Theatre : Audience {
  Theatre(const Scenario& played, std::uint64_t seed) : scenario(played), world(seed), stage(world, scenario, seed, *this) {
    world.watch(&stage);
    stage.begin();
  }
  void condition_changed(std::size_t machine, const Condition& condition) override {
    if (machine >= conditions.size()) conditions.resize(machine + 1);
    conditions[machine] = condition;
  }
  void moved(std::size_t) override { ++moves; }
  void healed() override { ++heals; }

  void go_to(Duration at) {
    const Instant end = stage.facts().began + at;
    while (world.instant() < end) {
      const Instant next = std::min(end, stage.next());
      if (next > world.instant()) world.run_for(next - world.instant());
      stage.play();
    }
  }

  Scenario scenario;
  World world;
  std::vector<Condition> conditions;
  int moves = 0, heals = 0;
  Stage stage;
};

}  // namespace

TEST(Run, GivesOneTraceForOneSeed) {
  auto scenario = small(6, seconds(20), seconds(5));
  scenario.weather.loss = 50'000;
  scenario.churn = {.rate_per_minute = 500'000, .away = seconds(3), .disk = DiskFate::lost, .fresh = 300'000};
  const auto first = run(scenario, 7, {});
  const auto again = run(scenario, 7, {});
  const auto other = run(scenario, 8, {});
  EXPECT_EQ(first.trace, again.trace);
  EXPECT_EQ(first.moments.size(), again.moments.size());
  EXPECT_NE(first.trace, other.trace);
}

TEST(Run, IsTheSameWhoeverWatches) {
  const auto scenario = small(5, seconds(10), seconds(2));
  double clock = 0;
  int samples = 0;
  RunControl control;
  control.moments = false;
  control.wall_clock = [&] { return clock += 1; };
  control.stop = [] { return false; };
  control.progress = [&](const Sample&, double, double) { ++samples; };
  const auto watched = run(scenario, 3, control);
  const auto alone = run(scenario, 3, {});
  EXPECT_EQ(watched.trace, alone.trace);
  EXPECT_EQ(samples, 10);
  EXPECT_GT(watched.wall_s, 0);
  EXPECT_EQ(alone.wall_s, 0);
  EXPECT_TRUE(watched.moments.empty());
  EXPECT_FALSE(alone.moments.empty());
}

TEST(Run, EndsEarlyWhenItIsTold) {
  RunControl control;
  int looks = 0;
  control.stop = [&] { return ++looks == 50; };
  const auto outcome = run(small(4, minutes(10), seconds(10)), 1, control);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_NEAR(outcome.simulated_s, 5.0, 1e-6);
  EXPECT_EQ(outcome.samples.size(), 5U);
  EXPECT_EQ(outcome.nodes, 4U);
}

TEST(Run, KeepsItsPromisesThroughChurnAndComesToRest) {
  auto scenario = small(8, seconds(100), seconds(45));
  scenario.churn = {.rate_per_minute = 1'000'000, .away = seconds(8), .disk = DiskFate::kept, .fresh = 0};
  const auto outcome = run(scenario, 5, {});
  EXPECT_EQ(words(outcome), "");
  EXPECT_EQ(outcome.samples.back().running, 8U);
  EXPECT_EQ(outcome.samples.back().true_views, 1.0);
  const auto stops = std::count_if(outcome.moments.begin(), outcome.moments.end(), [](const Moment& m) { return m.what == Moment::What::stopped; });
  EXPECT_GE(stops, 4);
}

TEST(Run, TakesAScenarioOfOneNode) {
  const auto outcome = run(small(1, seconds(5), seconds(1)), 1, {});
  EXPECT_EQ(outcome.all_joined.has_value(), true);
  EXPECT_EQ(outcome.seed_bytes_per_joiner, 0.0);
  EXPECT_EQ(words(outcome), "");
}

TEST(Stage, UndoesWhatLastsWhenTheCalmBegins) {
  auto scenario = small(6, seconds(60), seconds(20));
  scenario.happenings = {happening(Happening::Kind::crash, seconds(10), {1}, minutes(10)), happening(Happening::Kind::cut, seconds(10), {2}, minutes(10)),
                         happening(Happening::Kind::pause, seconds(10), {3}, minutes(10)), happening(Happening::Kind::crash, seconds(10), {4}),
                         happening(Happening::Kind::partition, seconds(12), {5}, minutes(10))};
  Theatre theatre(scenario, 2);
  theatre.go_to(seconds(30));
  EXPECT_FALSE(theatre.world.running(1));
  EXPECT_FALSE(theatre.world.connected(2));
  EXPECT_TRUE(theatre.world.paused(3));
  EXPECT_NE(theatre.conditions[5].side, theatre.conditions[0].side);
  EXPECT_FALSE(theatre.stage.facts().machines[1].sound);
  theatre.go_to(seconds(41));
  EXPECT_TRUE(theatre.stage.calm());
  EXPECT_TRUE(theatre.world.running(1));
  EXPECT_TRUE(theatre.world.connected(2));
  EXPECT_FALSE(theatre.world.paused(3));
  EXPECT_FALSE(theatre.world.running(4));
  EXPECT_FALSE(theatre.stage.facts().machines[4].expected);
  EXPECT_TRUE(theatre.stage.facts().machines[1].expected);
  EXPECT_EQ(theatre.conditions[5].side, theatre.conditions[0].side);
  EXPECT_EQ(theatre.heals, 1);
  EXPECT_TRUE(theatre.world.has_physical_path(0, 5));
}

TEST(Stage, EndsAFaultWithTheLastOfThoseThatOverlap) {
  auto scenario = small(3, seconds(60), seconds(5));
  scenario.happenings = {happening(Happening::Kind::cut, seconds(10), {1}, seconds(20)), happening(Happening::Kind::cut, seconds(15), {1}, seconds(5)),
                         happening(Happening::Kind::crash, seconds(10), {2}, seconds(5)), happening(Happening::Kind::reboot, seconds(12), {2}, seconds(20))};
  Theatre theatre(scenario, 1);
  theatre.go_to(seconds(21));
  EXPECT_FALSE(theatre.world.connected(1));
  EXPECT_FALSE(theatre.world.running(2));
  theatre.go_to(seconds(33));
  EXPECT_TRUE(theatre.world.connected(1));
  EXPECT_TRUE(theatre.world.running(2));
}

TEST(Stage, PutsTheCableBackOfOneThatFlaps) {
  auto scenario = small(3, seconds(40), seconds(10));
  auto flap = happening(Happening::Kind::flap, seconds(5), {1});
  flap.amount = seconds(4);
  scenario.happenings = {flap};
  Theatre theatre(scenario, 1);
  theatre.go_to(seconds(6));
  EXPECT_FALSE(theatre.world.connected(1));
  theatre.go_to(seconds(10));
  EXPECT_TRUE(theatre.world.connected(1));
  theatre.go_to(seconds(14));
  EXPECT_FALSE(theatre.world.connected(1));
  for (int second = 30; second < 40; ++second) {
    theatre.go_to(seconds(second));
    EXPECT_TRUE(theatre.world.connected(1)) << "at " << second;
  }
}

TEST(Stage, PassesAddressesRoundAmongThoseWhoAreBehindNoRouter) {
  auto scenario = small(6, seconds(60), seconds(20));
  scenario.joining = {.pattern = Joining::Pattern::converged, .over = {}, .seeds = 5, .certify_themselves = false};
  NodeGroup hidden;
  hidden.name = "hidden";
  hidden.count = 1;
  hidden.nat = NatKind{};
  scenario.groups = {hidden};  // the last: all the others are seeds
  scenario.happenings = {happening(Happening::Kind::swap, seconds(10), {1, 2, 4, 5})};
  Theatre theatre(scenario, 3);
  theatre.go_to(seconds(9));
  std::vector<Address> before;
  for (std::size_t node = 0; node < 6; ++node) before.push_back(theatre.world.address(node));
  theatre.go_to(seconds(11));
  const std::vector<std::size_t> whose{0, 2, 4, 3, 1, 5};
  for (std::size_t node = 0; node < 6; ++node) EXPECT_EQ(theatre.world.address(node), before[whose[node]]) << node;
  EXPECT_EQ(theatre.moves, 3);
  theatre.go_to(seconds(59));
  EXPECT_TRUE(theatre.world.agreed({0, 1, 2, 3, 4, 5}));
  for (std::size_t from = 0; from < 5; ++from) EXPECT_TRUE(theatre.world.reaches(from, from + 1)) << from;
}

TEST(Stage, LetsJoinAndLeaveAndSaysWhoIsMeantToBeThere) {
  auto scenario = small(4, seconds(40), seconds(10));
  auto join = happening(Happening::Kind::join, seconds(10), {});
  join.who.count = 2;
  scenario.happenings = {join, happening(Happening::Kind::leave, seconds(15), {3})};
  Theatre theatre(scenario, 1);
  theatre.go_to(seconds(39));
  EXPECT_EQ(theatre.world.size(), 6U);
  EXPECT_FALSE(theatre.world.running(3));
  EXPECT_TRUE(theatre.stage.facts().machines[3].removed);
  EXPECT_TRUE(theatre.world.agreed({0, 1, 2, 4, 5}));
}

TEST(Stage, LosesADiskOrGivesBackAnOldOne) {
  auto scenario = small(3, seconds(60), seconds(10));
  auto lost = happening(Happening::Kind::restart, seconds(10), {1});
  lost.disk = DiskFate::lost;
  auto old = happening(Happening::Kind::restart, seconds(10), {2});
  old.disk = DiskFate::old;
  scenario.happenings = {lost, old};
  Theatre theatre(scenario, 1);
  theatre.go_to(seconds(59));
  EXPECT_EQ(theatre.stage.facts().machines[1].disks, 1U);
  EXPECT_EQ(theatre.stage.facts().machines[2].disks, 1U);
  EXPECT_TRUE(theatre.world.agreed({0, 1, 2}));
}

TEST(Cast, ChoosesTheSameWhoeverElseIsChosen) {
  auto scenario = small(50, minutes(1), seconds(10));
  const Cast cast(scenario, 4);
  Selection who;
  who.count = 5;
  const auto all = [](std::size_t) { return true; };
  Rng first = rng_for(4, "crash"), again = rng_for(4, "crash"), other = rng_for(4, "pause");
  const auto chosen = cast.choose(who, first, all);
  EXPECT_EQ(chosen.size(), 5U);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(chosen, cast.choose(who, again, all));
  EXPECT_NE(chosen, cast.choose(who, other, all));
}

TEST(Cast, SharesOutGroupsRegionsAndRouters) {
  auto scenario = small(40, minutes(1), seconds(10));
  scenario.joining.seeds = 3;
  scenario.regions = {{"near", 3}, {"far", 1}};
  NodeGroup homes;
  homes.name = "homes";
  homes.share = 500'000;
  homes.nat = NatKind{};
  homes.behind_one = 4;
  homes.region = "far";
  scenario.groups = {homes};
  const Cast cast(scenario, 9);
  std::size_t in_group = 0, routers = 0, near = 0;
  for (std::size_t node = 0; node < cast.size(); ++node) {
    if (node < 3) {
      EXPECT_EQ(cast.group(node), nullptr) << "a seed is somebody ordinary";
    }
    if (cast.region_name(node) == "near") ++near;
    if (cast.group(node) == nullptr) continue;
    ++in_group;
    EXPECT_EQ(cast.region_name(node), "far");
    const auto& beside = cast.role(node).beside;
    if (!beside) ++routers;
    EXPECT_LT(beside.value_or(0), node);
  }
  EXPECT_EQ(in_group, 20U);
  EXPECT_EQ(routers, 5U);
  EXPECT_EQ(near, 15U);
}
