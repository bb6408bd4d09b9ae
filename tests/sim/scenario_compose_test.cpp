#include "sim/scenario/compose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/bundled.hpp"
#include "sim/scenario/read.hpp"
#include "sim/scenario/write.hpp"

namespace wigwag::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Source source(const std::string& name, const std::string& text) { return {name, name + ".toml", text}; }

Composed composed(const std::vector<Source>& sources, const Overrides& over = {}) {
  auto result = compose(sources, over);
  EXPECT_TRUE(result) << to_string(result ? Fault{} : result.error().front());
  return result.value_or(Composed{});
}

TEST(Composing, OfNothingIsTheDefaultScenario) { EXPECT_EQ(composed({}).scenario, Scenario{}); }

TEST(Composing, ReplacesOnlyWhatTheLaterOnesSay) {
  const auto both = composed({source("net", "summary = \"ours\"\nnodes = 50\nduration = \"9m\"\n[links]\nlatency = \"20ms\"\nloss = \"1%\"\n[churn]\nrate = \"5%/min\"\n"),
                              source("bad", "summary = \"on a bad day\"\n[links]\nloss = \"20%\"\n[churn]\naway = \"5s\"\n")})
                        .scenario;
  EXPECT_THAT(both.names, ElementsAre("net", "bad"));
  EXPECT_EQ(both.summary, "ours; on a bad day");
  EXPECT_EQ(both.nodes, 50U);
  EXPECT_EQ(both.duration, minutes(9));
  EXPECT_EQ(both.weather.latency.least, milliseconds(20));
  EXPECT_EQ(both.weather.loss, 200'000U);
  EXPECT_EQ(both.churn.rate_per_minute, 50'000U);
  EXPECT_EQ(both.churn.away, seconds(5));
}

TEST(Composing, AddsGroupsAndEventsAndReplacesNamesakes) {
  const auto both = composed({source("a", "[[group]]\nname = \"x\"\ncount = 2\n[[group]]\nname = \"y\"\ncount = 2\n[[event]]\nat = \"2m\"\ndo = \"cut\"\n"),
                              source("b", "[[group]]\nname = \"x\"\ncount = 5\n[[group]]\nname = \"z\"\ncount = 1\n[[event]]\nat = \"1m\"\ndo = \"pause\"\n")})
                        .scenario;
  ASSERT_EQ(both.groups.size(), 3U);
  EXPECT_EQ(both.groups[0].count, 5U);
  EXPECT_EQ(both.groups[2].name, "z");
  ASSERT_EQ(both.happenings.size(), 2U);
  EXPECT_EQ(both.happenings[0].kind, Happening::Kind::pause);
}

TEST(Composing, FindsNamesInAnyOfTheFiles) {
  const auto event = source("event", "[[event]]\nat = \"1m\"\ndo = \"pause\"\nwho = { group = \"x\" }\n");
  const auto net = source("net", "[[group]]\nname = \"x\"\ncount = 2\n");
  composed({event, net});
  const auto alone = compose({event}, {});
  ASSERT_FALSE(alone);
  EXPECT_THAT(to_string(alone.error().front()), HasSubstr("event.toml:1: event.who.group: there is no group \"x\""));
}

TEST(Composing, CollectsTheFaultsOfAllFiles) {
  const auto bad = compose({source("a", "nodes = 0\n"), source("b", "\n\nduration = 5\n")}, {});
  ASSERT_FALSE(bad);
  ASSERT_EQ(bad.error().size(), 2U);
  EXPECT_EQ(bad.error()[0].place, (Place{"a.toml", 1}));
  EXPECT_EQ(bad.error()[1].place, (Place{"b.toml", 3}));
}

TEST(Composing, LetsTheCommandLineWin) {
  const auto net = source("net", "nodes = 50\nseed = 3\n[links]\nlatency = \"regions\"\n[churn]\nrate = \"1%/min\"\n[[group]]\nname = \"x\"\ncount = 5\nnat = "
                                 "\"symmetric\"\nbehind_one = 2\nlinks = { loss = \"50%\" }\n");
  Overrides over;
  over.nodes = 10;
  over.duration = minutes(2);
  over.seed = 9;
  over.churn = 0;
  over.loss = 20'000;
  over.latency = parse_latency("7ms");
  over.nat = parse_nat_mix("20% full-cone x3");
  over.partitions = *parse_partitions("50%@30s+30s");
  const auto scenario = composed({net}, over).scenario;
  EXPECT_EQ(scenario.nodes, 10U);
  EXPECT_EQ(scenario.duration, minutes(2));
  EXPECT_EQ(scenario.calm, seconds(40));
  EXPECT_EQ(scenario.seed, 9U);
  EXPECT_EQ(scenario.churn.rate_per_minute, 0U);
  EXPECT_EQ(scenario.weather.loss, 20'000U);
  EXPECT_EQ(scenario.weather.latency.least, milliseconds(7));
  EXPECT_THAT(scenario.region_links, IsEmpty());
  ASSERT_EQ(scenario.groups.size(), 2U);
  EXPECT_EQ(scenario.groups[0].nat, std::nullopt);
  EXPECT_EQ(scenario.groups[0].weather->loss, 20'000U);
  EXPECT_EQ(scenario.groups[0].weather->latency.least, milliseconds(7));
  EXPECT_EQ(scenario.groups[1].share, 200'000U);
  EXPECT_EQ(scenario.groups[1].behind_one, 3U);
  ASSERT_EQ(scenario.happenings.size(), 1U);
}

TEST(Composing, NotesWhatWillNotHappen) {
  Overrides shorter;
  shorter.duration = minutes(2);
  const auto net = source("net", "nodes = 5\n[[group]]\nname = \"x\"\ncount = 9\n[[event]]\nat = \"3m\"\ndo = \"cut\"\nwho = { nodes = [7] }\n");
  EXPECT_THAT(composed({net}, shorter).notes,
              ElementsAre(HasSubstr("the groups ask for 9 nodes, and there are 5"), HasSubstr("net.toml:5: event: cut at 3m does not happen: the calm begins at 80s"),
                          HasSubstr("there is no node 7: the last is 4")));
  EXPECT_THAT(composed({source("net", "[[event]]\nat = \"3m\"\ndo = \"cut\"\n")}).notes, IsEmpty());
}

TEST(BundledScenarios, AreAllReadAndSayWhatTheyAre) {
  const auto& all = bundled_scenarios();
  EXPECT_GE(all.size(), 30U);
  for (const auto& one : all) {
    SCOPED_TRACE(one.name);
    Source file{std::string(one.name), std::string(one.name) + ".toml", std::string(one.text)};
    const auto whole = composed({file});
    EXPECT_THAT(whole.notes, IsEmpty());
    EXPECT_FALSE(one.summary.empty());
    EXPECT_LE(one.summary.size(), 90U);
    EXPECT_EQ(one.text.substr(0, 2), "# ") << "begins with what it is about";
    EXPECT_EQ(whole.scenario.seed, std::nullopt) << "a bundled scenario is for any seed";
    EXPECT_TRUE(*read_scenario(write_scenario(whole.scenario), "written.toml") == whole.scenario);
    // Faults that outlast the storm say nothing about how they heal.
    for (const auto& event : whole.scenario.happenings) {
      EXPECT_LE(event.at + event.lasting.value_or(event.spread), whole.scenario.duration - whole.scenario.calm);
    }
  }
}

TEST(BundledScenarios, HoldWhatWasAskedFor) {
  for (const char* name : {"join-storm", "steady", "churn", "partition-heal", "mass-restart", "rolling-upgrade", "lossy", "nat-mix", "flapping", "liars", "region-outage",
                           "home-office", "memberlist-222-permanent-partition", "memberlist-311-stale-dead"}) {
    EXPECT_NE(bundled_scenario(name), nullptr) << name;
  }
  EXPECT_EQ(bundled_scenario("nonsense"), nullptr);
}

TEST(BundledScenarios, GoOverOneAnother) {
  for (const auto& one : bundled_scenarios()) {
    const auto* lossy = bundled_scenario("lossy");
    const auto both = composed({{std::string(one.name), "a", std::string(one.text)}, {"lossy", "b", std::string(lossy->text)}}).scenario;
    EXPECT_EQ(both.weather.loss, 200'000U) << one.name;
  }
}

}  // namespace
}  // namespace wigwag::sim
