#include "sim/scenario/read.hpp"

#include <gtest/gtest.h>

#include "sim/scenario/compose.hpp"
#include "sim/scenario/regions.hpp"

namespace wigwag::sim {
namespace {

std::string faults_of(std::string_view text) {
  const auto read = read_scenario(text, "net.toml");
  if (read) return "no faults";
  std::string all;
  for (const auto& fault : read.error()) all += to_string(fault) + "\n";
  return all;
}

Scenario good(std::string_view text) {
  const auto read = read_scenario(text, "nets/net.toml");
  EXPECT_TRUE(read) << faults_of(text);
  return read.value_or(Scenario{});
}

TEST(ReadingAScenario, TakesAnEmptyFileForTheDefaultOne) {
  Scenario expected;
  expected.names = {"net"};
  EXPECT_EQ(good(""), expected);
}

TEST(ReadingAScenario, TakesAllThatAnOperatorSays) {
  const Scenario read = good(R"(
summary = "ours"
nodes = 30
duration = "10m"
seed = 7
[links]
latency = "long-tail:20ms-400ms"
loss = "1%"
bandwidth = "10Mbit/s"
mtu = 1400
bursts = { loss = "50%", between = "1m" }
[join]
pattern = "converged"
seeds = 3
[churn]
rate = "10%/min"
disk = "old"
[[region]]
name = "home"
weight = 3
[[region]]
name = "away"
[[region_link]]
between = ["home", "away"]
latency = "80ms"
[[group]]
name = "laptops"
share = "10%"
region = "home"
nat = { filter = "full-cone", idle = "30s" }
clock = "-1h"
links = { loss = "5%" }
[[event]]
at = "2m"
do = "partition"
for = "1m"
who = { region = "away" }
[[event]]
at = "1m"
do = "weather"
links = { loss = "30%" }
who = { group = "laptops", count = 2 }
)");
  EXPECT_EQ(read.summary, "ours");
  EXPECT_EQ(read.nodes, 30U);
  EXPECT_EQ(read.calm, minutes(1));
  EXPECT_EQ(read.seed, 7U);
  EXPECT_EQ(read.weather.latency.shape, Latency::Shape::long_tail);
  EXPECT_EQ(read.weather.bandwidth, 1'250'000U);
  EXPECT_EQ(read.weather.bursts.loss, 500'000U);
  EXPECT_EQ(read.weather.bursts.between, minutes(1));
  EXPECT_EQ(read.joining.pattern, Joining::Pattern::converged);
  EXPECT_EQ(read.churn.rate_per_minute, 100'000U);
  EXPECT_EQ(read.churn.disk, DiskFate::old);
  ASSERT_EQ(read.regions.size(), 2U);
  EXPECT_EQ(read.regions[0].weight, 3U);
  ASSERT_EQ(read.region_links.size(), 1U);
  ASSERT_EQ(read.groups.size(), 1U);
  EXPECT_EQ(read.groups[0].share, 100'000U);
  EXPECT_EQ(read.groups[0].nat->idle, seconds(30));
  EXPECT_EQ(read.groups[0].clock_s, -3600);
  EXPECT_EQ(read.groups[0].weather->loss, 50'000U);
  EXPECT_EQ(read.groups[0].weather->mtu, 1400U) << "what a group does not say of its links is as everywhere";
  ASSERT_EQ(read.happenings.size(), 2U);
  EXPECT_EQ(read.happenings[0].kind, Happening::Kind::weather) << "sorted by time";
  EXPECT_EQ(read.happenings[0].weather->loss, 300'000U);
  EXPECT_EQ(read.happenings[1].who.region, "away");
}

TEST(ReadingAScenario, ReportsAllFaultsAtOnceWithLineKeyAndWhatIsAllowed) {
  EXPECT_EQ(faults_of(R"(nodes = 0
duration = "10"
calm = 60
[links]
loss = "150%"
latnecy = "20ms"
[join]
pattern = "slowly"
[[group]]
name = "a b"
[[event]]
at = "1m"
do = "explode"
[[event]]
at = "1m"
do = "cut"
disk = "lost"
who = { count = 1, share = "5%" }
[[event]]
do = "busy"
[weather]
)"),
            R"(net.toml:1: nodes: cannot be 0; allowed: a whole number from 1 to 100000
net.toml:2: duration: cannot be "10"; allowed: a time with its unit, as "500ms", "90s", "10m", "1h30m" or "2d", from 1s to 30d
net.toml:3: calm: cannot be 60; allowed: a time with its unit, as "500ms", "90s", "10m", "1h30m" or "2d", from 0s to 30d
net.toml:5: links.loss: cannot be "150%"; allowed: a share from "0%" to "100%", as "5%" or "0.1%"
net.toml:6: links.latnecy: there is no such key; did you mean links.latency?
net.toml:8: join.pattern: cannot be "slowly"; allowed: "storm" or "converged"
net.toml:9: group.share: a group needs either a count, as 3, or a share, as "10%"
net.toml:10: group.name: cannot be "a b"; allowed: a name of at most 40 letters, digits, '-', '_' and '.'
net.toml:13: event.do: cannot be "explode"; allowed: "crash", "reboot", "restart", "leave", "join", "pause", "busy", "cut", "one-way", "partition", "weather", "clock", "move", "rebind", "disk-fails", "flap", "upgrade", "turn-hostile" or "swap"
net.toml:17: event.disk: there is no such key in event; allowed: "at", "do", "who" or "for"
net.toml:18: event.who.share: either a count or a share, not both
net.toml:19: event.at: needed: when it happens, from the start of the run, as "2m"
net.toml:19: event.amount: needed: what each input costs, as "5ms"
net.toml:21: weather: there is no such key here; allowed: "names", "summary", "nodes", "duration", "calm", "seed", "links", "join", "churn", "region", "region_link", "group" or "event"
)");
}

TEST(ReadingAScenario, SaysWhereItIsNoTomlAtAll) {
  const auto text = faults_of("nodes = 3\nloss = 5%\n");
  EXPECT_EQ(text.substr(0, 30), "net.toml:2: this is not TOML: ") << text;
}

TEST(ReadingAScenario, KnowsWhichNamesThereAre) {
  EXPECT_EQ(faults_of("[[group]]\nname = \"laptops\"\ncount = 2\nregion = \"home\"\n[[event]]\nat = \"1m\"\ndo = \"pause\"\nwho = { group = \"laptop\" }\n"),
            "net.toml:1: group.region: there is no region \"home\"; the scenario names none: add a [[region]]\n"
            "net.toml:5: event.who.group: there is no group \"laptop\"; did you mean \"laptops\"?\n");
}

TEST(ReadingAScenario, WantsACalmThatFits) {
  EXPECT_EQ(faults_of("duration = \"1m\"\ncalm = \"1m\"\n"),
            "net.toml:2: calm: 1m does not fit into the duration of 1m (net.toml); allowed: less than that\n");
  EXPECT_EQ(good("duration = \"30s\"\n").calm, seconds(10)) << "where nobody says how long it is, it fits";
}

TEST(ReadingAScenario, TakesEverySeedThereIs) {
  EXPECT_EQ(good("seed = \"18446744073709551615\"\n").seed, UINT64_MAX);
  EXPECT_NE(faults_of("seed = \"18446744073709551616\"\n"), "no faults");
  EXPECT_NE(faults_of("seed = -1\n"), "no faults");
}

TEST(BundledLatencies, JoinAllRegionsOrThoseThatAreNamed) {
  const Scenario all = good("[links]\nlatency = \"regions\"\n");
  const auto names = bundled_regions();
  EXPECT_EQ(all.regions.size(), names.size());
  EXPECT_EQ(all.region_links.size(), names.size() * (names.size() + 1) / 2);
  const Scenario two = good("[links]\nlatency = \"regions\"\n[[region]]\nname = \"eu-west\"\n[[region]]\nname = \"us-east\"\n[[region]]\nname = \"moon\"\n"
                            "[[region_link]]\nbetween = [\"us-east\", \"eu-west\"]\nlatency = \"1s\"\n");
  ASSERT_EQ(two.region_links.size(), 3U) << "one said by the file, two within a region";
  EXPECT_EQ(two.region_links[0].latency.least, seconds(1));
  for (const auto& link : two.region_links) EXPECT_NE(link.a, "moon");
}

}  // namespace
}  // namespace wigwag::sim
