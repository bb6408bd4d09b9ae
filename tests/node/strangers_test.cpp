#include <gtest/gtest.h>

#include "gossip/trust/hello_messages.hpp"
#include "tests/base/seeded.hpp"
#include "tests/node/lone_node.hpp"

namespace wigwag {
namespace {

const Endpoint somewhere{Address::ipv4(0xCB007107), 40000};

// Time stands still, so that whatever is sent is an answer.
class Strangers : public testing::Test {
 protected:
  Strangers() { lone.settle(); }
  std::size_t answers(const Input& input) { return LoneNode::sent(lone.step(input)); }
  // A whole hello by someone with the given identity and chain; the host's verdict, if it came to one.
  std::optional<HelloAnswer> call(const NodeSecret& identity, const Chain& chain, const Bytes& record) {
    Entropy entropy = fixed_entropy(static_cast<std::uint8_t>(++calls));
    HelloCaller caller(lone.mesh.network, entropy);
    for (int messages = 0; messages < 6; ++messages) {
      std::optional<Bytes> answer;
      for (auto& output : lone.step(HelloDatagram{somewhere, caller.outgoing()})) {
        if (auto* sent = std::get_if<SendHello>(&output)) answer = std::move(sent->bytes);
      }
      if (!answer) return std::nullopt;
      const auto progress = caller.receive(*answer, {chain, record}, identity, lone.mesh.verifier);
      if (!progress) return std::nullopt;
      if (progress->answer) return progress->answer;
    }
    return std::nullopt;
  }
  Bytes record_of(std::uint64_t number) { return lone.mesh.record(number, {9, 0}).wire; }

  LoneNode lone{6};
  int calls = 20;
};

TEST_F(Strangers, GetNoByteForAnythingInTheTunnel) {
  for_seeds(300, [&](Rng& rng) {
    const Bytes noise = random_bytes(rng, rng.below(1400));
    EXPECT_EQ(answers(TunnelDatagram{lone.address_of(77), Plane::direct, noise}), 0U) << "no member";
    EXPECT_EQ(answers(TunnelDatagram{lone.address_of(2), Plane::direct, noise}), 0U) << "no MAC";
    EXPECT_EQ(answers(TunnelDatagram{somewhere.address, Plane::direct, noise}), 0U) << "no address of the mesh";
    EXPECT_EQ(answers(TunnelDatagram{lone.address_of(LoneNode::self), Plane::direct, noise}), 0U) << "ourselves";
  });
}

TEST_F(Strangers, GetNoByteForAMembersWordsFromElsewhere) {
  auto ping = std::get<TunnelDatagram>(lone.from(2, Ping{7}));
  EXPECT_EQ(answers(ping), 1U) << "the member itself is answered";
  for (const std::uint64_t other : {0U, 3U, 77U}) {
    ping.from = lone.address_of(other);
    EXPECT_EQ(answers(ping), 0U);
  }
}

TEST_F(Strangers, GetNoByteForAnAlteredPing) {
  const auto good = std::get<TunnelDatagram>(lone.from(2, Ping{7}));
  for (std::size_t bit = 0; bit < good.bytes.size() * 8; ++bit) {
    auto bad = good;
    bad.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_EQ(answers(bad), 0U) << "bit " << bit;
  }
}

TEST_F(Strangers, GetNoByteOnTheHelloPort) {
  for_seeds(300, [&](Rng& rng) {
    Bytes noise = random_bytes(rng, rng.chance(300) ? limits::datagram_payload : rng.below(1900));
    if (noise.size() > 4 && rng.chance(700)) {
      noise[0] = 'w', noise[1] = 'h', noise[2] = 1, noise[3] = static_cast<std::uint8_t>(1 + rng.below(5));
    }
    EXPECT_EQ(answers(HelloDatagram{somewhere, noise}), 0U);
  });
}

TEST_F(Strangers, GetNoByteForACallToAnotherNetwork) {
  Entropy entropy = fixed_entropy(33);
  HelloCaller caller(NetworkId{{1}}, entropy);
  EXPECT_EQ(answers(HelloDatagram{somewhere, caller.outgoing()}), 0U);
}

TEST_F(Strangers, GetNoMoreThanTheyGaveBeforeTheyAreProven) {
  Entropy entropy = fixed_entropy(34);
  HelloCaller caller(lone.mesh.network, entropy);
  const Bytes call = caller.outgoing();
  std::size_t bytes = 0;
  for (int times = 0; times < 20; ++times) {
    for (const auto& output : lone.step(HelloDatagram{somewhere, call})) {
      if (const auto* sent = std::get_if<SendHello>(&output)) bytes = std::max(bytes, sent->bytes.size());
    }
  }
  EXPECT_GT(bytes, 0U);
  EXPECT_LE(bytes, call.size());
}

TEST_F(Strangers, BecomeMembersWithAnInvitation) {
  const auto answer = call(lone.mesh.identity(30), lone.mesh.chain_of(lone.mesh.identity(30), "node-30", false), record_of(30));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::welcome);
  EXPECT_NE(lone.member(30), nullptr);
  EXPECT_TRUE(lone.has_raised(EventKind::caller_admitted));
}

// Out of everybody's kernel it can be heard nowhere but here.
TEST_F(Strangers, WhoWereAwayForDaysAreLetBackIntoTheKernel) {
  lone.run_for(minutes(1));
  ASSERT_EQ(lone.member(3)->health, Health::dead);
  for (const Instant end = lone.now.at + hours(75); lone.now.at < end; lone.wake()) lone.advance_to(lone.now.at + minutes(1));
  ASSERT_TRUE(lone.has_raised(EventKind::member_forgotten));
  ASSERT_FALSE(lone.wishes_for(3));
  const auto version = lone.member(3)->epoch;
  const auto answer = call(lone.mesh.identity(3), lone.mesh.chain(3), lone.mesh.record(3, {version, 0}).wire);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::welcome) << to_string(answer->reason);
  EXPECT_EQ(lone.member(3)->health, Health::dead) << "it has not answered its accusers yet";
  lone.settle();
  EXPECT_TRUE(lone.wishes_for(3));
}

