#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gossip/topology/plan.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

using testing::IsSupersetOf;

class PlanTest : public testing::Test {
 protected:
  Tunnel plan(const Roster& roster, std::uint64_t self = 0) const { return plan_direct(roster, {mesh.id(self), endpoints, keepalive}); }
  TunnelKey key(std::uint64_t number) const { return mesh.record_body(number).tunnel_key; }
  const TunnelPeer* peer(const Tunnel& tunnel, std::uint64_t number) const {
    const auto found = std::find_if(tunnel.peers.begin(), tunnel.peers.end(), [&](const TunnelPeer& p) { return p.key == key(number); });
    return found == tunnel.peers.end() ? nullptr : &*found;
  }
  // Members' own prefixes: IPv4 where it holds its claim, and IPv6.
  std::vector<Prefix> prefixes(std::uint64_t number) const {
    return {Prefix::host(*mesh.record_body(number).ipv4), Prefix::host(overlay_ipv6(mesh.network, mesh.id(number)))};
  }
  bool routed(const Tunnel& tunnel, const Prefix& prefix) const {
    return std::find(tunnel.routes.begin(), tunnel.routes.end(), TunnelRoute{prefix, RouteKind::through_tunnel, metric_direct}) !=
           tunnel.routes.end();
  }
  // A record of `number` with its version raised and one thing changed.
  template <class Change>
  void update(Roster& roster, std::uint64_t number, Change change) {
    Record body = mesh.record_body(number, {2, 0});
    change(body);
    ASSERT_EQ(mesh.apply(roster, SmallMesh::record_item(mesh.sign(body, number))).applied, Applied::updated);
  }
  // Every wish has one owner a prefix, and every route a peer that takes it.
  static void expect_consistent(const Tunnel& tunnel) {
    std::set<Prefix> owned(tunnel.addresses.begin(), tunnel.addresses.end());
    std::set<Prefix> to_peers;
    std::set<TunnelKey> keys;
    for (const auto& one : tunnel.peers) {
      EXPECT_TRUE(keys.insert(one.key).second) << "one peer a key";
      for (const auto& prefix : one.allowed_ips) {
        EXPECT_TRUE(owned.insert(prefix).second) << to_string(prefix) << " has two owners";
        to_peers.insert(prefix);
      }
    }
    for (const auto& route : tunnel.routes) {
      EXPECT_EQ(route.kind == RouteKind::through_tunnel, to_peers.contains(route.destination)) << to_string(route.destination);
    }
    EXPECT_TRUE(std::is_sorted(tunnel.peers.begin(), tunnel.peers.end()));
    EXPECT_TRUE(std::is_sorted(tunnel.routes.begin(), tunnel.routes.end()));
  }

  SmallMesh mesh;
  PeerEndpoints endpoints;
  std::chrono::seconds keepalive{0};
};

TEST_F(PlanTest, JoinsEveryPair) {
  const Roster roster = mesh.roster_of(7);
  for (std::uint64_t self = 0; self < 7; ++self) {
    const Tunnel tunnel = plan(roster, self);
    expect_consistent(tunnel);
    EXPECT_EQ(tunnel.addresses, prefixes(self));
    EXPECT_EQ(tunnel.peers.size(), 6U);
    for (std::uint64_t other = 0; other < 7; ++other) {
      if (other == self) continue;
      ASSERT_NE(peer(tunnel, other), nullptr);
      EXPECT_EQ(peer(tunnel, other)->allowed_ips, prefixes(other));
      for (const auto& prefix : prefixes(other)) EXPECT_TRUE(routed(tunnel, prefix));
    }
    EXPECT_EQ(peer(tunnel, self), nullptr) << "nobody is its own peer";
  }
}

