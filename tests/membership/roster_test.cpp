#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

class RosterTest : public testing::Test {
 protected:
  Item record(std::uint64_t number, Version version) { return SmallMesh::record_item(mesh.record(number, version)); }
  const Member& held(const Roster& roster, std::uint64_t number) { return *roster.find(mesh.id(number)); }

  // Two records of one node and version, the one with the smaller hash first.
  std::pair<Signed<Record>, Signed<Record>> equivocal(std::uint64_t number, Version version) {
    Record other = mesh.record_body(number, version);
    other.listen_port = 7;
    auto a = mesh.record(number, version);
    auto b = mesh.sign(other, number);
    if (blake2b(b.wire) < blake2b(a.wire)) std::swap(a, b);
    return {a, b};
  }

  // Under an invitation for a number of uses, which takes a known sponsor.
  Item counted_member(std::uint64_t number) {
    Grant body = mesh.grant_body();
    body.uses = 3;
    Chain chain = mesh.chain(number);
    chain.grant = make_grant(body, mesh.network, mesh.admin);
    return SmallMesh::member_item(mesh.record(number), chain);
  }

  SmallMesh mesh;
};

TEST_F(RosterTest, HoldsWhatIsNewAndRefusesToGoBack) {
  Roster roster = mesh.roster_of(2);
  EXPECT_EQ(mesh.apply(roster, record(1, {1, 0})).applied, Applied::held);
  EXPECT_EQ(mesh.apply(roster, record(1, {1, 5})).applied, Applied::updated);
  EXPECT_EQ(mesh.apply(roster, record(1, {1, 4})).applied, Applied::stale);
  EXPECT_EQ(mesh.apply(roster, record(1, {0, 9})).applied, Applied::stale);
  EXPECT_EQ(held(roster, 1).record->body.version, (Version{1, 5}));
}

TEST_F(RosterTest, AsksForTheChainOfWhomItDoesNotKnow) {
  Roster roster = mesh.roster_of(1);
  const auto outcome = mesh.apply(roster, record(5, {1, 0}));
  EXPECT_EQ(outcome.applied, Applied::needs_chain);
  EXPECT_EQ(outcome.node, mesh.id(5));
  EXPECT_EQ(roster.find(mesh.id(5)), nullptr);
}

TEST_F(RosterTest, TakesALeftRecordForGood) {
  Roster roster = mesh.roster_of(2);
  Record goodbye = mesh.record_body(1, {1, 1});
  goodbye.left = true;
  EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(mesh.sign(goodbye, 1))).applied, Applied::updated);
  EXPECT_FALSE(held(roster, 1).live());
  EXPECT_EQ(mesh.apply(roster, record(1, {9, 9})).applied, Applied::stale);
  EXPECT_EQ(mesh.apply(roster, mesh.member(1, {9, 9})).applied, Applied::stale);
  EXPECT_EQ(held(roster, 1).health, Health::left);
}

TEST_F(RosterTest, KeepsTheSmallerHashOfAnEquivocation) {
  const auto [smaller, larger] = equivocal(1, {2, 0});
  for (const bool smaller_first : {true, false}) {
    Roster roster = mesh.roster_of(2);
    EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(smaller_first ? smaller : larger)).applied, Applied::updated);
    EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(smaller_first ? larger : smaller)).applied, Applied::equivocation);
    EXPECT_EQ(held(roster, 1).record->wire, smaller.wire);
  }
}

TEST_F(RosterTest, KeepsAccusationsAgainstAVersionThroughAnEquivocation) {
  const auto [smaller, larger] = equivocal(1, {2, 0});
  Roster roster = mesh.roster_of(3);
  mesh.apply(roster, SmallMesh::record_item(larger));
  EXPECT_EQ(mesh.apply(roster, mesh.accusation(2, 1, {2, 0})).applied, Applied::updated);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(smaller)).applied, Applied::equivocation);
  EXPECT_EQ(held(roster, 1).accusations.size(), 1U) << "a second record of one version refutes nothing";
  EXPECT_EQ(held(roster, 1).health, Health::suspect);
}

// By trying ports, an equivocator could make the record it may not sign the smaller one.
TEST_F(RosterTest, TakesNoRightsFromAnEquivocation) {
  for (std::uint16_t port = 1; port < 20; ++port) {
    Roster roster = mesh.roster_of(2);
    Record outside = mesh.record_body(1, {1, 0});
    outside.listen_port = port;
    outside.ipv4 = Address::parse("192.0.2.1");
    EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(mesh.sign(outside, 1))).applied, Applied::refused);
    EXPECT_NE(held(roster, 1).record->body.ipv4, outside.ipv4);
  }
}