// Every part of it is legal, and no datagram holds them all: others could never be told of it.
TEST_F(Strangers, ThatCouldNotBeToldToOthersAreRefusedWithAReason) {
  Grant grant = lone.mesh.grant_body();
  grant.may.subnets.clear();
  for (std::uint8_t i = 0; i < 8; ++i) {
    Prefix subnet = prefix_of("fd00:20::/64");
    subnet.address.bytes[7] = i;
    grant.may.subnets.push_back(subnet);
  }
  const NodeSecret identity = lone.mesh.identity(30);
  const Certificate certificate = certificate_under(grant, public_key(identity), std::string(limits::name_bytes, 'n'));
  const Chain chain{make_certificate(certificate, lone.mesh.network, lone.mesh.invitation), make_grant(grant, lone.mesh.network, lone.mesh.admin), {}};
  Record record = lone.mesh.record_body(30, {9, 0});
  record.certificate = blake2b(chain.certificate.wire);
  record.endpoints.assign(limits::endpoints_per_record, {*Address::parse("2001:db8::1"), 51820});
  record.homes = {lone.mesh.id(0)};
  const auto answer = call(identity, chain, lone.mesh.sign(record, 30).wire);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::refused);
  EXPECT_EQ(answer->reason, TrustError::malformed);
  EXPECT_EQ(lone.member(30), nullptr);
}

TEST_F(Strangers, AreNotVouchedForEarlierThanTheyWereInvited) {
  Grant grant = lone.mesh.grant_body();
  grant.issued = SmallMesh::at(864'000);  // by an admin whose clock is ahead, or ours is behind
  grant.expires = no_expiry;
  Chain chain = lone.mesh.chain_of(lone.mesh.identity(30), "node-30", false);
  chain.grant = make_grant(grant, lone.mesh.network, lone.mesh.admin);
  const auto answer = call(lone.mesh.identity(30), chain, record_of(30));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->verdict, Verdict::welcome) << to_string(answer->reason);
  EXPECT_EQ(decode_redemption(answer->redemption)->body.at, grant.issued);
}

