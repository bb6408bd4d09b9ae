#include "sim/world/underlay.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace wigwag::sim {
namespace {

class UnderlayTest : public testing::Test {
 protected:
  UnderlayTest() : underlay(events, 7) {
    underlay.on_receive([this](Underlay::HostId host, Packet& packet) { received.push_back({host, events.now(), packet.from, packet.to}); });
    for (std::uint32_t i = 0; i < 3; ++i) underlay.add_host(address(i), i);
  }
  static Address address(std::uint32_t number) { return Address::ipv4(0xC6120001U + number); }
  void send(std::size_t from, const Endpoint& to, std::size_t bytes = 100) { underlay.send(from, 51820, to, Bytes(bytes)); }
  void send(std::size_t from, std::uint32_t to, std::size_t bytes = 100) { send(from, Endpoint{address(to), 51820}, bytes); }
  void run(Duration span) {
    const Instant end = events.now() + span;
    while (events.next_time() <= end) {
      events.run_one();
      conserve();
    }
    events.advance_to(end);
  }
  void conserve() {
    const auto& counts = underlay.counts();
    ASSERT_EQ(counts.sent + counts.duplicated, counts.delivered + counts.dropped + counts.in_flight);
  }
  // Of ten thousand datagrams, a millisecond apart.
  std::size_t arriving(std::size_t from = 0, std::uint32_t to = 1) {
    received.clear();
    for (int i = 0; i < 10'000; ++i) send(from, to), run(milliseconds(1));
    run(seconds(5));
    return received.size();
  }

  struct Arrival {
    std::size_t host;
    Instant at;
    Endpoint from, to;
  };
  EventQueue events;
  Underlay underlay;
  std::vector<Arrival> received;
};

TEST_F(UnderlayTest, LosesTheShareThatItIsTold) {
  underlay.set_weather({.loss = 200'000});
  EXPECT_NEAR(static_cast<double>(arriving()), 8000, 200);
}

TEST_F(UnderlayTest, AppliesTheWeatherOfBothEndsThatHaveTheirOwn) {
  underlay.set_weather_of(0, Weather{.loss = 500'000});
  EXPECT_NEAR(static_cast<double>(arriving(0, 1)), 5000, 250);
  EXPECT_NEAR(static_cast<double>(arriving(1, 0)), 5000, 250);
  EXPECT_EQ(arriving(1, 2), 10'000U);
  underlay.set_weather_of(1, Weather{.loss = 500'000});
  EXPECT_NEAR(static_cast<double>(arriving(0, 1)), 2500, 250);
  underlay.set_weather_of(0, {});
  underlay.set_weather_of(1, {});
  EXPECT_EQ(arriving(0, 1), 10'000U);
}

TEST_F(UnderlayTest, LosesInBursts) {
  underlay.set_weather({.bursts = {.loss = always_ppm, .lasting = milliseconds(100), .between = milliseconds(900)}});
  const auto arrived = arriving();
  EXPECT_GT(arrived, 6000U);
  EXPECT_LT(arrived, 9500U);
  // Losses stand together: far fewer gaps than datagrams lost.
  std::size_t gaps = 0;
  std::sort(received.begin(), received.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  for (std::size_t i = 1; i < received.size(); ++i) gaps += received[i].at - received[i - 1].at > milliseconds(60) ? 1U : 0U;
  EXPECT_GT(gaps, 2U);
  EXPECT_LT(gaps, 60U);
}

TEST_F(UnderlayTest, DuplicatesAndReorders) {
  underlay.set_weather({.latency = {.shape = Latency::Shape::fixed, .least = milliseconds(10)}, .duplication = 100'000});
  EXPECT_NEAR(static_cast<double>(arriving()), 11'000, 200);
  underlay.set_weather({.latency = {.shape = Latency::Shape::fixed, .least = milliseconds(10)}, .reordering = 100'000});
  EXPECT_EQ(arriving(), 10'000U);
  const auto begun = events.now();
  send(0, 1);
  run(seconds(1));
  EXPECT_GE(received.back().at - begun, milliseconds(10));
}

TEST_F(UnderlayTest, TailsAreAsLongAsTold) {
  underlay.set_weather({.latency = {.shape = Latency::Shape::long_tail, .least = milliseconds(20), .most = milliseconds(400)}});
  std::vector<Duration> taken;
  for (int i = 0; i < 100'000; ++i) {
    const Instant begun = events.now();
    send(0, 1);
    run(seconds(5));
    taken.push_back(received.back().at - begun);
  }
  std::sort(taken.begin(), taken.end());
  EXPECT_NEAR(to_seconds(taken[50'000]), 0.020, 0.001);
  EXPECT_NEAR(to_seconds(taken[99'900]), 0.400, 0.1);
  EXPECT_LE(taken.back(), seconds(4));
  EXPECT_GE(taken.front(), milliseconds(10));
}

TEST_F(UnderlayTest, RegionsRuleOverTheWeather) {
  underlay.set_region_latency(0, 1, {.shape = Latency::Shape::fixed, .least = milliseconds(150)});
  const Instant begun = events.now();
  send(0, 1);
  send(1, 0);
  run(seconds(1));
  ASSERT_EQ(received.size(), 2U);
  for (const auto& one : received) EXPECT_EQ(one.at - begun, milliseconds(150));
}

TEST_F(UnderlayTest, QueuesAtANarrowLineAndDropsWhatIsTooMuch) {
  underlay.set_weather({.latency = {.shape = Latency::Shape::fixed, .least = milliseconds(10)}, .bandwidth = 10'000, .queue = milliseconds(100)});
  const Instant begun = events.now();
  for (int i = 0; i < 100; ++i) send(0, 1, 72);  // 100 bytes each, with headers: ten milliseconds of the line
  run(seconds(10));
  EXPECT_EQ(received.size(), 11U);
  EXPECT_EQ(received.back().at - begun, milliseconds(120));
}

TEST_F(UnderlayTest, SwallowsWhatIsTooLarge) {
  underlay.set_weather({.mtu = 1280});
  send(0, 1, 1280 - 28);
  send(0, 1, 1281 - 28);
  run(seconds(1));
  EXPECT_EQ(received.size(), 1U);
}

TEST_F(UnderlayTest, CutsOneWayBothWaysAndBetweenGroups) {
  const auto both = [&] {
    received.clear();
    send(0, 1), send(1, 0);
    run(seconds(1));
    return received.size();
  };
  EXPECT_EQ(both(), 2U);
  underlay.set_one_way(0, 1, true);
  EXPECT_EQ(both(), 1U);
  EXPECT_EQ(received[0].host, 0U);
  EXPECT_FALSE(underlay.can_meet(0, 1));
  underlay.set_one_way(0, 1, false);
  underlay.set_group(0, 1);
  EXPECT_EQ(both(), 0U);
  underlay.set_group(0, 0);
  underlay.set_cable(1, false);
  EXPECT_EQ(both(), 0U);
  underlay.set_cable(1, true);
  EXPECT_EQ(both(), 2U);
}

TEST_F(UnderlayTest, HostsBehindOneRouterMeetInsideAndByItsOutsideOnlyIfItHairpins) {
  for (const bool hairpin : {false, true}) {
    const Address outside = address(hairpin ? 50 : 51);
    const auto router = underlay.add_router({.filter = NatKind::Filter::endpoint_independent, .hairpin = hairpin}, outside);
    const auto one = underlay.add_host_behind(router), other = underlay.add_host_behind(router);
    received.clear();
    send(one, Endpoint{underlay.address(other), 51820});
    run(seconds(1));
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(received[0].from.address, underlay.address(one));
    send(other, 2);  // opens 51820 outside
    run(seconds(1));
    received.clear();
    send(one, Endpoint{outside, 51820});
    run(seconds(1));
    ASSERT_EQ(received.size(), hairpin ? 1U : 0U);
    for (const auto& arrival : received) EXPECT_EQ(arrival.from.address, outside);
  }
}

TEST_F(UnderlayTest, DropsWhatComesToAnAddressThatWasLeft) {
  send(0, 1);
  underlay.move(1, address(77));
  run(seconds(1));
  EXPECT_TRUE(received.empty());
  send(0, 77);
  run(seconds(1));
  EXPECT_EQ(received.size(), 1U);
}

}  // namespace
}  // namespace wigwag::sim
