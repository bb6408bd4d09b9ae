#include "gossip/topology/subnets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/topology/plan.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/lan_mesh.hpp"
#include "tests/topology/carriers.hpp"

namespace wigwag {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const Prefix lan = prefix_of("10.20.0.0/24");

class SubnetsTest : public testing::Test {
 protected:
  void SetUp() override { mesh.apply(roster, mesh.member(0)); }
  void add(std::uint64_t number, std::vector<Prefix> subnets, Version version = {1, 0}) {
    ASSERT_TRUE(mesh.apply(roster, mesh.lan_member(number, std::move(subnets), version)).changed());
  }
  void falls(std::uint64_t number, Duration when) {
    Member* member = roster.find(mesh.id(number));
    member->health = Health::dead;
    member->down_since = instant(when);
    roster.health_changed(*member);
  }
  void recovers(std::uint64_t number) {
    Member* member = roster.find(mesh.id(number));
    member->health = Health::alive;
    roster.health_changed(*member);
  }
  // The number of whoever carries it; 99: nobody.
  std::uint64_t carrier(const Prefix& subnet) const {
    const auto found = carrier_of(roster, subnet);
    for (std::uint64_t number = 0; found && number < 10; ++number) {
      if (mesh.id(number) == *found) return number;
    }
    return 99;
  }
  // Of two members, the one with the lower id first.
  std::pair<std::uint64_t, std::uint64_t> by_id(std::uint64_t a, std::uint64_t b) const {
    return mesh.id(a) < mesh.id(b) ? std::pair(a, b) : std::pair(b, a);
  }
  Tunnel plan(std::uint64_t self = 0, std::span<const Prefix> networks = {}) const {
    return plan_direct(roster, {mesh.id(self), endpoints, std::chrono::seconds(0), networks});
  }
  std::vector<Prefix> allowed(const Tunnel& tunnel, std::uint64_t number) const {
    const TunnelKey key = mesh.record_body(number).tunnel_key;
    const auto found = std::find_if(tunnel.peers.begin(), tunnel.peers.end(), [&](const TunnelPeer& peer) { return peer.key == key; });
    return found == tunnel.peers.end() ? std::vector<Prefix>() : found->allowed_ips;
  }
  static std::vector<Prefix> routed(const Tunnel& tunnel) {
    std::vector<Prefix> destinations;
    for (const auto& route : tunnel.routes) {
      if (route.kind == RouteKind::through_tunnel && route.metric == metric_direct) destinations.push_back(route.destination);
    }
    return destinations;
  }

