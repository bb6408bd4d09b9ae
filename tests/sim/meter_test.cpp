#include <gtest/gtest.h>

#include <algorithm>

#include "sim/run/meter.hpp"
#include "sim/run/run.hpp"
#include "sim/run/stage.hpp"

using namespace wigwag;
using namespace wigwag::sim;

namespace {

using Kind = Happening::Kind;

Scenario quiet(std::size_t nodes, Duration duration) {
  Scenario scenario;
  scenario.nodes = nodes;
  scenario.duration = duration;
  scenario.calm = seconds(0);
  scenario.joining.pattern = Joining::Pattern::converged;
  return scenario;
}

Happening happening(Kind kind, Duration at, std::vector<std::size_t> nodes, std::optional<Duration> lasting = {}) {
  Happening one;
  one.kind = kind;
  one.at = at;
  one.lasting = lasting;
  one.who.nodes = std::move(nodes);
  return one;
}

// A run whose world the test looks into.
struct Measured {
  Measured(const Scenario& played, std::uint64_t seed)
      : scenario(played),
        world(seed),
        meter(world, seed, scenario.nodes, scenario.duration, scenario.joining.certify_themselves, true),
        stage(world, scenario, seed, meter) {
    world.watch(&stage);
    world.watch(&meter);
    stage.begin();
  }

  void go(Duration span, const std::function<bool()>& done = [] { return false; }) {
    const Instant end = world.instant() + span;
    while (world.instant() < end && !done()) {
      const Instant next = std::min({end, next_tick, stage.next()});
      if (next > world.instant()) world.run_for(next - world.instant());
      stage.play();
      if (world.instant() < next_tick) continue;
      next_tick += milliseconds(100);
      meter.tick();
      if (world.instant() >= meter.next_sample()) last = meter.sample();
    }
  }
  double at() const { return to_seconds(world.instant() - stage.facts().began); }
  RunOutcome outcome() {
    RunOutcome all;
    meter.fill(all);
    return all;
  }

  Scenario scenario;
  World world;
  Meter meter;
  Stage stage;
  Sample last;
  Instant next_tick = world.instant() + milliseconds(100);
};

std::size_t count(const RunOutcome& outcome, Moment::What what) {
  return static_cast<std::size_t>(std::count_if(outcome.moments.begin(), outcome.moments.end(), [&](const Moment& one) { return one.what == what; }));
}

}  // namespace

TEST(Figure, IsOfWhatWasObserved) {
  EXPECT_EQ(figure_of({}).count, 0U);
  const auto one = figure_of({3});
  EXPECT_EQ(one.p50, 3);
  EXPECT_EQ(one.p99, 3);
  std::vector<double> hundred;
  for (int value = 100; value >= 1; --value) hundred.push_back(value);
  const auto many = figure_of(hundred);
  EXPECT_EQ(many.count, 100U);
  EXPECT_EQ(many.p50, 50);
  EXPECT_EQ(many.p90, 90);
  EXPECT_EQ(many.p99, 99);
  EXPECT_EQ(many.max, 100);
}

TEST(Bits, AreASet) {
  Bits bits;
  EXPECT_TRUE(bits.add(70));
  EXPECT_FALSE(bits.add(70));
  EXPECT_TRUE(bits.add(3));
  EXPECT_EQ(bits.count(), 2U);
  std::vector<std::size_t> seen;
  bits.for_each([&](std::size_t at) { seen.push_back(at); });
  EXPECT_EQ(seen, (std::vector<std::size_t>{3, 70}));
  EXPECT_TRUE(bits.drop(70));
  EXPECT_FALSE(bits.drop(70));
  EXPECT_FALSE(bits.has(1000));
  EXPECT_EQ(bits.count(), 1U);
}

