#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "gossip/base/limits.hpp"
#include "gossip/membership/anti_entropy.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

// Two members' rosters and the datagrams between them: compares and what follows from them.
class Pair {
 public:
  Pair(SmallMesh& mesh, Roster one, Roster two, std::uint64_t seed)
      : mesh_(mesh), rosters_{std::move(one), std::move(two)}, engines_{AntiEntropy(seed), AntiEntropy(seed + 1)} {}

  bool equal() const { return rosters_[0].entries(0, UINT64_MAX) == rosters_[1].entries(0, UINT64_MAX); }
  const Roster& roster(std::size_t side) const { return rosters_[side]; }
  std::size_t datagrams() const { return datagrams_; }
  std::size_t bytes() const { return bytes_; }

  // One round begun by `side`, until neither has anything to say.
  void round(std::size_t side) { hear(1 - side, transmit(AntiEntropy::opening(rosters_[side])), 0); }

 private:
  Compare transmit(const Compare& compare) { return std::get<Compare>(passed(compare)); }

  Message passed(const Message& message) {
    const Bytes wire = encode_message(message);
    EXPECT_LE(wire.size(), limits::datagram_payload - message_limits::mac_bytes);
    ++datagrams_;
    bytes_ += wire.size();
    const auto read = decode_message(wire);
    EXPECT_TRUE(read);
    return read ? *read : Message(Compare{});
  }

  void hear(std::size_t side, const Compare& compare, int depth) {
    ASSERT_LT(depth, 12) << "a round ends";
    auto difference = engines_[side].compare(compare, rosters_[side]);
    ASSERT_LE(difference.need.size(), message_limits::ids);
    auto members = difference.send;
    members.insert(members.end(), difference.newer.begin(), difference.newer.end());
    give(side, members, difference.extras);
    std::vector<NodeId> wanted;
    if (!difference.need.empty()) give(1 - side, {}, std::get<Need>(passed(Need{difference.need})).keys);
    if (difference.ranges.empty()) return;
    hear(1 - side, transmit({UnixTime{1}, std::nullopt, false, std::move(difference.ranges)}), depth + 1);
  }

  void give(std::size_t side, const std::vector<NodeId>& members, const std::vector<std::uint64_t>& keys) {
    const Roster& from = rosters_[side];
    std::vector<Item> items;
    const auto add = [&](const Member& member) {
      items.push_back(from.item_of(member, true));
      for (const auto& held : member.accusations) items.push_back({ItemKind::accusation, held.statement.wire, {}, {}, {}});
    };
    for (const auto& id : members) add(*from.find(id));
    for (const auto key : keys) {
      if (const Member* member = from.by_key(key)) add(*member);
      for (const auto& [target, revocation] : from.revocations()) {
        if (key_of(target) == key) items.push_back({ItemKind::revocation, revocation.wire, {}, {}, {}});
      }
    }
    Outbox out;
    push_items(NodeId{}, std::move(items), out);
    for (const auto& mail : out) {
      const auto arrived = passed(mail.message);
      for (const auto& item : std::get<Push>(arrived).items) mesh_.apply(rosters_[1 - side], item);
    }
  }

  SmallMesh& mesh_;
  std::array<Roster, 2> rosters_;
  std::array<AntiEntropy, 2> engines_;
  std::size_t datagrams_ = 0;
  std::size_t bytes_ = 0;
};

class AntiEntropyTest : public testing::Test {
 protected:
  void randomly_fill(Roster& roster, std::uint64_t members, Rng& rng) {
    mesh.apply(roster, mesh.member(0));
    for (std::uint64_t number = 1; number < members; ++number) {
      if (rng.chance(700)) mesh.apply(roster, mesh.member(number, {1, static_cast<std::uint32_t>(rng.below(2))}));
      if (rng.chance(200)) mesh.apply(roster, mesh.accusation(0, number, {1, static_cast<std::uint32_t>(rng.below(2))}));
    }
    if (rng.chance(500)) mesh.apply(roster, revocation(static_cast<std::uint8_t>(rng.below(3))));
  }
  Item revocation(std::uint8_t number) const {
    Revocation body = mesh.revocation_body();
    body.target.fill(number);
    return {ItemKind::revocation, make_revocation(body, mesh.network, mesh.revoker).wire, {}, {}, {}};
  }

  SmallMesh mesh;
};

TEST_F(AntiEntropyTest, NeedsOneSmallDatagramWhenEqual) {
  Pair pair(mesh, mesh.roster_of(60), mesh.roster_of(60), 1);
  pair.round(0);
  EXPECT_EQ(pair.datagrams(), 1U);
  EXPECT_LE(pair.bytes(), 64U);
}

TEST_F(AntiEntropyTest, MakesTwoRandomRostersEqual) {
  for_seeds(25, [&](Rng& rng) {
    const auto members = 2 + rng.below(90);
    Roster one = mesh.empty_roster();
    Roster two = mesh.empty_roster();
    randomly_fill(one, members, rng);
    randomly_fill(two, members, rng);
    Pair pair(mesh, std::move(one), std::move(two), rng.next());
    std::size_t rounds = 0;
    for (; !pair.equal() && rounds < 20; ++rounds) pair.round(rounds % 2);
    EXPECT_TRUE(pair.equal());
    EXPECT_LE(pair.datagrams(), 40 + members * 6) << "after " << rounds << " rounds";
  });
}

