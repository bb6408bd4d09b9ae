#include <gtest/gtest.h>

#include <algorithm>

#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"

// Rosters that have heard the same agree, whatever the order in which they heard it.
namespace wigwag {
namespace {

class RosterMerge : public testing::Test {
 protected:
  static constexpr std::uint64_t members = 7;

  Redemption redemption_of(std::uint64_t number, std::int64_t at, std::uint64_t sponsor) const {
    return {public_key(mesh.invitation), mesh.id(number), mesh.id(sponsor), SmallMesh::at(at)};
  }
  Chain redeemed(std::uint64_t number, std::int64_t at, std::uint64_t sponsor) const {
    Chain chain = mesh.chain(number);
    chain.redemption = make_redemption(redemption_of(number, at, sponsor), mesh.network, mesh.identity(sponsor));
    return chain;
  }

  Item random_statement(Rng& rng) {
    const auto number = rng.below(members);
    const Version version{1, static_cast<std::uint32_t>(rng.below(3))};
    if (rng.chance(300)) return mesh.accusation((number + 1 + rng.below(members - 1)) % members, number, version);
    Record body = mesh.record_body(number, version);
    body.listen_port = static_cast<std::uint16_t>(rng.below(2));  // equivocations, at times
    body.left = rng.chance(60);
    const auto record = mesh.sign(body, number);
    if (number == 0 || rng.chance(300)) return SmallMesh::member_item(record, mesh.chain(number));
    const auto sponsor = (number + 1 + rng.below(members - 1)) % members;
    return rng.chance(500) ? SmallMesh::record_item(record)
                           : SmallMesh::member_item(record, redeemed(number, 110 + static_cast<std::int64_t>(rng.below(3)), sponsor));
  }

  // Offers all statements, as anti-entropy would: again and again until nothing is news.
  void hear(Roster& roster, std::vector<Item> statements, Rng& rng) {
    std::map<NodeId, Version> seen;
    std::map<NodeId, bool> left;
    for (std::uint64_t before = UINT64_MAX; before != roster.revision();) {
      before = roster.revision();
      rng.shuffle(statements);
      for (const auto& item : statements) {
        mesh.apply(roster, item);
        for (const auto& [id, member] : roster.members()) {
          const Record& record = member.record->body;
          ASSERT_TRUE(record.left || !left[id]) << "left is final";
          ASSERT_TRUE(record.left != left[id] || seen[id] <= record.version) << "a version never goes back";
          seen[id] = record.version;
          left[id] = record.left;
        }
      }
    }
  }

  SmallMesh mesh;
};

TEST_F(RosterMerge, GivesEqualRostersInAnyTwoOrders) {
  for_seeds(60, [&](Rng& rng) {
    std::vector<Item> statements;
    for (std::uint64_t number = 0; number < members; ++number) statements.push_back(mesh.member(number));
    for (auto i = 5 + rng.below(25); i > 0; --i) statements.push_back(random_statement(rng));
    Roster one = mesh.empty_roster();
    Roster two = mesh.empty_roster();
    hear(one, statements, rng);
    hear(two, statements, rng);
    EXPECT_EQ(one.members().size(), members);
    EXPECT_EQ(one.entries(0, UINT64_MAX), two.entries(0, UINT64_MAX));
    EXPECT_EQ(one.digest(), two.digest());
  });
}

TEST_F(RosterMerge, PrefersTheEarlierRedemption) {
  for (const bool earlier_first : {true, false}) {
    Roster roster = mesh.roster_of(3);
    mesh.apply(roster, SmallMesh::member_item(mesh.record(1), redeemed(1, earlier_first ? 100 : 110, 2)));
    mesh.apply(roster, SmallMesh::member_item(mesh.record(1), redeemed(1, earlier_first ? 110 : 100, 2)));
    EXPECT_EQ(roster.admitted(*roster.find(mesh.id(1))), SmallMesh::at(100));
  }
}

// A grant for three, redeemed by five of whom nobody knew each other.
TEST_F(RosterMerge, GivesAnInvitationsUsesToTheEarliestEverywhere) {
  Grant body = mesh.grant_body();
  body.uses = 3;
  const auto grant = make_grant(body, mesh.network, mesh.admin);
  const std::vector<std::int64_t> redeemed_at = {0, 130, 110, 150, 110, 120};
  for_seeds(20, [&](Rng& rng) {
    std::vector<std::uint64_t> order = {1, 2, 3, 4, 5};
    rng.shuffle(order);
    Roster roster = mesh.roster_of(1);
    std::vector<NodeId> losers;
    for (const auto number : order) {
      Chain chain = redeemed(number, redeemed_at[number], 0);
      chain.grant = grant;
      ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record(number), chain)).applied, Applied::added);
      for (const auto& loser : roster.take_aftermath().excluded) losers.push_back(loser);
    }
    EXPECT_EQ(roster.redemptions(body.id), 5U);
    for (const auto number : order) EXPECT_EQ(roster.find(mesh.id(number))->excluded, number == 1 || number == 3) << number;
    for (const auto number : {1, 3}) EXPECT_EQ(std::count(losers.begin(), losers.end(), mesh.id(static_cast<std::uint64_t>(number))), 1);
    EXPECT_EQ(roster.live_count(), 4U);
  });
}

}  // namespace
}  // namespace wigwag
