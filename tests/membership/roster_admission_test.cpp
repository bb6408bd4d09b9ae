#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"

// Whose admission counts, for how long, and that nobody else has a say in it.
namespace wigwag {
namespace {

class Admission : public testing::Test {
 protected:
  const Member& held(const Roster& roster, std::uint64_t number) { return *roster.find(mesh.id(number)); }
  // By whoever holds the invitation's secret, of any node.
  Chain certified(std::uint64_t number, const std::string& name, std::int64_t issued, UnixTime expires = no_expiry) {
    Certificate body = mesh.certificate_body(mesh.identity(number), name);
    body.issued = SmallMesh::at(issued);
    body.expires = expires;
    Chain chain = mesh.chain(number);
    chain.certificate = make_certificate(body, mesh.network, mesh.invitation);
    return chain;
  }
  Signed<Grant> grant_for(std::uint32_t uses) {
    Grant body = mesh.grant_body();
    body.uses = uses;
    return make_grant(body, mesh.network, mesh.admin);
  }
  // The usual chain, redeemed at a time of a grant for so many uses.
  Chain claim(std::uint64_t number, std::uint32_t uses, std::int64_t at, std::uint64_t sponsor = 0) {
    Chain chain = mesh.chain(number);
    chain.grant = grant_for(uses);
    chain.redemption = make_redemption({grant, mesh.id(number), mesh.id(sponsor), SmallMesh::at(at)}, mesh.network, mesh.identity(sponsor));
    return chain;
  }
  Item claimant(std::uint64_t number, std::uint32_t uses, std::int64_t at, std::uint64_t sponsor = 0) {
    return SmallMesh::member_item(mesh.record(number), claim(number, uses, at, sponsor));
  }
  // Under another invitation, for any number of uses.
  Chain readmitted(std::uint64_t number) {
    const auto other = fixed_secret<GrantSecret>(44);
    Grant body = mesh.grant_body();
    body.id = public_key(other);
    Certificate certificate = mesh.certificate_body(mesh.identity(number), "again");
    certificate.issuer_key = body.id.bytes;
    return {make_certificate(certificate, mesh.network, other), make_grant(body, mesh.network, mesh.admin), std::nullopt};
  }

  SmallMesh mesh;
  GrantId grant = public_key(mesh.invitation);
};

// Each part within its own bounds, and together more than others could be told in one datagram.
class AdmissionOfTooMuch : public Admission {
 protected:
  Chain chain_with(std::size_t subnets, bool redeemed) {
    Grant body = mesh.grant_body();
    body.may.subnets.clear();
    for (std::size_t i = 0; i < subnets; ++i) {
      Prefix subnet = prefix_of("fd00:20::/64");
      subnet.address.bytes[7] = static_cast<std::uint8_t>(i);
      body.may.subnets.push_back(subnet);
    }
    Certificate certificate = mesh.certificate_body(mesh.identity(1), std::string(limits::name_bytes, 'n'));
    certificate.may = body.may;
    Chain chain{make_certificate(certificate, mesh.network, mesh.invitation), make_grant(body, mesh.network, mesh.admin), std::nullopt};
    if (redeemed) chain.redemption = make_redemption(mesh.redemption_body(mesh.identity(1)), mesh.network, mesh.sponsor);
    return chain;
  }
  // The longest record that a node makes which neither relays nor announces subnets, or a longer one.
  Signed<Record> long_record(const Chain& chain, Version version, std::size_t homes = 0) {
    Record body = mesh.record_body(1, version);
    body.certificate = blake2b(chain.certificate.wire);
    body.endpoints.assign(limits::endpoints_per_record, {*Address::parse("2001:db8::1"), 51820});
    body.homes.assign(homes, mesh.id(0));
    body.expires = UnixTime{1'900'000'000};
    return mesh.sign(body, 1);
  }
  bool can_be_told(const Item& item) const {
    Outbox out;
    push_items(mesh.id(2), {item}, out);
    return !out.empty();
  }
};

TEST_F(AdmissionOfTooMuch, IsRefused) {
  for (const bool redeemed : {true, false}) {
    const Chain chain = chain_with(8, redeemed);
    ASSERT_TRUE(decode_certificate(chain.certificate.wire) && decode_grant(chain.grant->wire));
    Roster roster = mesh.roster_of(1);
    const auto outcome = mesh.apply(roster, SmallMesh::member_item(long_record(chain, {UINT32_MAX / 2, UINT32_MAX}), chain));
    EXPECT_EQ(outcome.applied, Applied::refused) << "with room for a sponsor's word, even if there is none yet";
    EXPECT_EQ(outcome.reason, TrustError::malformed);
  }
}

TEST_F(AdmissionOfTooMuch, IsWhatNoInvitationConfers) {
  const Chain chain = chain_with(7, true);
  ASSERT_TRUE(leave_room_for_record(chain.certificate.body, chain.grant->body));
  const auto record = long_record(chain, {1'800'000'000, UINT32_MAX});
  EXPECT_LE(record.wire.size(), limits::plain_record_bytes);
  Roster roster = mesh.roster_of(1);
  ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(record, chain)).applied, Applied::added);
  EXPECT_TRUE(can_be_told(roster.item_of(held(roster, 1), true)));
}

TEST_F(AdmissionOfTooMuch, IsNotReachedByALongerRecordEither) {
  const Chain chain = chain_with(7, true);
  Roster roster = mesh.roster_of(1);
  ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(long_record(chain, {5, 0}), chain)).applied, Applied::added);
  const auto longer = long_record(chain, {6, 0}, limits::homes_per_record);
  ASSERT_LE(longer.wire.size(), limits::record_bytes);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(longer)).applied, Applied::refused);
  EXPECT_EQ(held(roster, 1).record->body.version, (Version{5, 0}));
  EXPECT_TRUE(can_be_told(roster.item_of(held(roster, 1), true)));
}