TEST_F(PlanTest, LeavesOutWhoHasRunOutButNotThisNode) {
  Roster roster = mesh.empty_roster(10'000, mesh.id(2));
  for (std::uint64_t number = 0; number < 3; ++number) {
    Record body = mesh.record_body(number);
    if (number != 0) body.expires = SmallMesh::at(400);
    mesh.apply(roster, SmallMesh::member_item(mesh.sign(body, number), mesh.chain(number)));
  }
  EXPECT_NE(peer(plan(roster, 2), 1), nullptr);
  EXPECT_EQ(roster.expire(SmallMesh::at(500)).size(), 2U);
  const Tunnel tunnel = plan(roster, 2);
  EXPECT_EQ(peer(tunnel, 1), nullptr);
  EXPECT_NE(peer(tunnel, 0), nullptr);
  EXPECT_EQ(tunnel.addresses, prefixes(2));
}

TEST_F(PlanTest, LetsNothingMeantForTheMeshLeaveElsewhere) {
  const Tunnel tunnel = plan(mesh.roster_of(2));
  for (const auto& prefix : {prefix_of("10.99.0.0/16"), overlay_ipv6_prefix(mesh.network)}) {
    const TunnelRoute last{prefix, RouteKind::unreachable, metric_last};
    EXPECT_NE(std::find(tunnel.routes.begin(), tunnel.routes.end(), last), tunnel.routes.end());
  }
}

TEST_F(PlanTest, WritesEndpointsOnlyWhereTheyAreToBeTried) {
  const Roster roster = mesh.roster_of(3);
  const std::vector<Address> local;
  const std::vector<Prefix> inside;
  const Record& record = roster.find(mesh.id(1))->record->body;
  endpoints.judge(mesh.id(1), {record, std::nullopt, local, inside, {}, false}, instant(seconds(0)));
  const Tunnel tunnel = plan(roster);
  EXPECT_EQ(peer(tunnel, 1)->endpoint, record.endpoints[0]);
  EXPECT_EQ(peer(tunnel, 2)->endpoint, std::nullopt);
}

TEST_F(PlanTest, KeepsTheTunnelsOfTheDownAndWakesThemNoMore) {
  Roster roster = mesh.roster_of(3);
  keepalive = keepalive_behind_nat;
  roster.find(mesh.id(1))->health = Health::dead;
  roster.find(mesh.id(2))->health = Health::suspect;
  roster.health_changed();
  const Tunnel tunnel = plan(roster);
  ASSERT_NE(peer(tunnel, 1), nullptr);
  EXPECT_EQ(peer(tunnel, 1)->allowed_ips, prefixes(1));
  EXPECT_EQ(peer(tunnel, 1)->keepalive, std::chrono::seconds(0));
  EXPECT_EQ(peer(tunnel, 2)->keepalive, keepalive_behind_nat);
}

TEST_F(PlanTest, LeavesOutWhoLeftIsDormantOrExcluded) {
  Roster roster = mesh.roster_of(5);
  update(roster, 1, [](Record& body) { body.left = true; });
  roster.find(mesh.id(2))->dormant = true;
  roster.find(mesh.id(3))->excluded = true;
  const Tunnel tunnel = plan(roster);
  expect_consistent(tunnel);
  EXPECT_EQ(tunnel.peers.size(), 1U);
  EXPECT_NE(peer(tunnel, 4), nullptr);
  for (const std::uint64_t gone : {1U, 2U, 3U}) {
    for (const auto& prefix : prefixes(gone)) EXPECT_FALSE(routed(tunnel, prefix));
  }
}

// All are let in at one moment, so that the lower id decides, and node 0 before all others.
TEST_F(PlanTest, GivesAContestedAddressToTheLowestIdEverywhere) {
  const Address contested = Address::ipv4(0x0a630707U);
  for_seeds(30, [&](Rng& rng) {
    std::vector<std::uint64_t> claimants = {1, 2, 3, 4, 5};
    rng.shuffle(claimants);
    Roster roster = mesh.roster_of(6);
    for (const auto number : claimants) update(roster, number, [&](Record& body) { body.ipv4 = contested; });
    const auto lowest = *std::min_element(claimants.begin(), claimants.end(), [&](auto a, auto b) { return mesh.id(a) < mesh.id(b); });
    EXPECT_EQ(settle_ipv4(roster).at(contested), mesh.id(lowest));
    for (std::uint64_t self = 0; self < 6; ++self) {
      const Tunnel tunnel = plan(roster, self);
      expect_consistent(tunnel);
      const auto& holder = self == lowest ? tunnel.addresses : peer(tunnel, lowest)->allowed_ips;
      EXPECT_NE(std::find(holder.begin(), holder.end(), Prefix::host(contested)), holder.end());
    }
  });
}

TEST_F(PlanTest, GivesAContestedAddressToWhoWasAdmittedFirst) {
  Roster roster = mesh.roster_of(2);
  const std::pair<NodeId, NodeId> ordered = std::minmax({mesh.id(2), mesh.id(3)});
  const auto& [low, high] = ordered;
  const auto number_of = [&](const NodeId& id) { return id == mesh.id(2) ? 2U : 3U; };
  const Address contested = Address::ipv4(0x0a630808U);
  const auto admit = [&](std::uint64_t number, std::int64_t at) {
    Chain chain = mesh.chain(number);
    Redemption redemption = mesh.redemption_body(mesh.identity(number));
    redemption.at = SmallMesh::at(at);
    chain.redemption = make_redemption(redemption, mesh.network, mesh.sponsor);
    Record body = mesh.record_body(number);
    body.ipv4 = contested;
    ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.sign(body, number), chain)).applied, Applied::added);
  };
  admit(number_of(low), 150);
  admit(number_of(high), 140);
  EXPECT_EQ(settle_ipv4(roster).at(contested), high) << "the sponsor's date comes before the id";
}

