#include "sim/scenario/units.hpp"

#include <gtest/gtest.h>

#include "sim/scenario/words.hpp"
#include "tests/base/seeded.hpp"

namespace wigwag::sim {
namespace {

TEST(Units, ReadTimesAsPeopleWriteThem) {
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("90s"), seconds(90));
  EXPECT_EQ(parse_duration("10m"), minutes(10));
  EXPECT_EQ(parse_duration("2h"), hours(2));
  EXPECT_EQ(parse_duration("1d"), hours(24));
  EXPECT_EQ(parse_duration("1h30m"), minutes(90));
  EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_duration("0.25ms"), microseconds(250));
  EXPECT_EQ(parse_duration("7us"), microseconds(7));
  EXPECT_EQ(parse_duration("0s"), Duration::zero());
  EXPECT_EQ(parse_shift("-365d"), -hours(24 * 365));
}

TEST(Units, RefuseWhatIsNoTime) {
  for (const char* text : {"", "10", "m", "10 m", "-1s", "1.s", ".5s", "1..5s", "1.5us", "10min", "1e3s", "99999999999999999999s", "999999999999999999d",
                           "s1", "1s2", "0x1s", "1h-30m", "٣s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_shift("--1s"), std::nullopt);
}

TEST(Units, ReadSharesToAMillionth) {
  EXPECT_EQ(parse_share("5%"), 50'000U);
  EXPECT_EQ(parse_share("0.1%"), 1'000U);
  EXPECT_EQ(parse_share("0.0001%"), 1U);
  EXPECT_EQ(parse_share("100%"), always_ppm);
  for (const char* text : {"", "5", "%", "5 %", "101%", "100.0001%", "0.00001%", "-1%", "5%/min", "0,5%"}) EXPECT_EQ(parse_share(text), std::nullopt) << text;
  EXPECT_EQ(parse_rate("10%/min"), 100'000U);
  EXPECT_EQ(parse_rate("1000%/min"), rate_most);
  for (const char* text : {"10%", "10%/h", "1000.1%/min", "/min"}) EXPECT_EQ(parse_rate(text), std::nullopt) << text;
}

TEST(Units, ReadBandwidthInBits) {
  EXPECT_EQ(parse_bandwidth("10Mbit/s"), 1'250'000U);
  EXPECT_EQ(parse_bandwidth("64kbit/s"), 8'000U);
  EXPECT_EQ(parse_bandwidth("2.5Gbit/s"), 312'500'000U);
  EXPECT_EQ(parse_bandwidth("unlimited"), 0U);
  for (const char* text : {"", "10", "10Mbit", "0bit/s", "1bit/s", "10MB/s", "-1kbit/s"}) EXPECT_EQ(parse_bandwidth(text), std::nullopt) << text;
}

TEST(Units, ReadLatencyModels) {
  using Shape = Latency::Shape;
  EXPECT_EQ(parse_latency("20ms"), (Latency{Shape::fixed, milliseconds(20), {}}));
  EXPECT_EQ(parse_latency("fixed:20ms"), (Latency{Shape::fixed, milliseconds(20), {}}));
  EXPECT_EQ(parse_latency("5ms-45ms"), Latency{});
  EXPECT_EQ(parse_latency("uniform:5ms-45ms"), Latency{});
  EXPECT_EQ(parse_latency("long-tail:20ms-400ms"), (Latency{Shape::long_tail, milliseconds(20), milliseconds(400)}));
  for (const char* text : {"", "20", "45ms-5ms", "2m", "5ms-", "-5ms", "long-tail:20ms", "long-tail:0s-1ms", "fixed:5ms-6ms", "regions"}) {
    EXPECT_EQ(parse_latency(text), std::nullopt) << text;
  }
}

TEST(Units, ReadRoutersAndMixesOfThem) {
  const NatKind plain;
  EXPECT_EQ(parse_nat("port-restricted"), plain);
  NatKind open;
  open.filter = NatKind::Filter::endpoint_independent;
  open.hairpin = true;
  EXPECT_EQ(parse_nat("full-cone hairpin"), open);
  NatKind symmetric;
  symmetric.symmetric = true;
  const auto mix = parse_nat_mix("30% port-restricted, 10% symmetric,5% full-cone hairpin x2");
  ASSERT_TRUE(mix);
  EXPECT_EQ(*mix, (std::vector<NatShare>{{300'000, plain, 1}, {100'000, symmetric, 1}, {50'000, open, 2}}));
  EXPECT_EQ(parse_nat_mix("none"), std::vector<NatShare>());
  for (const char* text : {"", "30%", "port-restricted", "0% symmetric", "60% symmetric, 50% full-cone", "5% cone", "5% symmetric x0", "5% symmetric,", "5% x2"}) {
    EXPECT_EQ(parse_nat_mix(text), std::nullopt) << text;
  }
}

TEST(Units, SayOnlyWhatAWordSaysOfARouter) {
  NatKind forgetful;
  forgetful.idle = seconds(30);
  EXPECT_EQ(print_nat(forgetful), std::nullopt);
  EXPECT_EQ(print_nat(NatKind{}), "port-restricted");
}

TEST(Units, ReadPartitions) {
  const auto cuts = parse_partitions("50%@2m+5m, 3@90s");
  ASSERT_TRUE(cuts);
  ASSERT_EQ(cuts->size(), 2U);
  EXPECT_EQ((*cuts)[0].kind, Happening::Kind::partition);
  EXPECT_EQ((*cuts)[0].who.share, 500'000U);
  EXPECT_EQ((*cuts)[0].at, minutes(2));
  EXPECT_EQ((*cuts)[0].lasting, minutes(5));
  EXPECT_EQ((*cuts)[1].who.count, 3U);
  EXPECT_EQ((*cuts)[1].at, seconds(90));
  EXPECT_EQ((*cuts)[1].lasting, std::nullopt);
  for (const char* text : {"", "50%", "50%@", "@2m", "0%@2m", "0@2m", "50%@2m+", "50%+5m@2m", "half@2m"}) {
    EXPECT_EQ(parse_partitions(text), std::nullopt) << text;
  }
}

TEST(Units, ReadWhatTheyPrint) {
  for_seeds(2000, [](Rng& rng) {
    const auto any = [&](std::uint64_t most) { return rng.below(1 + (rng.below(2) == 0 ? most : most / 1'000'000 + 10)); };
    const Duration duration(static_cast<Duration::rep>(any(1'000'000'000'000'000)));
    EXPECT_EQ(parse_duration(print_duration(duration)), duration) << print_duration(duration);
    EXPECT_EQ(parse_shift(print_duration(-duration)), -duration);
    const auto ppm = static_cast<Ppm>(any(always_ppm));
    EXPECT_EQ(parse_share(print_share(ppm)), ppm) << print_share(ppm);
    EXPECT_EQ(parse_rate(print_rate(ppm * 10)), ppm * 10) << print_rate(ppm * 10);
    const auto bytes = any(100'000'000'000);
    EXPECT_EQ(parse_bandwidth(print_bandwidth(bytes)), bytes) << print_bandwidth(bytes);
  });
}

TEST(Words, AreAllDifferentAndReadBack) {
  for (int i = 0; i <= static_cast<int>(Happening::Kind::turn_hostile); ++i) {
    const auto kind = static_cast<Happening::Kind>(i);
    EXPECT_EQ(kind_from(word(kind)), kind) << i;
  }
  for (int i = 0; i <= static_cast<int>(Behaviour::ack_and_drop); ++i) {
    const auto behaviour = static_cast<Behaviour>(i);
    EXPECT_EQ(behaviour_from(word(behaviour)), behaviour) << i;
  }
  EXPECT_EQ(fates_allowed(), R"("kept", "lost" or "old")");
}

TEST(Words, SuggestWhatWasMeant) {
  const std::vector<std::string> known{"loss", "latency", "duplication"};
  EXPECT_EQ(nearest("latnecy", known), "latency");
  EXPECT_EQ(nearest("lost", known), "loss");
  EXPECT_EQ(nearest("weather", known), std::nullopt);
}

TEST(Words, DescribeWhatHappensToWhom) {
  Happening event = parse_partitions("50%@2m+5m")->front();
  event.who.region = "eu-west";
  EXPECT_EQ(describe(event), "partition: 50% of region eu-west for 5m");
  event = {};
  event.kind = Happening::Kind::one_way;
  event.who.nodes = {3};
  event.other.count = 2;
  EXPECT_EQ(describe(event), "one-way: node 3 deaf to 2 nodes");
}

}  // namespace
}  // namespace wigwag::sim