TEST(Meter, TimesAStormOfJoinersAsTheWorldShowsIt) {
  auto scenario = quiet(10, seconds(30));
  scenario.joining.pattern = Joining::Pattern::storm;
  Measured run(scenario, 1);
  const auto all = [&] {
    for (std::size_t node = 0; node < 10; ++node) {
      if (!run.world.running(node) || !run.world.node(node).joined()) return false;
    }
    return true;
  };
  run.go(seconds(30), all);
  const double joined = run.at();
  run.go(seconds(30), [&] { return run.world.agreed({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}); });
  const double agreed = run.at();
  run.go(seconds(1));
  const auto outcome = run.outcome();
  ASSERT_TRUE(outcome.all_joined && outcome.all_agreed);
  EXPECT_NEAR(*outcome.all_joined, joined, 0.11);
  EXPECT_LE(*outcome.all_agreed, agreed + 0.11);
  EXPECT_GE(*outcome.all_agreed, *outcome.all_joined);
  EXPECT_EQ(outcome.join.count, 9U);
  EXPECT_LE(outcome.join.max, joined);
  EXPECT_GT(outcome.seed_bytes_per_joiner, 100);
  EXPECT_EQ(count(outcome, Moment::What::joined), 10U);
  EXPECT_EQ(outcome.false_downs, 0U);
}

TEST(Meter, TimesACrashUntilTheOthersSeeItDown) {
  auto scenario = quiet(10, seconds(60));
  scenario.happenings = {happening(Kind::reboot, seconds(10), {4})};
  Measured run(scenario, 3);
  const auto seeing = [&] {
    std::size_t observers = 0;
    for (std::size_t node = 0; node < 10; ++node) observers += node != 4 && run.world.sees_down(node, 4) ? 1U : 0U;
    return observers;
  };
  run.go(seconds(60), [&] { return seeing() >= 5; });
  const double half = run.at() - 10;
  run.go(seconds(60), [&] { return seeing() == 9; });
  const double all = run.at() - 10;
  run.go(seconds(2));
  EXPECT_EQ(run.last.downs, 9U);
  EXPECT_EQ(run.last.running, 9U);
  EXPECT_EQ(run.last.false_downs, 0U);
  EXPECT_EQ(run.last.true_views, 1.0);
  const auto outcome = run.outcome();
  ASSERT_EQ(outcome.detection.count, 1U);
  EXPECT_NEAR(outcome.detection_half.max, half, 0.11);
  EXPECT_NEAR(outcome.detection.max, all, 0.11);
  EXPECT_NEAR(outcome.detection_all.max, all, 0.11);
  EXPECT_NEAR(outcome.convergence.max, all, 0.21);
  EXPECT_EQ(outcome.false_downs, 0U);
}

TEST(Meter, DoesNotTakeAShortRestartForACrash) {
  auto scenario = quiet(8, seconds(40));
  scenario.happenings = {happening(Kind::restart, seconds(10), {3}), happening(Kind::crash, seconds(15), {5}, milliseconds(400))};
  Measured run(scenario, 2);
  run.go(seconds(40));
  const auto outcome = run.outcome();
  EXPECT_EQ(outcome.detection_all.count, 0U);
  EXPECT_EQ(outcome.false_downs, 0U);
  EXPECT_EQ(run.last.joined, 8U);
}

TEST(Meter, SaysAtLeastHowLongAVerdictTookThatNeverCame) {
  auto scenario = quiet(12, seconds(60));
  // An observer that is busy beyond measure concludes nothing, and does not count as paused.
  auto busy = happening(Kind::busy, seconds(5), {2});
  busy.amount = seconds(3600);
  scenario.happenings = {busy, happening(Kind::reboot, seconds(10), {1})};
  Measured soon(scenario, 1);
  soon.go(seconds(25));
  EXPECT_EQ(soon.outcome().detection_all.count, 0U);
  Measured late(scenario, 1);
  late.go(seconds(50));
  const auto outcome = late.outcome();
  EXPECT_EQ(outcome.detection_half.count, 1U);
  EXPECT_LT(outcome.detection_half.max, 15);
  ASSERT_EQ(outcome.detection_all.count, 1U);
  EXPECT_NEAR(outcome.detection_all.max, 40, 0.2);
}

TEST(Meter, TimesAPartitionsHealing) {
  auto scenario = quiet(10, seconds(100));
  scenario.happenings = {happening(Kind::partition, seconds(10), {5, 6, 7, 8, 9}, seconds(30))};
  Measured run(scenario, 4);
  run.go(seconds(39));
  EXPECT_FALSE(run.world.has_physical_path(0, 9));
  EXPECT_GT(run.last.downs, 20U);
  EXPECT_EQ(run.last.false_downs, 0U);
  run.go(seconds(2), [&] { return run.world.has_physical_path(0, 9); });
  run.go(seconds(50), [&] { return run.world.agreed({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}); });
  const double took = run.at() - 40;
  run.go(seconds(1));
  const auto outcome = run.outcome();
  ASSERT_EQ(outcome.healing.count, 1U);
  EXPECT_NEAR(outcome.healing.max, took, 0.21);
  EXPECT_EQ(outcome.false_downs, 0U);
  EXPECT_EQ(outcome.detection.count, 0U);
}