TEST_F(PlanTest, GivesAnAddressToTheNextWhenItsHolderLeaves) {
  Roster roster = mesh.roster_of(3);
  const Address contested = *mesh.record_body(2).ipv4;
  update(roster, 1, [&](Record& body) { body.ipv4 = contested; });
  const auto holder = settle_ipv4(roster).at(contested);
  const std::uint64_t gone = holder == mesh.id(1) ? 1 : 2;
  Record goodbye = mesh.record_body(gone, {3, 0});
  goodbye.left = true;
  mesh.apply(roster, SmallMesh::record_item(mesh.sign(goodbye, gone)));
  EXPECT_EQ(settle_ipv4(roster).at(contested), mesh.id(3 - gone));
}

// Whoever announced it first or last, lives or is Down: traffic for the owner goes to who has its private key.
TEST_F(PlanTest, LetsNoCopiedKeyDisplaceItsOwner) {
  for (const std::uint64_t thief : {1U, 2U}) {
    for (const Health health : {Health::alive, Health::dead}) {
      const std::uint64_t owner = 3 - thief;
      Roster roster = mesh.roster_of(3);
      update(roster, thief, [&](Record& body) { body.tunnel_key = key(owner); });
      roster.find(mesh.id(owner))->health = health;
      roster.health_changed();
      const Tunnel tunnel = plan(roster);
      expect_consistent(tunnel);
      ASSERT_NE(peer(tunnel, owner), nullptr);
      EXPECT_THAT(peer(tunnel, owner)->allowed_ips, IsSupersetOf(prefixes(owner)));
      for (const auto& prefix : prefixes(owner)) EXPECT_TRUE(routed(tunnel, prefix));
      EXPECT_EQ(tunnel.peers.size(), 1U) << "the thief has no tunnel of its own";
    }
  }
}

TEST_F(PlanTest, LetsACopierThatWasKnownFirstKeepNobodyOut) {
  Roster roster = mesh.roster_of(1);
  Record copy = mesh.record_body(2);
  copy.tunnel_key = key(1);
  mesh.apply(roster, SmallMesh::member_item(mesh.sign(copy, 2), mesh.chain(2)));
  mesh.apply(roster, mesh.member(1));
  EXPECT_THAT(peer(plan(roster), 1)->allowed_ips, IsSupersetOf(prefixes(1)));
}

// A machine that was set up anew with its old WireGuard key: its old identity is Down for three days.
TEST_F(PlanTest, ReachesANewIdentityUnderAnOldKeyAtOnce) {
  Roster roster = mesh.roster_of(2);
  keepalive = keepalive_behind_nat;
  roster.find(mesh.id(1))->health = Health::dead;
  roster.health_changed();
  Record anew = mesh.record_body(2);
  anew.tunnel_key = key(1);
  mesh.apply(roster, SmallMesh::member_item(mesh.sign(anew, 2), mesh.chain(2)));
  const Tunnel tunnel = plan(roster);
  expect_consistent(tunnel);
  EXPECT_THAT(peer(tunnel, 1)->allowed_ips, IsSupersetOf(prefixes(2)));
  EXPECT_EQ(peer(tunnel, 1)->keepalive, keepalive_behind_nat);
}

TEST_F(PlanTest, SeeksTheHolderOfASharedKeyWhereItsFirstHolderSays) {
  Roster roster = mesh.roster_of(3);
  update(roster, 2, [&](Record& body) { body.tunnel_key = key(1); });
  roster.find(mesh.id(1))->health = Health::dead;
  roster.health_changed();
  for (const std::uint64_t number : {1U, 2U}) {
    endpoints.judge(mesh.id(number), {roster.find(mesh.id(number))->record->body, std::nullopt, {}, {}, {}, false}, instant(seconds(0)));
  }
  EXPECT_EQ(peer(plan(roster), 1)->endpoint, mesh.record_body(1).endpoints[0]);
}

TEST_F(PlanTest, MakesNobodyAPeerUnderOurOwnKey) {
  Roster roster = mesh.roster_of(3);
  update(roster, 1, [&](Record& body) { body.tunnel_key = key(0); });
  const Tunnel tunnel = plan(roster);
  EXPECT_EQ(tunnel.peers.size(), 1U);
  EXPECT_EQ(peer(tunnel, 0), nullptr);
  EXPECT_EQ(tunnel.addresses, prefixes(0)) << "and ours stay";
}

TEST_F(PlanTest, IsTheSameWhicheverWayItsRosterCameTogether) {
  for_seeds(20, [&](Rng& rng) {
    std::vector<std::uint64_t> order = {1, 2, 3, 4, 5, 6, 7};
    std::vector<Tunnel> plans;
    for (int way = 0; way < 2; ++way) {
      rng.shuffle(order);
      Roster roster = mesh.roster_of(1);
      for (const auto number : order) {
        Record body = mesh.record_body(number);
        body.ipv4 = Address::ipv4(0x0a630000U + 1 + static_cast<std::uint32_t>(number % 3));
        mesh.apply(roster, SmallMesh::member_item(mesh.sign(body, number), mesh.chain(number)));
      }
      plans.push_back(plan(roster));
      expect_consistent(plans.back());
    }
    EXPECT_EQ(plans[0], plans[1]);
  });
}

}  // namespace
}  // namespace wigwag