TEST_F(Strangers, ThatAreMembersWithoutASponsorGetOneWhileTheirInvitationLasts) {
  for (const bool expired : {false, true}) {
    const std::uint64_t number = expired ? 31 : 30;
    const Chain chain = lone.mesh.chain_of(lone.mesh.identity(number), "node-" + std::to_string(number), false);
    lone.step(lone.from(2, Push{{SmallMesh::member_item(lone.mesh.record(number), chain)}}));
    ASSERT_NE(lone.member(number), nullptr);
    if (expired) lone.now.wall = SmallMesh::at(100'000);
    const auto answer = call(lone.mesh.identity(number), chain, record_of(number));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->verdict, Verdict::welcome) << to_string(answer->reason);
    EXPECT_EQ(answer->redemption.empty(), expired);
    EXPECT_EQ(lone.member(number)->epoch, 9U) << "it has shown itself";
  }
}

TEST_F(Strangers, WhoseCertificateHasRunOutAreToldSo) {
  Chain chain = lone.mesh.chain(30);
  Certificate body = chain.certificate.body;
  body.expires = SmallMesh::at(400);
  chain.certificate = make_certificate(body, lone.mesh.network, lone.mesh.invitation);
  lone.step(lone.from(2, Push{{SmallMesh::member_item(lone.mesh.record_on(chain, 30), chain)}}));
  ASSERT_NE(lone.member(30), nullptr);
  lone.now.wall = SmallMesh::at(500);
  const auto answer = call(lone.mesh.identity(30), chain, lone.mesh.record_on(chain, 30, {9, 0}).wire);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::refused);
  EXPECT_EQ(answer->reason, TrustError::certificate_expired);
}

TEST_F(Strangers, WithoutAnInvitationAreRefusedAndStayUnknown) {
  Chain chain = lone.mesh.chain_of(lone.mesh.identity(30), "node-30", false);
  Certificate body = chain.certificate.body;
  chain.certificate = make_certificate(body, lone.mesh.network, fixed_secret<GrantSecret>(99));
  const auto answer = call(lone.mesh.identity(30), chain, record_of(30));
  EXPECT_FALSE(answer && answer->verdict == Verdict::welcome);
  EXPECT_EQ(lone.member(30), nullptr);
}

TEST_F(Strangers, WhoseIdentityWasRevokedAreRefused) {
  Revocation body = lone.mesh.revocation_body();
  body.target = lone.mesh.id(30).bytes;
  lone.step(RevokeCommand{make_revocation(body, lone.mesh.network, lone.mesh.revoker).wire});
  const auto answer = call(lone.mesh.identity(30), lone.mesh.chain_of(lone.mesh.identity(30), "node-30", false), record_of(30));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::refused);
  EXPECT_EQ(answer->reason, TrustError::revoked);
  EXPECT_TRUE(answer->bundle.empty());
  EXPECT_EQ(lone.member(30), nullptr);
}

TEST_F(Strangers, WhoSaidGoodbyeAreRefused) {
  Record goodbye = lone.mesh.record_body(2, {1, 1});
  goodbye.left = true;
  lone.step(lone.from(3, Push{{SmallMesh::record_item(lone.mesh.sign(goodbye, 2))}}));
  ASSERT_EQ(lone.member(2)->health, Health::left);
  lone.step(lone.from(3, Push{{lone.mesh.member(2, {9, 0})}}));
  EXPECT_EQ(lone.member(2)->health, Health::left) << "by nobody's stale state";
  const auto answer = call(lone.mesh.identity(2), lone.mesh.chain(2), record_of(2));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::refused);
  EXPECT_EQ(lone.member(2)->health, Health::left);
}

}  // namespace
}  // namespace wigwag
