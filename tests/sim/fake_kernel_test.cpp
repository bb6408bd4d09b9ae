#include "sim/world/fake_kernel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "sim/world/reconcile.hpp"

namespace wigwag::sim {
namespace {

TunnelKey key_of(std::uint8_t number) {
  TunnelKey key;
  key.bytes.fill(number);
  return key;
}
Address overlay(std::uint8_t number) { return Address::ipv4(0x0A630000U + number); }
Endpoint underlay(std::uint8_t number) { return {Address::ipv4(0xC6120000U + number), 51820}; }

// Two kernels, 20 ms apart, each of which has the other for a peer.
class FakeKernelTest : public testing::Test {
 protected:
  FakeKernelTest() {
    for (std::uint8_t i = 1; i <= 2; ++i) {
      FakeKernel::Calls calls;
      calls.send = [this, i](const Endpoint&, TunnelMessage message) {
        ++sent[i][static_cast<std::size_t>(message.kind)];
        if (cut) return;
        flights.push_back(std::move(message));
        events.after(milliseconds(20), [this, i, place = flights.size() - 1] { kernel(3U - i).receive(from[i], flights[place]); });
      };
      calls.deliver = [this, i](InnerPacket& packet) { delivered[i].push_back(packet); };
      calls.wall_s = [this, i] { return 1'800'000'000 + wrong_s[i] + std::chrono::duration_cast<seconds>(events.now().time_since_epoch()).count(); };
      calls.shook_hands = [this, i] { ++handshakes[i]; };
      kernels[i] = std::make_unique<FakeKernel>(events, keys, key_of(i), i, i == 2, std::move(calls));
      from[i] = underlay(i);
    }
  }
  FakeKernel& kernel(std::size_t i) { return *kernels[i]; }
  static Tunnel wish(std::uint8_t own, std::uint8_t other) {
    Tunnel tunnel;
    tunnel.addresses = {Prefix::host(overlay(own))};
    tunnel.peers = {{key_of(other), underlay(other), {Prefix::host(overlay(other))}, seconds(0)}};
    tunnel.routes = {{*Prefix::parse("10.99.0.0/16"), RouteKind::through_tunnel, metric_direct}};
    return tunnel;
  }
  bool apply(std::uint8_t i, const Tunnel& tunnel) {
    return reconcilers[i].run(kernel(i), {key_of(i), 51820, 0}, tunnel, [](const TunnelKey&) { return false; });
  }
  void both() { ASSERT_TRUE(apply(1, wish(1, 2)) && apply(2, wish(2, 1))); }
  void run(Duration span) {
    const Instant end = events.now() + span;
    while (events.next_time() <= end) events.run_one();
    events.advance_to(end);
  }
  std::size_t arrived(std::size_t at, Duration within) {
    const auto before = delivered[at].size();
    kernel(3 - at).send_inner(overlay(static_cast<std::uint8_t>(at)), {1});
    run(within);
    return delivered[at].size() - before;
  }

  EventQueue events;
  KeyNumbers keys;
  std::array<std::unique_ptr<FakeKernel>, 3> kernels;
  std::array<Reconciler, 3> reconcilers;
  std::array<Endpoint, 3> from;
  std::array<std::array<std::size_t, 3>, 3> sent{};
  std::array<std::vector<InnerPacket>, 3> delivered;
  std::array<std::size_t, 3> handshakes{};
  std::array<std::int64_t, 3> wrong_s{};
  std::deque<TunnelMessage> flights;
  bool cut = false;
};

TEST_F(FakeKernelTest, DeliversAfterOneHandshake) {
  both();
  EXPECT_EQ(arrived(2, milliseconds(59)), 0U);
  run(milliseconds(2));
  EXPECT_EQ(delivered[2].size(), 1U);
  EXPECT_EQ(arrived(2, milliseconds(21)), 1U);
  EXPECT_EQ(handshakes[1], 1U);
}

TEST_F(FakeKernelTest, NeedsAPeerAtBothEndsAndARouteAndItsAddress) {
  ASSERT_TRUE(apply(1, wish(1, 2)));
  EXPECT_EQ(arrived(2, seconds(1)), 0U);
  both();
  run(seconds(10));
  EXPECT_EQ(delivered[2].size(), 1U) << "tried again after five seconds";
  Tunnel routeless = wish(1, 2);
  routeless.routes.clear();
  ASSERT_TRUE(apply(1, routeless));
  EXPECT_EQ(arrived(2, seconds(1)), 0U);
  both();
  Tunnel unaddressed = wish(2, 1);
  unaddressed.addresses.clear();
  ASSERT_TRUE(apply(2, unaddressed));
  EXPECT_EQ(arrived(2, seconds(1)), 0U);
}

TEST_F(FakeKernelTest, DropsWhatIsNotOfTheSendersAllowedAddresses) {
  Tunnel other = wish(2, 1);
  other.peers[0].allowed_ips = {Prefix::host(overlay(9))};
  ASSERT_TRUE(apply(1, wish(1, 2)) && apply(2, other));
  EXPECT_EQ(arrived(2, seconds(1)), 0U);
  EXPECT_NE(kernel(2).peers()[0].last_handshake_unix_s, 0);
}

TEST_F(FakeKernelTest, RetriesEveryFiveSecondsAndGivesUpAfterAMinuteAndAHalf) {
  both();
  cut = true;
  kernel(1).send_inner(overlay(2), {1});
  run(seconds(16));
  EXPECT_EQ(sent[1][0], 4U);
  run(minutes(5));
  EXPECT_GE(sent[1][0], 18U);
  EXPECT_LE(sent[1][0], 20U);
  cut = false;
  run(minutes(1));
  EXPECT_TRUE(delivered[2].empty());
}

TEST_F(FakeKernelTest, RekeysAfterTwoMinutesOfTrafficAndEndsAfterThreeWithout) {
  both();
  for (int second = 0; second < 115; ++second) EXPECT_EQ(arrived(2, seconds(1)), 1U);
  EXPECT_EQ(handshakes[1], 1U);
  for (int second = 0; second < 10; ++second) EXPECT_EQ(arrived(2, seconds(1)), 1U);
  EXPECT_EQ(handshakes[1], 2U);
  run(seconds(181));
  EXPECT_EQ(arrived(2, milliseconds(30)), 0U) << "cold again";
  run(seconds(1));
  EXPECT_EQ(handshakes[1], 3U);
}

TEST_F(FakeKernelTest, MakesANewSessionWhenTheOtherEndHasLostIts) {
  both();
  EXPECT_EQ(arrived(2, seconds(1)), 1U);
  kernel(2).reboot();
  reconcilers[2].start_over();
  ASSERT_TRUE(apply(2, wish(2, 1)));
  EXPECT_EQ(arrived(2, seconds(14)), 0U);
  run(seconds(3));
  EXPECT_EQ(arrived(2, seconds(1)), 1U);
}

TEST_F(FakeKernelTest, OfTwoHandshakesThatCrossNoneIsCompletedAtOnce) {
  both();
  kernel(1).send_inner(overlay(2), {1});
  kernel(2).send_inner(overlay(1), {1});
  run(seconds(4));
  EXPECT_TRUE(delivered[1].empty() && delivered[2].empty());
  run(seconds(3));
  EXPECT_FALSE(delivered[1].empty() || delivered[2].empty());
}

TEST_F(FakeKernelTest, FollowsAPeerThatRoams) {
  both();
  EXPECT_EQ(arrived(2, seconds(1)), 1U);
  from[1] = underlay(77);
  EXPECT_EQ(arrived(2, seconds(1)), 1U);
  EXPECT_EQ(kernel(2).peers()[0].endpoint, underlay(77));
  ASSERT_TRUE(apply(2, wish(2, 1)));
  EXPECT_EQ(kernel(2).peers()[0].endpoint, underlay(77)) << "what works is not written over";
}

TEST_F(FakeKernelTest, TakesNoHandshakeFromBeforeTheLastOne) {
  both();
  EXPECT_EQ(arrived(2, seconds(1)), 1U);
  wrong_s[1] = -3600;
  run(minutes(4));
  EXPECT_EQ(arrived(2, seconds(30)), 0U) << "its clock has gone back";
  EXPECT_EQ(arrived(1, seconds(1)), 1U) << "the other end can begin";
}

TEST_F(FakeKernelTest, KeepsAlive) {
  both();
  Tunnel alive = wish(1, 2);
  alive.peers[0].keepalive = seconds(25);
  ASSERT_TRUE(apply(1, alive));
  run(seconds(1));
  EXPECT_EQ(handshakes[1], 1U) << "switching it on sends one at once";
  const auto before = sent[1][2];
  run(seconds(100));
  EXPECT_NEAR(static_cast<double>(sent[1][2] - before), 4, 1);
}

TEST(AllowedIps, GivesEachPrefixToOneAndLetsTheLongestDecide) {
  AllowedIps owners;
  EXPECT_FALSE(owners.give(*Prefix::parse("10.0.0.0/8"), 1));
  EXPECT_FALSE(owners.give(*Prefix::parse("10.20.0.0/16"), 2));
  EXPECT_FALSE(owners.give(*Prefix::parse("10.20.0.7"), 3));
  EXPECT_EQ(owners.owner_of(*Address::parse("10.1.1.1")), 1U);
  EXPECT_EQ(owners.owner_of(*Address::parse("10.20.1.1")), 2U);
  EXPECT_EQ(owners.owner_of(*Address::parse("10.20.0.7")), 3U);
  EXPECT_FALSE(owners.owner_of(*Address::parse("11.0.0.1")));
  EXPECT_EQ(owners.give(*Prefix::parse("10.20.0.7"), 4), 3U);
  owners.take(*Prefix::parse("10.20.0.0/16"));
  EXPECT_EQ(owners.owner_of(*Address::parse("10.20.1.1")), 1U);
}

// The keys of the peers that two wishes do not agree on.
std::vector<TunnelKey> changed(const Tunnel& before, const Tunnel& after) {
  std::vector<TunnelPeer> differ;
  std::set_symmetric_difference(before.peers.begin(), before.peers.end(), after.peers.begin(), after.peers.end(), std::back_inserter(differ));
  std::set<TunnelKey> keys;
  for (const auto& peer : differ) keys.insert(peer.key);
  return {keys.begin(), keys.end()};
}

std::map<TunnelKey, TunnelPeerState> by_key(const std::vector<TunnelPeerState>& peers) {
  std::map<TunnelKey, TunnelPeerState> map;
  for (const auto& peer : peers) map[peer.key] = peer;
  return map;
}

void see(const KernelSnapshot& shown, std::map<TunnelKey, TunnelPeerState>& seen) {
  if (!shown.changes_only) seen.clear();
  for (const auto& key : shown.gone) seen.erase(key);
  for (const auto& peer : shown.peers) seen[peer.key] = peer;
}

// What is handed over in parts, there and back, must come out as if it had been handed over whole.
TEST(Reconciler, LeavesNothingToDoHoweverTheWishChanges) {
  const char* given = std::getenv("WIGWAG_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  std::cout << "seed " << seed << " (replay with WIGWAG_SEED=" << seed << ")\n";
  Rng rng(seed);
  EventQueue events;
  KeyNumbers keys;
  for (const bool removes : {false, true}) {
    FakeKernel::Calls calls{[](const Endpoint&, TunnelMessage) {}, [](InnerPacket&) {}, [] { return std::int64_t{1}; }, [] {}};
    FakeKernel kernel(events, keys, key_of(255), 1, removes, std::move(calls));
    Reconciler reconciler;
    const TunnelDevice device{key_of(255), 51820, 0};
    std::vector<std::uint8_t> address_of(200);
    Tunnel wish;
    std::map<TunnelKey, TunnelPeerState> seen;  // by a daemon that looks after each round
    for (std::size_t i = 0; i < address_of.size(); ++i) address_of[i] = static_cast<std::uint8_t>(i);
    for (int round = 0; round < 200; ++round) {
      for (int swap = 0; swap < 3; ++swap) std::swap(address_of[rng.below(200)], address_of[rng.below(200)]);
      const Tunnel before = std::exchange(wish, {});
      for (std::uint8_t i = 0; i < 200; ++i) {
        if (rng.chance(30)) continue;
        wish.peers.push_back({key_of(i), underlay(static_cast<std::uint8_t>(rng.chance(20) ? rng.below(250) : i)), {Prefix::host(overlay(address_of[i]))}, seconds(0)});
        wish.routes.push_back({wish.peers.back().allowed_ips[0], RouteKind::through_tunnel, metric_direct});
      }
      std::sort(wish.routes.begin(), wish.routes.end());
      reconciler.note({rng.chance(50), changed(before, wish)});
      const std::uint8_t down = static_cast<std::uint8_t>(rng.below(200));
      const auto is_down = [&](const TunnelKey& key) { return key == key_of(down); };
      ASSERT_TRUE(reconciler.run(kernel, device, wish, is_down)) << round;
      const auto left = reconciler.whole(kernel, device, wish, is_down);
      ASSERT_TRUE(left.empty()) << round << ": " << to_string(left.changes.front());
      ASSERT_EQ(kernel.peers().size(), wish.peers.size()) << round;
      ASSERT_EQ(reconciler.applied().peers.size(), wish.peers.size()) << round;
      ASSERT_EQ(reconciler.applied().routes, wish.routes) << round;
      if (rng.chance(300)) continue;
      if (rng.chance(50)) kernel.forget_looks();
      see(std::get<KernelSnapshot>(kernel.look(true)), seen);
      ASSERT_EQ(seen, by_key(kernel.peers())) << round;
    }
  }
}

}  // namespace
}  // namespace wigwag::sim
