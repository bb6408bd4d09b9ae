#include "gossip/trust/hello.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/trust/hello_pair.hpp"

namespace wigwag {
namespace {

bool contains(ByteView whole, ByteView part) {
  return std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

TEST(Hello, LetsAJoinerInWithFourDatagrams) {
  HelloPair pair;
  auto caller = pair.caller();
  EXPECT_EQ(caller.outgoing().size(), limits::datagram_payload);
  pair.introduce(caller);
  const auto call = pair.prove(caller);
  EXPECT_EQ(call.from, pair.from);
  EXPECT_EQ(call.offer.record, Bytes(300, 0xab));
  EXPECT_EQ(call.offer.chain.certificate.body.node, public_key(pair.world.joiner));
  EXPECT_EQ(call.offer.chain.grant->wire, pair.world.grant().wire);

  const auto sent = pair.host.answer(pair.now, call.session, pair.world.welcome()).value();
  const auto progress = pair.tell_caller(caller, sent);
  ASSERT_TRUE(progress && progress->answer && progress->host);
  EXPECT_EQ(progress->answer->verdict, Verdict::welcome);
  EXPECT_EQ(progress->answer->host_time, SmallWorld::at(120));
  EXPECT_EQ(progress->answer->observed, pair.from) << "the host says where it saw the caller";
  EXPECT_EQ(progress->answer->bundle, pair.world.bundle().wire);
  EXPECT_EQ(progress->answer->redemption, pair.world.welcome().redemption);
  EXPECT_EQ(progress->answer->record, Bytes(250, 0xcd));
  EXPECT_EQ(progress->host->certificate.wire, pair.host_chain.certificate.wire);
  EXPECT_TRUE(caller.outgoing().empty());
  EXPECT_EQ(failure_of(pair.tell_caller(caller, sent)), HelloFailure::not_for_us) << "it has ended";
}

TEST(Hello, FitsADatagramEachWayWithTypicalStatements) {
  HelloPair pair;
  pair.host_chain = pair.world.chain_of(pair.world.sponsor, "seed");
  auto caller = pair.caller();
  EXPECT_LE(pair.introduce(caller).size(), limits::datagram_payload);
  EXPECT_LE(caller.outgoing().size(), limits::datagram_payload);
  const auto call = pair.prove(caller);
  EXPECT_LE(pair.host.answer(pair.now, call.session, pair.world.welcome())->size(), limits::datagram_payload);
}

TEST(Hello, CarriesTheLargestStatementsThereMayBe) {
  HelloPair pair;
  SmallWorld& world = pair.world;
  Grant grant = world.grant_body();
  grant.may.subnets.clear();
  for (std::uint32_t i = 0; i < limits::subnets_per_node; ++i)
    grant.may.subnets.push_back({Address::ipv4(0x0a000000U + (i << 16)), 24});
  grant.name_pattern = std::string(limits::name_bytes, '*');
  Certificate certificate = world.certificate_body(world.joiner, std::string(limits::name_bytes, 'n'));
  certificate.may = grant.may;
  const Chain chain{make_certificate(certificate, world.network, world.invitation), make_grant(grant, world.network, world.admin),
                    make_redemption(world.redemption_body(world.joiner), world.network, world.sponsor)};
  const HelloOffer offer{chain, Bytes(limits::record_bytes, 1)};
  pair.host_chain = chain;

  auto caller = pair.caller();
  const auto introduction = pair.host.receive(pair.now, pair.from, caller.outgoing(), chain, world.joiner, world.verifier).send;
  ASSERT_TRUE(introduction);
  EXPECT_LE(introduction->size(), limits::datagram_payload);
  ASSERT_TRUE(caller.receive(*introduction, offer, world.joiner, world.verifier));
  EXPECT_LE(caller.outgoing().size(), limits::hello_bytes);
  const auto call = pair.prove(caller);
  HelloAnswer answer = world.welcome();
  answer.record = Bytes(limits::record_bytes, 2);
  const auto progress =
      caller.receive(pair.host.answer(pair.now, call.session, answer).value(), offer, world.joiner, world.verifier);
  ASSERT_TRUE(progress && progress->answer);
  EXPECT_EQ(progress->answer->record, answer.record);
}

TEST(Hello, ShowsNobodysStatementsOnTheWire) {
  HelloPair pair;
  auto caller = pair.caller();
  const Bytes call = caller.outgoing();
  const Bytes introduction = pair.introduce(caller);
  const Bytes proof = caller.outgoing();
  const Bytes answer = pair.host.answer(pair.now, pair.prove(caller).session, pair.world.welcome()).value();
  const SmallWorld& world = pair.world;
  for (const auto& datagram : {call, introduction, proof, answer}) {
    EXPECT_FALSE(contains(datagram, public_key(world.sponsor).view()));
    EXPECT_FALSE(contains(datagram, public_key(world.joiner).view()));
    EXPECT_FALSE(contains(datagram, public_key(world.invitation).view()));
    EXPECT_FALSE(contains(datagram, world.network.view()));
    EXPECT_FALSE(contains(datagram, view_of("home")));
  }
}

TEST(Hello, EndsWithARefusalAndItsReason) {
  HelloPair pair;
  auto caller = pair.caller();
  const HelloAnswer refusal{.verdict = Verdict::refused,
                            .reason = TrustError::grant_expired,
                            .host_time = SmallWorld::at(999),
                            .observed = {},
                            .bundle = pair.world.bundle().wire,
                            .redemption = {},
                            .record = {}};
  const auto progress = pair.complete(caller, refusal);
  ASSERT_TRUE(progress && progress->answer);
  EXPECT_EQ(progress->answer->verdict, Verdict::refused);
  EXPECT_EQ(progress->answer->reason, TrustError::grant_expired);
  EXPECT_EQ(progress->answer->host_time, SmallWorld::at(999)) << "from which a caller learns how wrong its clock is";
  EXPECT_TRUE(progress->host) << "the bundle proved the host";
  EXPECT_TRUE(caller.outgoing().empty());
  EXPECT_EQ(failure_of(pair.tell_caller(caller, Bytes{1})), HelloFailure::refused);
}

TEST(Hello, TakesARefusalWithoutABundleAsAHintFromNobody) {
  HelloPair pair;
  HelloAnswer refusal;
  refusal.verdict = Verdict::refused;
  refusal.reason = TrustError::revoked;
  auto caller = pair.caller();
  const auto progress = pair.complete(caller, refusal);
  ASSERT_TRUE(progress && progress->answer);
  EXPECT_EQ(progress->answer->reason, TrustError::revoked);
  EXPECT_FALSE(progress->host);

  auto returning = pair.caller();
  const Bundle known = pair.world.bundle_body();
  EXPECT_TRUE(pair.complete(returning, refusal, &known)->host) << "whoever holds the bundle knows the host";
}

TEST(Hello, TrustsNoAnswerWithoutTheRootsBundle) {
  HelloPair pair;
  HelloAnswer answer = pair.world.welcome();
  answer.bundle = {};
  auto first = pair.caller();
  EXPECT_EQ(failure_of(pair.complete(first, answer)), HelloFailure::bad_host);
  EXPECT_TRUE(first.outgoing().empty());

  answer.bundle = make_bundle(pair.world.bundle_body(), pair.world.network, fixed_secret<RootSecret>(99)).wire;
  auto second = pair.caller();
  EXPECT_EQ(failure_of(pair.complete(second, answer)), HelloFailure::bad_host);

  answer.bundle = Bytes(10, 1);
  auto third = pair.caller();
  EXPECT_EQ(failure_of(pair.complete(third, answer)), HelloFailure::bad_host);
}

TEST(Hello, TrustsNoHostThatIsNoMember) {
  HelloPair pair;
  // It knows the network id and has made itself a certificate.
  const GrantSecret own = fixed_secret<GrantSecret>(98);
  Certificate certificate = pair.world.certificate_body(pair.world.sponsor, "seed");
  certificate.issuer_key = public_key(own).bytes;
  Grant grant = pair.world.grant_body();
  grant.id = public_key(own);
  pair.host_chain = {make_certificate(certificate, pair.world.network, own),
                     make_grant(grant, pair.world.network, fixed_secret<AdminSecret>(97)), std::nullopt};
  auto caller = pair.caller();
  EXPECT_EQ(failure_of(pair.complete(caller, pair.world.welcome())), HelloFailure::bad_host);
  EXPECT_TRUE(caller.outgoing().empty());
}

TEST(Hello, AcceptsAHostWhoseSponsorOnlyMembersKnow) {
  HelloPair pair;
  pair.host_chain = pair.world.chain_of(pair.world.sponsor, "seed");
  pair.host_chain.redemption = make_redemption({.grant = public_key(pair.world.invitation),
                                                .node = public_key(pair.world.sponsor),
                                                .sponsor = public_key(pair.world.stranger),
                                                .at = SmallWorld::at(70)},
                                               pair.world.network, pair.world.stranger);
  auto caller = pair.caller();
  const auto progress = pair.complete(caller, pair.world.welcome());
  ASSERT_TRUE(progress && progress->host);
  EXPECT_EQ(progress->host->redemption->body.sponsor, public_key(pair.world.stranger));
}

TEST(Hello, JudgesTheHostByTheNewestBundle) {
  HelloPair pair;
  Bundle newer = pair.world.bundle_body();
  newer.epoch = 2;
  newer.admins.erase(newer.admins.begin());  // the admin that certified the host is out
  auto returning = pair.caller();
  EXPECT_EQ(failure_of(pair.complete(returning, pair.world.welcome(), &newer)), HelloFailure::bad_host);

  Bundle older = newer;
  older.epoch = 0;
  auto late = pair.caller();
  EXPECT_TRUE(pair.complete(late, pair.world.welcome(), &older)->host) << "the answer's bundle is newer than ours";
}

TEST(Hello, TakesOnlyARedemptionOfItsOwnInvitation) {
  HelloPair pair;
  const SmallWorld& world = pair.world;
  const auto outcome = [&](const Bytes& redemption) {
    HelloAnswer answer = world.welcome();
    answer.redemption = redemption;
    auto caller = pair.caller();
    return pair.complete(caller, answer);
  };
  EXPECT_TRUE(outcome({}));
  EXPECT_TRUE(outcome(world.welcome().redemption));
  EXPECT_EQ(failure_of(outcome(make_redemption(world.redemption_body(world.stranger), world.network, world.sponsor).wire)),
            HelloFailure::bad_host);
  EXPECT_EQ(failure_of(outcome(make_redemption(world.redemption_body(world.joiner), world.network, world.stranger).wire)),
            HelloFailure::bad_host);
  Redemption other = world.redemption_body(world.joiner);
  other.grant = GrantId{{1}};
  EXPECT_EQ(failure_of(outcome(make_redemption(other, world.network, world.sponsor).wire)), HelloFailure::bad_host);
  EXPECT_EQ(failure_of(outcome(Bytes{1, 2})), HelloFailure::bad_host);
}

TEST(Hello, IsNotTakenByAHostInTheMiddle) {
  // It relays message 1 with an ephemeral of its own and cannot sign for the host it claims to be.
  HelloPair pair;
  auto caller = pair.caller();
  HelloHost impostor(pair.world.network, pair.host_entropy);
  const auto forged =
      impostor.receive(pair.now, pair.from, caller.outgoing(), pair.host_chain, pair.world.stranger, pair.world.verifier).send;
  ASSERT_TRUE(forged);
  EXPECT_EQ(failure_of(pair.tell_caller(caller, *forged)), HelloFailure::not_for_us);
  const auto progress = pair.complete(caller, pair.world.welcome());
  EXPECT_TRUE(progress && progress->answer) << "and the attempt goes on";
}

TEST(Hello, NeedsTheSecretOfTheCertificatesNode) {
  HelloPair pair;
  auto caller = pair.caller();
  const Bytes introduction = pair.tell_host(caller.outgoing()).send.value();
  // Someone who has seen the joiner's statements, but holds another key.
  ASSERT_TRUE(caller.receive(introduction, pair.world.offer_of(pair.world.joiner), pair.world.stranger, pair.world.verifier));
  const auto reaction = pair.tell_host(caller.outgoing());
  EXPECT_FALSE(reaction.call);
  EXPECT_FALSE(reaction.send);
}

TEST(Hello, NeedsTheNetworkIdForAnyAnswer) {
  HelloPair pair;
  HelloCaller stranger(NetworkId{{1}}, pair.caller_entropy);
  EXPECT_FALSE(pair.tell_host(stranger.outgoing()).send);
  EXPECT_EQ(pair.host.dropped(), 1U);
}

}  // namespace
}  // namespace wigwag