  LanMesh mesh;
  Roster roster = mesh.empty_roster();
  PeerEndpoints endpoints;
};

TEST_F(SubnetsTest, AreCarriedByWhoAnnouncesThem) {
  const Prefix lan6 = prefix_of("2001:db8:20::/64");
  add(1, {lan, lan6});
  EXPECT_EQ(carrier(lan), 1U);
  EXPECT_EQ(carrier(prefix_of("10.20.1.0/24")), 99U);
  const Tunnel tunnel = plan();
  for (const auto& subnet : {lan, lan6}) {
    EXPECT_THAT(allowed(tunnel, 1), Contains(subnet));
    EXPECT_THAT(routed(tunnel), Contains(subnet));
  }
}

TEST_F(SubnetsTest, OfTwoAnnouncersGoToTheLowerIdOnEveryMember) {
  const auto [low, high] = by_id(1, 2);
  add(high, {lan});
  EXPECT_EQ(carrier(lan), high);
  add(low, {lan});
  EXPECT_EQ(carrier(lan), low);
  const Tunnel tunnel = plan();
  EXPECT_THAT(allowed(tunnel, low), Contains(lan));
  EXPECT_THAT(allowed(tunnel, high), Not(Contains(lan)));
  EXPECT_EQ(std::count(tunnel.routes.begin(), tunnel.routes.end(), TunnelRoute{lan, RouteKind::through_tunnel, metric_direct}), 1);
}

TEST_F(SubnetsTest, AreTakenOverFromWhoIsDownAndGivenBack) {
  const auto [low, high] = by_id(1, 2);
  add(1, {lan});
  add(2, {lan});
  falls(low, seconds(1));
  EXPECT_EQ(carrier(lan), high);
  EXPECT_THAT(allowed(plan(), high), Contains(lan));
  recovers(low);
  EXPECT_EQ(carrier(lan), low);
}

TEST_F(SubnetsTest, AreTakenOverFromWhoLeaves) {
  const auto [low, high] = by_id(1, 2);
  add(1, {lan});
  add(2, {lan});
  Record goodbye = mesh.lan_record(low, {lan}, {2, 0});
  goodbye.left = true;
  mesh.apply(roster, SmallMesh::record_item(mesh.sign(goodbye, low)));
  EXPECT_EQ(carrier(lan), high);
}

// A verdict may be wrong: traffic that works is not cut by it, and not moved to a place that is no better.
TEST_F(SubnetsTest, StayWithTheirLastCarrierWhenAllAreDown) {
  const auto [low, high] = by_id(1, 2);
  add(1, {lan});
  add(2, {lan});
  falls(low, seconds(1));
  falls(high, seconds(2));
  EXPECT_EQ(carrier(lan), high);
  EXPECT_THAT(allowed(plan(), high), Contains(lan));
  recovers(low);
  falls(low, seconds(3));
  EXPECT_EQ(carrier(lan), low);
}

TEST_F(SubnetsTest, WithinOneAnotherGoTheirOwnWays) {
  const Prefix all = prefix_of("10.16.0.0/12");
  add(1, {all});
  add(2, {lan});
  const Tunnel tunnel = plan();
  EXPECT_THAT(allowed(tunnel, 1), Contains(all));
  EXPECT_THAT(allowed(tunnel, 1), Not(Contains(lan)));
  EXPECT_THAT(allowed(tunnel, 2), Contains(lan));
  EXPECT_THAT(routed(tunnel), testing::IsSupersetOf({all, lan}));
}

TEST_F(SubnetsTest, OfOurOwnAreNeverLedIntoTheTunnel) {
  const auto [low, high] = by_id(1, 2);
  add(1, {lan});
  add(2, {lan});
  add(3, {prefix_of("10.16.0.0/12")});
  for (const auto self : {low, high}) {
    const auto destinations = routed(plan(self));
    for (const auto& destination : destinations) EXPECT_FALSE(destination.contains(lan)) << to_string(destination);
  }
  // But what is within them goes to who announces it: the longest match decides in the LAN, too.
  add(4, {prefix_of("10.20.0.128/25")});
  EXPECT_THAT(routed(plan(low)), Contains(prefix_of("10.20.0.128/25")));
}

TEST_F(SubnetsTest, ThatOverlapAnOwnNetworkAreNotRouted) {
  add(1, {lan, prefix_of("10.30.0.0/24")});
  for (const char* text : {"10.20.0.0/24", "10.20.0.0/16", "10.20.0.64/26"}) {
    const std::vector<Prefix> networks = {prefix_of(text)};
    EXPECT_THAT(routed(plan(0, networks)), Not(Contains(lan))) << text;
    EXPECT_THAT(allowed(plan(0, networks), 1), Not(Contains(lan))) << text;
    EXPECT_THAT(routed(plan(0, networks)), Contains(prefix_of("10.30.0.0/24"))) << text;
  }
}

// The route would lead the tunnel's own packets into the tunnel, and nothing would reach the carrier any more.
TEST_F(SubnetsTest, ThatHoldEveryEndpointOfTheirCarrierAreNotRouted) {
  const Prefix underlay = prefix_of("198.18.0.0/24");
  const auto apply = [&](std::vector<Endpoint> endpoints_of_it, Version version) {
    Record record = mesh.lan_record(1, {underlay}, version);
    record.endpoints = std::move(endpoints_of_it);
    ASSERT_TRUE(mesh.apply(roster, SmallMesh::member_item(mesh.sign(record, 1), mesh.wide_chain(1))).changed());
  };
  const Endpoint inside = *Endpoint::parse("198.18.0.1:51820"), outside = *Endpoint::parse("203.0.113.1:51820");
  apply({inside}, {1, 0});
  EXPECT_THAT(routed(plan()), Not(Contains(underlay)));
  apply({inside, outside}, {1, 1});
  EXPECT_THAT(routed(plan()), Contains(underlay));
  apply({}, {1, 2});
  EXPECT_THAT(routed(plan()), Contains(underlay)) << "it comes to us";
}

// A certificate for everything is a right, and no excuse.
TEST_F(SubnetsTest, ThatNobodyCanHaveBehindItAreNeverRouted) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"0.0.0.0/0", "default route"},  {"::/0", "default route"},        {"0.0.0.0/1", "overlaps"},        {"10.99.7.0/24", "mesh's own"},
      {"10.96.0.0/12", "mesh's own"},  {"127.1.0.0/16", "loopback"},     {"::1/128", "loopback"},          {"169.254.7.0/24", "link-local"},
      {"fe80::/64", "link-local"},     {"224.0.1.0/24", "multicast"},    {"255.255.255.255/32", "multicast"}, {"ff02::/16", "multicast"},
      {"0.1.0.0/16", "unspecified"}};
  for (const auto& [text, why] : wrong) {
    const Prefix subnet = prefix_of(text);
    Roster fresh = mesh.roster_of(1);
    ASSERT_TRUE(mesh.apply(fresh, mesh.lan_member(1, {subnet})).changed()) << text;
    const Tunnel tunnel = plan_direct(fresh, {mesh.id(0), endpoints, std::chrono::seconds(0), {}});
    EXPECT_THAT(allowed(tunnel, 1), Not(Contains(subnet))) << text;
    EXPECT_THAT(routed(tunnel), Not(Contains(subnet))) << text;
    const auto fault = subnet_fault(subnet, std::vector{prefix_of("10.99.0.0/16")});
    ASSERT_TRUE(fault.has_value()) << text;
    EXPECT_THAT(to_string(*fault), HasSubstr(why)) << text;
  }
  const auto inside = Prefix::covering(overlay_ipv6(mesh.network, mesh.id(1)), 64);
  EXPECT_EQ(obstacle_to(inside, {{overlay_ipv6_prefix(mesh.network)}, {}, {}})->fault, SubnetFault::mesh);
  for (const char* text : {"10.20.0.0/24", "192.168.0.0/16", "203.0.113.7/32", "2001:db8::/32", "fd12:3456:789a::/48"}) {
    EXPECT_FALSE(subnet_fault(prefix_of(text), std::vector{prefix_of("10.99.0.0/16")})) << text;
  }
}

TEST_F(SubnetsTest, AreSettledAlikeInWhateverOrderTheyWereHeardOf) {
  for_seeds(20, [&](Rng& rng) {
    std::vector<std::map<Prefix, NodeId>> settled;
    std::vector<std::uint64_t> order = {1, 2, 3, 4, 5};
    for (int way = 0; way < 2; ++way) {
      rng.shuffle(order);
      Roster fresh = mesh.roster_of(1);
      for (const auto number : order) mesh.apply(fresh, mesh.lan_member(number, {prefix_of(number % 2 == 0 ? "10.20.0.0/24" : "10.30.0.0/24")}));
      settled.push_back(carriers_of(fresh));
    }
    EXPECT_EQ(settled[0], settled[1]);
  });
}

}  // namespace
}  // namespace wigwag