// Its admin signed two invitations under one key, the second with all that fits a statement.
TEST_F(AdmissionOfTooMuch, IsNotReachedByALongerChainEither) {
  const Chain chain = chain_with(7, false);
  Roster roster = mesh.roster_of(1);
  const auto record = long_record(chain, {5, 0});
  ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(record, chain)).applied, Applied::added);
  Chain longer = chain_with(8, true);
  longer.certificate = chain.certificate;
  Grant second = longer.grant->body;
  second.name_pattern = std::string(40, '*');
  longer.grant = make_grant(second, mesh.network, mesh.admin);
  mesh.apply(roster, SmallMesh::member_item(record, longer));
  EXPECT_TRUE(can_be_told(roster.item_of(held(roster, 1), true)));
}

TEST_F(Admission, IsNotReplacedByACertificateThatTheNodeDoesNotName) {
  const auto forged = certified(1, "mallory", 250, SmallMesh::at(301));
  Roster roster = mesh.roster_of(2);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record(1), forged)).applied, Applied::refused);
  EXPECT_EQ(held(roster, 1).name(), "node-1");
  EXPECT_TRUE(roster.expire(SmallMesh::at(400)).empty());
  Roster newcomer = mesh.roster_of(1);
  EXPECT_EQ(mesh.apply(newcomer, SmallMesh::member_item(mesh.record(1), forged)).applied, Applied::refused);
  EXPECT_EQ(mesh.apply(newcomer, mesh.member(1)).applied, Applied::added);
}

TEST_F(Admission, ChangesWithARecordThatNamesIt) {
  const auto renewed = certified(1, "renewed", 250);
  Roster roster = mesh.roster_of(2);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(mesh.record_on(renewed, 1, {2, 0}))).applied, Applied::needs_chain);
  EXPECT_EQ(held(roster, 1).record->body.version, (Version{1, 0}));
  EXPECT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record_on(renewed, 1, {2, 0}), renewed)).applied, Applied::updated);
  EXPECT_EQ(held(roster, 1).name(), "renewed");
  EXPECT_EQ(mesh.apply(roster, mesh.member(1)).applied, Applied::stale) << "an older admission comes with an older record";
  EXPECT_EQ(held(roster, 1).name(), "renewed");
}

TEST_F(Admission, IsTheSameForAllAfterAnEquivocationAboutIt) {
  const auto one = certified(1, "one", 250);
  const auto two = certified(1, "two", 260);
  std::vector<Item> items = {SmallMesh::member_item(mesh.record_on(one, 1), one), SmallMesh::member_item(mesh.record_on(two, 1), two)};
  std::vector<std::string> names;
  for (int order = 0; order < 2; ++order, std::swap(items[0], items[1])) {
    Roster roster = mesh.roster_of(1);
    EXPECT_EQ(mesh.apply(roster, items[0]).applied, Applied::added);
    EXPECT_EQ(mesh.apply(roster, items[1]).applied, Applied::equivocation);
    names.push_back(held(roster, 1).name());
    EXPECT_EQ(held(roster, 1).record->body.certificate, blake2b(held(roster, 1).chain->certificate.wire));
  }
  EXPECT_EQ(names[0], names[1]);
}

