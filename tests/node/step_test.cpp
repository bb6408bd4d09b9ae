#include <gtest/gtest.h>

#include <algorithm>

#include "tests/base/seeded.hpp"
#include "tests/membership/random_messages.hpp"
#include "tests/node/lone_node.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t members = 6;

Item true_item(const LoneNode& lone, Rng& rng) {
  const auto number = rng.below(members + 2);
  const Version version{static_cast<std::uint32_t>(rng.below(3)), static_cast<std::uint32_t>(rng.below(3))};
  switch (rng.below(3)) {
    case 0: return lone.mesh.member(number, version);
    case 1: return SmallMesh::record_item(lone.mesh.record(number, version));
    default: return lone.mesh.accusation(number, (number + 1 + rng.below(members)) % (members + 3), version);
  }
}

// Anything that may reach a node: good and bad, from members and others, from below and above.
Input random_input(const LoneNode& lone, Rng& rng) {
  const auto member = rng.chance(500) ? 0 : 2 + rng.below(members - 2);
  const Endpoint somewhere{Address::ipv4(static_cast<std::uint32_t>(rng.next())), static_cast<std::uint16_t>(1 + rng.below(65535))};
  switch (rng.below(9)) {
    case 0: return TunnelDatagram{lone.address_of(member), Plane::direct, random_bytes(rng, rng.below(1300))};
    case 1: return lone.from(member, random_message(rng));
    case 2: return lone.from(member, Push{{true_item(lone, rng)}});
    case 3: return lone.from(member, Need{{key_of(lone.mesh.id(rng.below(members))), rng.next()}});
    case 4: return HelloDatagram{somewhere, random_bytes(rng, rng.below(1900))};
    case 5: {
      KernelSnapshot snapshot;
      for (std::uint64_t number = 0; number < rng.below(members); ++number) {
        snapshot.peers.push_back({lone.mesh.record_body(number).tunnel_key, somewhere, {}, std::chrono::seconds(0),
                                  static_cast<std::int64_t>(rng.below(1ULL << 32)), rng.next(), rng.next()});
      }
      return snapshot;
    }
    case 6: return LocalAddresses{{somewhere.address}};
    case 7: return Resolved{{somewhere}, {somewhere}};
    default: return Wakeup{};
  }
}

TEST(Step, KeepsItsContractWhateverComes) {
  for_seeds(6, [](Rng& rng) {
    LoneNode lone(members, rng.next());
    lone.settle();
    for (int steps = 0; steps < 300; ++steps) {
      lone.step(random_input(lone, rng));
      if (rng.chance(300)) lone.run_for(rng.below(seconds(rng.chance(50) ? 30 : 1)));
      if (rng.chance(20)) lone.now.wall.seconds += static_cast<std::int64_t>(rng.below(200'000'000)) - 100'000'000;
      if (rng.chance(20)) lone.advance_to(lone.now.at + rng.below(hours(1)));
      lone.settle();
      ASSERT_GT(lone.node->next_wakeup(), lone.now.at) << "nothing is due twice";
      const auto again = decode_stored(lone.node->stored());
      ASSERT_TRUE(again) << "what is stored can be read";
    }
  });
}

TEST(Step, WakesABoundedNumberOfTimes) {
  LoneNode lone(members);
  lone.settle();
  EXPECT_LE(lone.run_for(minutes(10)), 10U * 60 * 20);
}

TEST(Step, DoesTheSameForTheSameInputs) {
  for_seeds(3, [](Rng& rng) {
    const auto seed = rng.next();
    LoneNode one(members, seed);
    LoneNode two(members, seed);
    one.settle();
    two.settle();
    for (int steps = 0; steps < 60; ++steps) {
      const Input input = random_input(one, rng);
      const auto pause = rng.below(seconds(2));
      for (LoneNode* lone : {&one, &two}) {
        lone->step(input);
        lone->run_for(pause);
      }
      ASSERT_EQ(one.node->stored(), two.node->stored());
      ASSERT_EQ(one.node->next_wakeup(), two.node->next_wakeup());
      ASSERT_EQ(one.node->counters().bytes_sent, two.node->counters().bytes_sent);
    }
  });
}

TEST(Step, TakesAnEarlyWakeupInGoodPart) {
  LoneNode lone(members);
  lone.settle();
  for (int times = 0; times < 100; ++times) {
    EXPECT_EQ(LoneNode::sent(lone.wake()), 0U);
    EXPECT_GT(lone.node->next_wakeup(), lone.now.at);
  }
}

TEST(StepDeathTest, EndsTheProcessWhenTimeGoesBack) {
  LoneNode lone;
  lone.wake();
  lone.now.at -= microseconds(1);
  EXPECT_DEATH(lone.wake(), "never goes back");
}

TEST(Step, LetsTheWallClockGoBack) {
  LoneNode lone;
  lone.wake();
  lone.now.wall.seconds -= 1'000'000'000;
  lone.settle();
  lone.run_for(minutes(2));
  EXPECT_TRUE(lone.status().joined);
}

TEST(Step, PutsItsNewEpochOnDiskBeforeAnybodyHearsOfIt) {
  LoneNode lone;
  for (int lives = 0; lives < 4; ++lives) {
    const auto before = decode_stored(lone.disk)->epoch;
    const auto outputs = lone.node->step(lone.now, Wakeup{});
    ASSERT_FALSE(outputs.empty());
    const auto* first = std::get_if<Persist>(&outputs.front());
    ASSERT_NE(first, nullptr) << "before all else";
    EXPECT_TRUE(first->at_once);
    lone.disk = lone.node->stored();
    EXPECT_GT(decode_stored(lone.disk)->epoch, before) << "though no second has passed";
    EXPECT_EQ(decode_stored(lone.disk)->epoch, lone.status().self.epoch);
    lone.start();
  }
}

TEST(Step, WishesForNoTunnelBeforeItHasSeenTheKernel) {
  LoneNode lone;
  const auto desires = [](const Outputs& outputs) {
    return std::count_if(outputs.begin(), outputs.end(), [](const Output& output) { return std::holds_alternative<Desire>(output); });
  };
  EXPECT_EQ(desires(lone.wake()), 0);
  EXPECT_EQ(desires(lone.step(LocalAddresses{{Address::ipv4(0xC6336407)}})), 0);
  EXPECT_EQ(desires(lone.step(KernelSnapshot{})), 1);
  EXPECT_EQ(desires(lone.step(KernelSnapshot{})), 0) << "once";
}

// A pause of our own is no evidence against others.
TEST(Step, AccusesNobodyRightAfterAPause) {
  LoneNode lone(members);
  lone.settle();
  lone.run_for(seconds(1));
  lone.advance_to(lone.now.at + minutes(10));
  lone.wake();
  EXPECT_TRUE(lone.has_raised(EventKind::paused));
  lone.run_for(seconds(4));
  EXPECT_EQ(lone.node->counters().accusations_made, 0U);
}

}  // namespace
}  // namespace wigwag
