#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "gossip/topology/plan.hpp"
#include "gossip/topology/subnets.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/lan_mesh.hpp"
#include "tests/topology/carriers.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t members = 8;

// Of a few networks, some within others, some nobody's to have, some that overlap those of this host.
std::vector<Prefix> random_subnets(Rng& rng) {
  std::vector<Prefix> subnets;
  for (const char* text : {"10.16.0.0/12", "10.20.0.0/24", "10.20.0.128/25", "10.99.4.0/24", "172.16.0.0/24", "2001:db8:20::/48", "::/0"}) {
    if (rng.chance(200)) subnets.push_back(prefix_of(text));
  }
  std::sort(subnets.begin(), subnets.end());
  return subnets;
}

// Records with few keys, addresses and networks, so that many are shared.
Item random_member(const LanMesh& mesh, Rng& rng) {
  const auto number = rng.below(members);
  Record body = mesh.lan_record(number, random_subnets(rng), {1, static_cast<std::uint32_t>(rng.below(50))});
  body.tunnel_key = TunnelKey{blake2b(view_of(std::string(1, static_cast<char>('a' + rng.below(4))))).bytes};
  body.ipv4 = Address::ipv4(mesh.bundle().body.ipv4.address.ipv4_number() + 1 + static_cast<std::uint32_t>(rng.below(4)));
  if (rng.chance(200)) body.ipv4.reset();
  body.left = rng.chance(30);
  return SmallMesh::member_item(mesh.sign(body, number), mesh.wide_chain(number));
}

void change(Roster& roster, LanMesh& mesh, Rng& rng) {
  if (rng.chance(600)) {
    mesh.apply(roster, random_member(mesh, rng));
    return;
  }
  const NodeId id = mesh.id(rng.below(members));
  Member* member = roster.find(id);
  if (member == nullptr) return;
  if (rng.chance(100)) return roster.forget(id, instant(minutes(1)));
  if (!member->record->body.left) member->health = rng.chance(500) ? Health::dead : Health::alive;
  if (member->health == Health::dead) member->down_since = instant(seconds(static_cast<int>(rng.below(3))));
  member->dormant = member->health == Health::dead && rng.chance(300);
  roster.health_changed(*member);
}

std::vector<TunnelKey> keys_that_differ(const Tunnel& before, const Tunnel& after) {
  std::vector<TunnelPeer> differ;
  std::set_symmetric_difference(before.peers.begin(), before.peers.end(), after.peers.begin(), after.peers.end(), std::back_inserter(differ));
  std::set<TunnelKey> keys;
  for (const auto& peer : differ) keys.insert(peer.key);
  return {keys.begin(), keys.end()};
}

TEST(Replan, ComesToWhatPlanningAnewComesTo) {
  for_seeds(60, [](Rng& rng) {
    LanMesh mesh;
    Roster roster = mesh.empty_roster();
    PeerEndpoints endpoints;
    const std::vector<Prefix> networks = {prefix_of("172.16.0.0/16")};
    const PlanFacts facts{mesh.id(0), endpoints, std::chrono::seconds(25), networks};
    Tunnel plan = plan_direct(roster, facts);
    roster.take_touched();
    for (int step = 0; step < 60; ++step) {
      for (auto changes = rng.below(4); changes > 0; --changes) change(roster, mesh, rng);
      const auto touched = roster.take_touched();
      const Tunnel anew = plan_direct(roster, facts);
      if (touched.ids.contains(mesh.id(0))) {
        plan = anew;  // our own key may be another
        continue;
      }
      const bool differed = plan != anew;
      const auto expected = keys_that_differ(plan, anew);
      const auto changed = replan_direct(plan, roster, facts, touched.keys);
      EXPECT_EQ(changed.has_value(), differed);
      if (changed) {
        EXPECT_EQ(*changed, expected);
      }
      ASSERT_EQ(plan, anew) << "at step " << step;
    }
  });
}

TEST(Replan, FindsWhoSharesAKeyAnAddressOrANetworkAsAWalkOverAllDoes) {
  for_seeds(40, [](Rng& rng) {
    LanMesh mesh;
    Roster roster = mesh.empty_roster();
    for (int step = 0; step < 40; ++step) {
      change(roster, mesh, rng);
      const auto holders = settle_ipv4(roster);
      const auto sharers = sharers_of_keys(roster);
      const auto carriers = carriers_of(roster);
      std::map<Address, int> claims;
      std::map<Prefix, std::vector<const Member*>> announced;
      for (const auto& [id, member] : roster.members()) {
        const auto found = sharers.find(member.record->body.tunnel_key);
        EXPECT_EQ(sharers_of(roster, member.record->body.tunnel_key), found == sharers.end() ? std::vector<const Member*>() : found->second);
        for (const auto& subnet : member.record->body.subnets) {
          announced[subnet].push_back(&member);
          const auto carrier = carriers.find(subnet);
          EXPECT_EQ(carrier_of(roster, subnet), carrier == carriers.end() ? std::nullopt : std::optional(carrier->second));
        }
        if (!member.record->body.ipv4) continue;
        ++claims[*member.record->body.ipv4];
        const auto holder = holders.find(*member.record->body.ipv4);
        EXPECT_EQ(holder_of(roster, *member.record->body.ipv4), holder == holders.end() ? std::nullopt : std::optional(holder->second));
      }
      std::erase_if(claims, [](const auto& entry) { return entry.second < 2; });
      std::vector<Address> contested;
      for (const auto& [address, count] : claims) contested.push_back(address);
      EXPECT_EQ(roster.contested(), contested);
      EXPECT_EQ(roster.subnets(), announced);
      EXPECT_EQ(roster.whole().count, roster.members().size());
      std::uint64_t sum = 0;
      for (const auto& entry : roster.entries(0, UINT64_MAX)) sum += entry.fingerprint;
      EXPECT_EQ(roster.whole().fingerprint, sum);
    }
  });
}

}  // namespace
}  // namespace wigwag