TEST_F(RosterTest, RefusesAddressesThatAreNotForMembers) {
  for (const auto* text : {"10.98.0.1", "10.99.0.0", "10.99.255.255", "192.0.2.1", "2001:db8::1"}) {
    Roster roster = mesh.roster_of(1);
    Record body = mesh.record_body(1);
    body.ipv4 = Address::parse(text);
    const auto outcome = mesh.apply(roster, SmallMesh::member_item(mesh.sign(body, 1), mesh.chain(1)));
    EXPECT_EQ(outcome.applied, Applied::refused) << text;
    EXPECT_EQ(outcome.reason, TrustError::exceeds_rights) << text;
  }
}

TEST_F(RosterTest, RefusesWhatTheCertificateDoesNotConfer) {
  Certificate bare = mesh.certificate_body(mesh.identity(1), "node-1");
  bare.may = {};
  const Chain chain{make_certificate(bare, mesh.network, mesh.invitation), mesh.grant(), mesh.chain(1).redemption};
  Record relay = mesh.record_body(1);
  relay.relay = true;
  Record subnet = mesh.record_body(1);
  subnet.subnets = {prefix_of("10.20.1.0/24")};
  for (const Record& body : {relay, subnet}) {
    Roster roster = mesh.roster_of(1);
    Record on_bare = body;
    on_bare.certificate = blake2b(chain.certificate.wire);
    EXPECT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.sign(on_bare, 1), chain)).reason, TrustError::exceeds_rights);
    EXPECT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.sign(body, 1), mesh.chain(1))).applied, Applied::added);
  }
}

TEST_F(RosterTest, RefusesAVersionDatedFarAhead) {
  Roster roster = mesh.roster_of(2);
  const auto limit = SmallMesh::at(300).seconds + std::chrono::duration_cast<seconds>(limits::epoch_ahead).count();
  EXPECT_EQ(mesh.apply(roster, record(1, {static_cast<std::uint32_t>(limit + 1), 0})).applied, Applied::refused);
  EXPECT_EQ(mesh.apply(roster, record(1, {static_cast<std::uint32_t>(limit), 0})).applied, Applied::updated);
}

TEST_F(RosterTest, RefusesAnUnknownSponsorAndTakesTheSameOnceItIsKnown) {
  Roster roster = mesh.empty_roster();
  const auto early = mesh.apply(roster, counted_member(1));
  EXPECT_EQ(early.applied, Applied::refused);
  EXPECT_EQ(early.reason, TrustError::sponsor_unknown);
  EXPECT_EQ(mesh.apply(roster, mesh.member(0)).applied, Applied::added);
  EXPECT_EQ(mesh.apply(roster, counted_member(1)).applied, Applied::added);
}

TEST_F(RosterTest, TakesWhoProvedItselfBeforeItsSponsorIsKnown) {
  Roster roster = mesh.empty_roster();
  EXPECT_EQ(roster.apply_record(counted_member(1), SmallMesh::at(300), SmallMesh::at(300), true).applied, Applied::added);
}

TEST_F(RosterTest, RefusesAForgedRecordOfAMember) {
  Roster roster = mesh.roster_of(3);
  const auto forged = mesh.sign(mesh.record_body(1, {5, 0}), 2);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::record_item(forged)).reason, TrustError::bad_signature);
  EXPECT_EQ(held(roster, 1).record->body.version, (Version{1, 0}));
}

TEST_F(RosterTest, RefusesTheChainOfAnother) {
  Roster roster = mesh.roster_of(1);
  EXPECT_EQ(mesh.apply(roster, SmallMesh::member_item(mesh.record(1), mesh.chain(2))).applied, Applied::refused);
  EXPECT_EQ(roster.members().size(), 1U);
}

TEST_F(RosterTest, RefusesMoreMembersThanItMayHold) {
  Roster roster = mesh.empty_roster(3);
  for (std::uint64_t number = 0; number < 3; ++number) EXPECT_EQ(mesh.apply(roster, mesh.member(number)).applied, Applied::added);
  EXPECT_EQ(mesh.apply(roster, mesh.member(3)).applied, Applied::full);
  EXPECT_EQ(mesh.apply(roster, record(2, {2, 0})).applied, Applied::updated) << "those it knows go on";
}

TEST_F(RosterTest, TakesAnAccusationOnlyAgainstTheVersionItHolds) {
  Roster roster = mesh.roster_of(3);
  mesh.apply(roster, record(1, {2, 0}));
  EXPECT_EQ(mesh.apply(roster, mesh.accusation(2, 1, {1, 0})).applied, Applied::stale);
  EXPECT_EQ(mesh.apply(roster, mesh.accusation(2, 1, {3, 0})).applied, Applied::needs_chain);
  EXPECT_EQ(mesh.apply(roster, mesh.accusation(2, 1, {2, 0})).applied, Applied::updated);
  EXPECT_EQ(mesh.apply(roster, mesh.accusation(2, 1, {2, 0})).applied, Applied::held);
  EXPECT_EQ(held(roster, 1).health, Health::suspect);
  EXPECT_EQ(mesh.apply(roster, record(1, {2, 1})).applied, Applied::updated);
  EXPECT_EQ(held(roster, 1).health, Health::alive) << "a newer record refutes";
  EXPECT_TRUE(held(roster, 1).accusations.empty());
}

