#include "sim/scenario/write.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/explore/mix.hpp"
#include "sim/scenario/read.hpp"
#include "sim/scenario/regions.hpp"
#include "sim/scenario/units.hpp"
#include "tests/base/seeded.hpp"

namespace wigwag::sim {
namespace {

using Kind = Happening::Kind;

Duration some_time(Rng& rng, Duration least, Duration most) { return least + rng.below(most - least + microseconds(1)); }
Ppm some_share(Rng& rng) { return static_cast<Ppm>(rng.below(2) == 0 ? rng.below(always_ppm + 1) : 10'000 * rng.below(101)); }

Latency some_latency(Rng& rng) {
  const auto least = some_time(rng, microseconds(1), seconds(1));
  switch (rng.below(3)) {
    case 0: return {Latency::Shape::fixed, least, {}};
    case 1: return {Latency::Shape::uniform, least, least + some_time(rng, {}, seconds(1))};
    default: return {Latency::Shape::long_tail, least, least + some_time(rng, {}, seconds(1))};
  }
}

Weather some_weather(Rng& rng) {
  Weather weather;
  if (rng.chance(500)) weather.latency = some_latency(rng);
  if (rng.chance(500)) weather.loss = some_share(rng);
  if (rng.chance(300)) weather.bursts = {some_share(rng), some_time(rng, milliseconds(1), minutes(1)), some_time(rng, milliseconds(1), minutes(1))};
  if (rng.chance(300)) weather.duplication = some_share(rng);
  if (rng.chance(300)) weather.reordering = some_share(rng), weather.reordered_by = some_time(rng, {}, seconds(1));
  if (rng.chance(300)) weather.bandwidth = rng.below(1'000'000'000), weather.queue = some_time(rng, {}, seconds(1));
  if (rng.chance(300)) weather.mtu = static_cast<std::uint32_t>(rng.below(65'536));
  return weather;
}

Selection some_nodes(Rng& rng) {
  Selection who;
  if (rng.chance(200)) {
    who.nodes = {rng.below(20), rng.below(20)};
    return who;
  }
  if (rng.chance(300)) who.group = "g0";
  if (rng.chance(300)) who.region = "r1";
  if (rng.chance(300)) {
    who.count = 1 + rng.below(9);
  } else if (rng.chance(500)) {
    who.share = some_share(rng);
  }
  return who;
}

NodeGroup some_group(Rng& rng, std::size_t number) {
  NodeGroup group;
  group.name = "g" + std::to_string(number);
  if (rng.chance(500)) {
    group.count = rng.below(9);
  } else {
    group.share = some_share(rng);
  }
  if (rng.chance(300)) group.region = "r0";
  if (rng.chance(500)) group.nat = NatKind{static_cast<NatKind::Filter>(rng.below(3)), rng.chance(500), rng.chance(500), minutes(2)};
  if (group.nat && rng.chance(300)) group.nat->idle = some_time(rng, seconds(1), hours(1));
  if (rng.chance(300)) group.behind_one = 1 + rng.below(5);
  if (rng.chance(300)) group.clock_s = static_cast<std::int64_t>(rng.below(1'000'000)) - 500'000;
  if (rng.chance(300)) group.cpu = some_time(rng, {}, seconds(1));
  if (rng.chance(500)) group.weather = some_weather(rng);
  group.newer = rng.chance(300);
  if (rng.chance(300)) group.hostile = static_cast<Behaviour>(rng.below(9));
  return group;
}

Happening some_event(Rng& rng) {
  Happening event;
  event.kind = static_cast<Kind>(rng.below(19));
  event.at = some_time(rng, {}, minutes(4));
  event.who = some_nodes(rng);
  const bool spread = event.kind == Kind::crash || event.kind == Kind::reboot || event.kind == Kind::restart || event.kind == Kind::upgrade ||
                      event.kind == Kind::leave || event.kind == Kind::join || event.kind == Kind::move || event.kind == Kind::rebind;
  if (spread && rng.chance(500)) event.spread = some_time(rng, {}, minutes(1));
  const bool lasts = event.kind == Kind::crash || event.kind == Kind::reboot || (!spread && event.kind != Kind::swap);
  if (lasts && rng.chance(500)) event.lasting = some_time(rng, milliseconds(1), minutes(1));
  const bool disk = event.kind == Kind::reboot || event.kind == Kind::restart || event.kind == Kind::upgrade;
  if (disk) event.disk = static_cast<DiskFate>(rng.below(3));
  if (event.kind == Kind::busy || event.kind == Kind::flap) event.amount = some_time(rng, milliseconds(1), seconds(1));
  if (event.kind == Kind::clock) event.amount = some_time(rng, -hours(9), hours(9));
  if (event.kind == Kind::weather) event.weather = some_weather(rng);
  if (event.kind == Kind::one_way) event.other = some_nodes(rng);
  if (event.kind == Kind::turn_hostile) event.behaviour = static_cast<Behaviour>(rng.below(9));
  if (event.kind == Kind::join) event.who = {{}, "g0", "", 1 + rng.below(9), {}};
  return event;
}

Scenario some_scenario(Rng& rng) {
  Scenario scenario;
  scenario.names = {"a", "b \"quoted\"\n\x01 ü"};
  if (rng.chance(500)) scenario.summary = "says \\ what \"it\" is\tabout";
  scenario.nodes = 1 + rng.below(1000);
  scenario.duration = minutes(5) + some_time(rng, {}, minutes(1));
  scenario.calm = some_time(rng, {}, minutes(1));
  if (rng.chance(500)) scenario.seed = rng.next();
  scenario.joining = {static_cast<Joining::Pattern>(rng.below(2)), some_time(rng, {}, minutes(1)), 1 + rng.below(9), rng.chance(500)};
  scenario.weather = some_weather(rng);
  scenario.regions = {{"r0", 1}, {"r1", static_cast<std::uint32_t>(rng.below(9))}};
  if (rng.chance(500)) scenario.region_links = {{"r0", "r1", some_latency(rng)}, {"r1", "r1", some_latency(rng)}};
  for (std::size_t i = 0; i < 1 + rng.below(3); ++i) scenario.groups.push_back(some_group(rng, i));
  if (rng.chance(500)) scenario.churn = {static_cast<Ppm>(rng.below(rate_most)), some_time(rng, {}, minutes(1)), static_cast<DiskFate>(rng.below(3)), some_share(rng)};
  const auto events = rng.below(6);
  for (std::size_t i = 0; i < events; ++i) scenario.happenings.push_back(some_event(rng));
  std::stable_sort(scenario.happenings.begin(), scenario.happenings.end(), [](const Happening& a, const Happening& b) { return a.at < b.at; });
  return scenario;
}

void expect_read_back(const Scenario& scenario) {
  const std::string text = write_scenario(scenario);
  const auto read = read_scenario(text, "written.toml");
  ASSERT_TRUE(read) << to_string(read.error().front()) << "\n" << text;
  EXPECT_EQ(write_scenario(*read), text);
  EXPECT_TRUE(*read == scenario) << text;
}

TEST(WritingAScenario, IsReadBackAsTheSameValue) {
  for_seeds(1000, [](Rng& rng) { expect_read_back(some_scenario(rng)); });
}

TEST(WritingAScenario, KeepsWhatExploringFinds) {
  for_seeds(500, [](Rng& rng) { expect_read_back(random_scenario(rng.next())); });
}

TEST(WritingAScenario, KeepsBundledLatencies) {
  Scenario scenario;
  add_bundled_latencies(scenario);
  expect_read_back(scenario);
}

TEST(WritingAScenario, SaysLittleOfAnOrdinaryOne) {
  Scenario scenario;
  scenario.names = {"steady"};
  scenario.weather.loss = 50'000;
  EXPECT_EQ(write_scenario(scenario), "names = [\"steady\"]\nnodes = 20\nduration = \"5m\"\ncalm = \"1m\"\n\n[links]\nloss = \"5%\"\n");
}

}  // namespace
}  // namespace wigwag::sim