TEST_F(Admission, StandsForNewerRecordsWhenItCouldNotBeTakenAnewAnyMore) {
  Chain unredeemed = mesh.chain(1);
  unredeemed.redemption.reset();
  Roster roster = mesh.roster_of(1);
  ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record(1), unredeemed)).applied, Applied::added);
  const UnixTime late = SmallMesh::at(100'000);  // the grant has expired
  const auto newer = SmallMesh::member_item(mesh.record(1, {2, 0}), unredeemed);
  EXPECT_EQ(roster.apply_record(newer, late, late).applied, Applied::updated);
  EXPECT_EQ(held(roster, 1).record->body.version, (Version{2, 0}));
  Roster newcomer = mesh.roster_of(1);
  EXPECT_EQ(newcomer.apply_record(newer, late, late).reason, TrustError::grant_expired);
}

TEST_F(Admission, ByOneInvitationIsForItsUsesAndAFewInAnyOrder) {
  for_seeds(20, [&](Rng& rng) {
    std::vector<Item> items;
    for (std::uint64_t number = 1; number <= 12; ++number) items.push_back(claimant(number, 2, 200 - static_cast<std::int64_t>(number)));
    rng.shuffle(items);
    Roster roster = mesh.roster_of(1);
    std::size_t spent = 0;
    for (const auto& item : items) {
      const auto outcome = mesh.apply(roster, item);
      spent += outcome.applied == Applied::refused && outcome.reason == TrustError::grant_spent ? 1U : 0U;
      EXPECT_LE(roster.redemptions(grant), 2 + limits::spare_claims);
    }
    EXPECT_EQ(spent + roster.take_aftermath().dropped.size(), 8U);
    for (std::uint64_t number = 1; number <= 12; ++number) EXPECT_EQ(roster.find(mesh.id(number)) != nullptr, number > 8) << number;
    EXPECT_EQ(roster.live_count(), 3U);
    EXPECT_FALSE(held(roster, 12).excluded || held(roster, 11).excluded);
    EXPECT_TRUE(held(roster, 10).excluded && held(roster, 9).excluded);
  });
}

TEST_F(Admission, IsNotTakenFromWhoVouchedForOthersOrFromThisNode) {
  Roster roster = mesh.empty_roster(10'000, mesh.id(2));
  mesh.apply(roster, mesh.member(0));
  for (std::uint64_t number = 1; number <= 3; ++number) mesh.apply(roster, claimant(number, 1, 200));
  Chain protege = readmitted(9);
  protege.redemption = make_redemption({protege.grant->body.id, mesh.id(9), mesh.id(1), SmallMesh::at(220)}, mesh.network, mesh.identity(1));
  ASSERT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record_on(protege, 9), protege)).applied, Applied::added);
  for (std::uint64_t number = 4; number <= 8; ++number) mesh.apply(roster, claimant(number, 1, 200 - static_cast<std::int64_t>(number)));
  EXPECT_NE(roster.find(mesh.id(1)), nullptr) << "somebody's admission rests on its word";
  EXPECT_NE(roster.find(mesh.id(2)), nullptr) << "a node knows itself";
  EXPECT_EQ(roster.redemptions(grant), 1 + limits::spare_claims);
}

TEST_F(Admission, UnderAnotherInvitationEndsAnExclusion) {
  Roster roster = mesh.roster_of(1);
  mesh.apply(roster, claimant(1, 1, 120));
  mesh.apply(roster, claimant(2, 1, 130));
  ASSERT_TRUE(held(roster, 2).excluded);
  EXPECT_EQ(roster.take_aftermath().excluded, std::vector<NodeId>{mesh.id(2)});
  const auto again = readmitted(2);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record_on(again, 2, {2, 0}), again)).applied, Applied::updated);
  EXPECT_FALSE(held(roster, 2).excluded);
  EXPECT_EQ(roster.live_count(), 3U);
  EXPECT_EQ(roster.redemptions(grant), 1U);
}

TEST_F(Admission, PassesOnWhenItsHolderIsReadmittedOrForgotten) {
  for (const bool forgotten : {true, false}) {
    Roster roster = mesh.roster_of(1);
    mesh.apply(roster, claimant(1, 1, 120));
    mesh.apply(roster, claimant(2, 1, 130));
    ASSERT_TRUE(held(roster, 2).excluded);
    const auto again = readmitted(1);
    if (forgotten) roster.forget(mesh.id(1), instant(hours(6)));
    else mesh.apply(roster, SmallMesh::member_item(mesh.record_on(again, 1, {2, 0}), again));
    EXPECT_FALSE(held(roster, 2).excluded);
  }
}