TEST_F(AntiEntropyTest, CostsAsMuchAsTheDifference) {
  Roster one = mesh.roster_of(200);
  Roster two = mesh.roster_of(200);
  mesh.apply(one, mesh.member(77, {2, 0}));
  Pair pair(mesh, std::move(one), std::move(two), 1);
  for (int rounds = 0; !pair.equal() && rounds < 3; ++rounds) pair.round(1);
  EXPECT_TRUE(pair.equal());
  EXPECT_LE(pair.datagrams(), 8U);
  EXPECT_LE(pair.bytes(), 3000U);
}

// Wherever the one difference lies, and whatever of the rest is listed before it.
TEST_F(AntiEntropyTest, FindsASingleDifferenceAnywhere) {
  std::vector<std::uint64_t> order(70);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return mesh.id(a) < mesh.id(b); });
  for (const std::size_t size : {16U, 17U, 38U, 70U}) {
    for (const std::size_t place : {std::size_t{0}, size / 2, size - 2, size - 1}) {
      std::vector<std::uint64_t> held = order;
      std::erase_if(held, [&](auto number) { return number >= size; });
      for (const std::size_t opener : {0U, 1U}) {
        Roster same = mesh.roster_of(size), newer = mesh.roster_of(size);
        mesh.apply(newer, mesh.member(held[place], {2, 0}));
        Pair pair(mesh, std::move(newer), std::move(same), place);
        pair.round(opener);
        EXPECT_TRUE(pair.equal()) << "of " << size << " members the one at place " << place << ", opened by " << opener;
      }
    }
  }
}

// Whoever knows all sends sponsors before those they let in.
TEST_F(AntiEntropyTest, FillsAnEmptyRosterSponsorsFirst) {
  Pair pair(mesh, mesh.empty_roster(), mesh.roster_of(20), 3);
  pair.round(1);
  EXPECT_TRUE(pair.equal());
}

TEST_F(AntiEntropyTest, FillsAnEmptyRosterInFewRoundsInWhateverOrderItAsks) {
  for_seeds(10, [&](Rng& rng) {
    Pair pair(mesh, mesh.empty_roster(), mesh.roster_of(60), rng.next());
    int rounds = 0;
    for (; !pair.equal() && rounds < 8; ++rounds) pair.round(0);
    EXPECT_TRUE(pair.equal());
  });
}

TEST_F(AntiEntropyTest, BringsTheNewerRecordToWhomLacksIt) {
  for (const std::size_t opener : {0U, 1U}) {
    Roster one = mesh.roster_of(4);
    Roster two = mesh.roster_of(4);
    mesh.apply(one, mesh.member(2, {1, 9}));
    mesh.apply(two, mesh.member(3, {1, 9}));
    Pair pair(mesh, std::move(one), std::move(two), 1);
    pair.round(opener);
    EXPECT_TRUE(pair.equal());
    EXPECT_EQ(pair.roster(1).find(mesh.id(2))->record->body.version, (Version{1, 9}));
    EXPECT_EQ(pair.roster(0).find(mesh.id(3))->record->body.version, (Version{1, 9}));
  }
}

TEST_F(AntiEntropyTest, AnswersAnyComparisonWithinItsBounds) {
  for_seeds(60, [&](Rng& rng) {
    const Roster roster = mesh.roster_of(1 + rng.below(60));
    const auto known = roster.entries(0, UINT64_MAX);
    Compare theirs;
    std::size_t entries = 0;
    for (auto i = rng.below(17); i > 0; --i) {
      Range range{.first = rng.next(), .last = rng.next()};
      if (rng.chance(300)) range = {.first = 0, .last = UINT64_MAX};
      if (range.last < range.first) std::swap(range.first, range.last);
      range.listed = rng.chance(500);
      for (auto left = range.listed ? rng.below(37) : 0; left > 0; --left, ++entries) {
        range.entries.push_back(rng.chance(500) ? known[rng.below(known.size())] : RangeEntry{rng.next(), 1, 1, rng.next()});
      }
      theirs.ranges.push_back(std::move(range));
    }
    AntiEntropy engine(rng.next());
    auto found = engine.compare(theirs, roster);
    EXPECT_LE(found.send.size(), AntiEntropy::items_max);
    EXPECT_LE(found.extras.size(), AntiEntropy::items_max);
    EXPECT_LE(found.need.size(), AntiEntropy::items_max);
    const Endpoint far{*Address::parse("2001:db8::1"), 65535};
    const Bytes answer = encode_message(Compare{UnixTime{1 << 30}, far, true, found.ranges});
    EXPECT_LE(answer.size(), limits::datagram_payload - message_limits::mac_bytes);
    EXPECT_TRUE(decode_message(answer));
  });
}

}  // namespace
}  // namespace wigwag