TEST(Meter, CountsNoVerdictAgainstThePausedAsFalse) {
  auto scenario = quiet(20, seconds(60));
  for (int round = 0; round < 3; ++round) {
    scenario.happenings.push_back(happening(Kind::pause, seconds(10 + 12 * round), {static_cast<std::size_t>(3 + round), static_cast<std::size_t>(9 + round)}, seconds(9)));
  }
  Measured run(scenario, 6);
  run.go(seconds(60));
  const auto outcome = run.outcome();
  EXPECT_GT(count(outcome, Moment::What::down), 0U);
  EXPECT_EQ(outcome.false_downs, 0U);
  EXPECT_EQ(outcome.detection_all.count, 0U);
}

TEST(Meter, CountsAVerdictAgainstTheHealthyAsFalse) {
  Measured run(quiet(6, seconds(30)), 1);
  run.go(seconds(10));
  run.meter.raised(2, Event{EventKind::member_down, run.world.id(4), "node-4", ""});
  run.go(seconds(1));
  EXPECT_EQ(run.last.downs, 1U);
  EXPECT_EQ(run.last.false_downs, 1U);
  run.meter.raised(2, Event{EventKind::member_alive, run.world.id(4), "node-4", ""});
  const auto outcome = run.outcome();
  EXPECT_EQ(outcome.false_downs, 1U);
  EXPECT_EQ(outcome.moments.back().what, Moment::What::cleared);
}

TEST(Meter, TimesAnUpdate) {
  auto scenario = quiet(12, seconds(60));
  scenario.happenings = {happening(Kind::move, seconds(20), {5})};
  Measured run(scenario, 1);
  run.go(seconds(60));
  const auto outcome = run.outcome();
  ASSERT_GE(outcome.update.count, 1U);
  EXPECT_GT(outcome.update.max, 0.02);
  EXPECT_LT(outcome.update.p50, 5);
  EXPECT_EQ(count(outcome, Moment::What::moved), 1U);
}

TEST(Meter, CountsBytesAndReachesWhoCanBeReached) {
  struct Scale : Observer {
    void sent(std::size_t, std::size_t bytes, bool) override { all += bytes; }
    std::uint64_t all = 0;
  } scale;
  Measured run(quiet(10, seconds(40)), 1);
  run.go(seconds(1));                    // the daemons start within it, one after the other
  run.world.watch(&scale);
  run.go(seconds(39));
  const auto sent = static_cast<double>(scale.all);
  const auto outcome = run.outcome();
  double sampled = 0;
  for (std::size_t at = 1; at < outcome.samples.size(); ++at) sampled += outcome.samples[at].bytes_per_node_s * 10;
  EXPECT_EQ(outcome.samples.size(), 40U);
  EXPECT_NEAR(sampled, sent, sent * 0.001);
  EXPECT_EQ(outcome.reachable, 1.0);
  EXPECT_EQ(outcome.bytes_per_node_s.count, 10U);
  EXPECT_NEAR(outcome.node_hours, 10 * 40 / 3600.0, 0.005);
}

TEST(Meter, SeesThatNobodyIsReachedWithoutATunnel) {
  auto scenario = quiet(6, seconds(40));
  Happening weather = happening(Kind::weather, seconds(10), {});
  Weather storm;
  storm.loss = always_ppm;
  weather.weather = storm;
  scenario.happenings = {weather};
  Measured run(scenario, 1);
  run.go(seconds(25));
  EXPECT_EQ(run.last.reachable, 0.0);
}

TEST(Meter, ThinsTheSamplesOfLongRuns) {
  Measured run(quiet(2, hours(2)), 1);
  run.go(seconds(60));
  EXPECT_EQ(run.outcome().samples.size(), 5U);  // one every twelve seconds
}