TEST_F(Admission, OfWhoWasForgottenNeedsANewerRecordForAWhile) {
  Roster roster = mesh.roster_of(3);
  mesh.apply(roster, SmallMesh::record_item(mesh.record(1, {5, 0})));
  Record goodbye = mesh.record_body(2, {1, 1});
  goodbye.left = true;
  mesh.apply(roster, SmallMesh::record_item(mesh.sign(goodbye, 2)));
  for (const std::uint64_t number : {1U, 2U}) roster.forget(mesh.id(number), instant(hours(6)));
  roster.drop_graves(instant(hours(5)));
  EXPECT_EQ(mesh.apply(roster, mesh.member(1, {5, 0})).applied, Applied::stale);
  EXPECT_EQ(mesh.apply(roster, mesh.member(1, {4, 9})).applied, Applied::stale);
  EXPECT_EQ(mesh.apply(roster, mesh.member(1, {5, 1})).applied, Applied::added) << "it is back";
  EXPECT_EQ(mesh.apply(roster, mesh.member(2, {9, 0})).applied, Applied::stale) << "a goodbye is final";
  roster.drop_graves(instant(hours(6)));
  EXPECT_EQ(mesh.apply(roster, mesh.member(2, {9, 0})).applied, Applied::added);
}

TEST_F(Admission, OfTheForgottenIsRememberedWithinBounds) {
  Roster roster = mesh.roster_of(3);
  for (std::size_t times = 0; times < limits::graves + 1; ++times) {
    const std::uint64_t number = 10 + times;
    ASSERT_EQ(mesh.apply(roster, mesh.member(number)).applied, Applied::added);
    roster.forget(mesh.id(number), instant(seconds(static_cast<std::int64_t>(times))));
  }
  EXPECT_EQ(mesh.apply(roster, mesh.member(10)).applied, Applied::added) << "the first made room for the last";
  EXPECT_EQ(mesh.apply(roster, mesh.member(11)).applied, Applied::stale);
}

TEST_F(Admission, HasTheSameAccusersOfTooManyInAnyOrder) {
  constexpr std::uint64_t size = limits::accusations_per_subject + 14;
  std::optional<std::vector<RangeEntry>> entries;
  for_seeds(12, [&](Rng& rng) {
    std::vector<std::uint64_t> accusers;
    for (std::uint64_t number = 2; number < size; ++number) accusers.push_back(number);
    rng.shuffle(accusers);
    Roster roster = mesh.roster_of(size);
    for (const auto accuser : accusers) mesh.apply(roster, mesh.accusation(accuser, 1));
    const auto& kept = held(roster, 1).accusations;
    ASSERT_EQ(kept.size(), limits::accusations_per_subject);
    EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.statement.body.accuser < b.statement.body.accuser; }));
    if (entries) {
      EXPECT_EQ(roster.entries(0, UINT64_MAX), *entries);
    }
    entries = roster.entries(0, UINT64_MAX);
  });
}

// Who is a legal accuser changes with who is alive.
TEST_F(Admission, HasTheSameAccusersOfTooManyWhoeverWasAliveMeanwhile) {
  constexpr std::uint64_t size = 60;
  Roster roster = mesh.roster_of(size), other = mesh.roster_of(size);
  for (std::uint64_t number = 20; number < 50; ++number) other.find(mesh.id(number))->health = Health::dead;
  other.health_changed();
  for (std::uint64_t accuser = size - 1; accuser >= 2; --accuser) {
    for (Roster* one : {&roster, &other}) mesh.apply(*one, mesh.accusation(accuser, 1));
  }
  EXPECT_EQ(held(roster, 1).accusations.size(), limits::accusations_per_subject);
  EXPECT_EQ(roster.entries(0, UINT64_MAX), other.entries(0, UINT64_MAX));
}

TEST_F(Admission, HasOneRevocationOfATargetEverywhere) {
  std::vector<Item> items;
  Revocation body = mesh.revocation_body();
  for (const auto& [at, keep] : {std::pair{200, 900}, {200, 901}, {210, 900}, {190, 900}, {190, 902}}) {
    body.at = SmallMesh::at(at);
    body.keep_until = SmallMesh::at(keep);
    items.push_back({ItemKind::revocation, make_revocation(body, mesh.network, mesh.revoker).wire, {}, {}, {}});
  }
  std::optional<Bytes> kept;
  for_seeds(20, [&](Rng& rng) {
    rng.shuffle(items);
    Roster roster = mesh.roster_of(1);
    for (const auto& item : items) mesh.apply(roster, item);
    const auto& one = roster.revocations().at(NodeId{body.target});
    EXPECT_EQ(one.body.at, SmallMesh::at(190));
    if (kept) {
      EXPECT_EQ(one.wire, *kept);
    }
    kept = one.wire;
    EXPECT_EQ(mesh.apply(roster, {ItemKind::revocation, one.wire, {}, {}, {}}).applied, Applied::held);
  });
}

}  // namespace
}  // namespace wigwag