TEST_F(RosterTest, TakesNoAccusationFromStrangersOrWithAForgedSignature) {
  Roster roster = mesh.roster_of(3);
  EXPECT_EQ(mesh.apply(roster, mesh.accusation(9, 1)).applied, Applied::needs_chain);
  const auto forged = make_accusation({mesh.id(1), {1, 0}, mesh.id(2)}, mesh.network, mesh.identity(0));
  EXPECT_EQ(mesh.apply(roster, {ItemKind::accusation, forged.wire, {}, {}, {}}).reason, TrustError::bad_signature);
  EXPECT_EQ(held(roster, 1).health, Health::alive);
}

TEST_F(RosterTest, HoldsABoundedNumberOfAccusations) {
  Roster roster = mesh.roster_of(limits::accusations_per_subject + 3);
  for (std::uint64_t accuser = 2; accuser < limits::accusations_per_subject + 3; ++accuser) {
    const auto applied = mesh.apply(roster, mesh.accusation(accuser, 1)).applied;
    EXPECT_TRUE(applied == Applied::updated || applied == Applied::full);
  }
  EXPECT_EQ(held(roster, 1).accusations.size(), limits::accusations_per_subject);
}

TEST_F(RosterTest, CountsWhatHasRunOutAsNotLive) {
  Roster roster = mesh.roster_of(1);
  Record body = mesh.record_body(1);
  body.expires = SmallMesh::at(400);
  mesh.apply(roster, SmallMesh::member_item(mesh.sign(body, 1), mesh.chain(1)));
  EXPECT_TRUE(held(roster, 1).live());
  EXPECT_EQ(roster.expire(SmallMesh::at(399)), std::vector<NodeId>{});
  EXPECT_EQ(roster.expire(SmallMesh::at(400)), std::vector<NodeId>{mesh.id(1)});
  EXPECT_FALSE(held(roster, 1).live());
  EXPECT_EQ(roster.live_count(), 1U);
}

TEST_F(RosterTest, TakesARecordThatHasRunOutForNoSignOfLife) {
  Roster roster = mesh.roster_of(2);
  Record old = mesh.record_body(1, {2, 0});
  old.expires = SmallMesh::at(100);
  mesh.apply(roster, SmallMesh::record_item(mesh.sign(old, 1)));
  EXPECT_FALSE(held(roster, 1).live());
}

TEST_F(RosterTest, RefusesRedemptionsAfterTheirGrantWasWithdrawn) {
  Revocation body = mesh.revocation_body();
  body.kind = RevokedKind::grant;
  body.target = public_key(mesh.invitation).bytes;
  for (const auto& [when, expected] : {std::pair{119, Applied::refused}, {121, Applied::added}}) {
    Roster roster = mesh.roster_of(1);
    body.at = SmallMesh::at(when);
    const auto revocation = make_revocation(body, mesh.network, mesh.revoker);
    EXPECT_EQ(mesh.apply(roster, {ItemKind::revocation, revocation.wire, {}, {}, {}}).applied, Applied::updated);
    EXPECT_TRUE(roster.is_revoked(NodeId{body.target}));
    EXPECT_EQ(mesh.apply(roster, mesh.member(1)).applied, expected) << "redeemed at 120, withdrawn at " << when;
  }
}

TEST_F(RosterTest, RefusesARevocationByWhoMayNotRevoke) {
  Roster roster = mesh.roster_of(1);
  Revocation body = mesh.revocation_body();
  const auto stranger = fixed_secret<AdminSecret>(9);
  body.admin = public_key(stranger);
  EXPECT_EQ(mesh.apply(roster, {ItemKind::revocation, make_revocation(body, mesh.network, stranger).wire, {}, {}, {}}).applied, Applied::refused);
  EXPECT_TRUE(roster.revocations().empty());
}

TEST_F(RosterTest, FindsMembersByTheirOverlayAddress) {
  Roster roster = mesh.roster_of(4);
  EXPECT_EQ(roster.by_overlay(overlay_ipv6(mesh.network, mesh.id(2)))->id(), mesh.id(2));
  EXPECT_EQ(roster.by_overlay(overlay_ipv6(mesh.network, mesh.id(7))), nullptr);
  Address elsewhere = overlay_ipv6(mesh.network, mesh.id(2));
  elsewhere.bytes[1] ^= 1;
  EXPECT_EQ(roster.by_overlay(elsewhere), nullptr) << "another network's prefix";
}

}  // namespace
}  // namespace wigwag
