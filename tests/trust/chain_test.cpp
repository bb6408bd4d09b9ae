#include "gossip/trust/chain.hpp"

#include <gtest/gtest.h>

#include "gossip/base/limits.hpp"
#include "tests/trust/small_world.hpp"

namespace wigwag {
namespace {

// Judges chains at a time, and changes one thing at a time.
struct Court : SmallWorld {
  Bundle judged_by = bundle_body();
  std::optional<UnixTime> now = at(300);
  bool sponsor_known = true;
  std::optional<UnixTime> withdrawn;

  std::optional<TrustError> verdict(const Chain& chain) {
    const ChainContext context{.bundle = judged_by,
                               .network = network,
                               .now = now,
                               .sponsor_known = sponsor_known,
                               .grant_withdrawn = withdrawn.has_value(),
                               .withdrawn_at = withdrawn.value_or(UnixTime{})};
    const auto verified = verify_chain(chain, context, verifier);
    return verified ? std::nullopt : std::optional(verified.error());
  }
  // The usual chain with another grant, certificate or redemption in it.
  Chain with(const Grant& body) {
    Chain chain = chain_of(joiner, "joiner");
    chain.grant = make_grant(body, network, admin);
    return chain;
  }
  Chain with(const Certificate& body) {
    Chain chain = chain_of(joiner, "joiner");
    chain.certificate = make_certificate(body, network, invitation);
    return chain;
  }
  Chain with(const Redemption& body) {
    Chain chain = chain_of(joiner, "joiner");
    chain.redemption = make_redemption(body, network, sponsor);
    return chain;
  }
};

constexpr std::nullopt_t good = std::nullopt;

TEST(Chain, IsGoodWhenEverySignatureAndRightHolds) {
  Court court;
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner")), good);
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner", false)), good) << "any number of uses: no sponsor needed yet";
  EXPECT_EQ(court.verdict(court.founder_chain(court.joiner)), good);
}

TEST(Chain, SurvivesTheWire) {
  Court court;
  const Chain chain = court.chain_of(court.joiner, "joiner");
  const auto decoded = decode_chain(chain.certificate.wire, chain.grant->wire, chain.redemption->wire);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(court.verdict(*decoded), good);
  const auto unredeemed = decode_chain(chain.certificate.wire, chain.grant->wire, {});
  ASSERT_TRUE(unredeemed);
  EXPECT_FALSE(unredeemed->redemption);
}

TEST(Chain, CarriesNothingAlongWithAnAdminsCertificate) {
  Court court;
  Chain founder = court.founder_chain(court.joiner);
  const Bytes grant = court.grant().wire;
  EXPECT_TRUE(decode_chain(founder.certificate.wire, {}, {}));
  EXPECT_EQ(decode_chain(founder.certificate.wire, grant, {}).error(), TrustError::malformed);
  founder.grant = court.grant();
  EXPECT_EQ(court.verdict(founder), TrustError::malformed);
}

TEST(Chain, RefusesPartsThatCannotBeRead) {
  Court court;
  const Chain chain = court.chain_of(court.joiner, "joiner");
  const Bytes rubbish = {1, 2, 3};
  EXPECT_EQ(decode_chain(rubbish, chain.grant->wire, {}).error(), TrustError::malformed);
  EXPECT_EQ(decode_chain({}, chain.grant->wire, {}).error(), TrustError::malformed);
  EXPECT_EQ(decode_chain(chain.certificate.wire, rubbish, {}).error(), TrustError::malformed);
  EXPECT_EQ(decode_chain(chain.certificate.wire, chain.grant->wire, rubbish).error(), TrustError::malformed);
}

TEST(Chain, NeedsItsOwnGrant) {
  Court court;
  Chain chain = court.chain_of(court.joiner, "joiner");
  chain.grant.reset();
  EXPECT_EQ(court.verdict(chain), TrustError::grant_missing);
  Grant other = court.grant_body();
  other.id = GrantId{{1}};
  EXPECT_EQ(court.verdict(court.with(other)), TrustError::grant_missing);
}

TEST(Chain, NeedsAnAdminThatTheBundleLetsInvite) {
  Court court;
  Chain chain = court.chain_of(court.joiner, "joiner");
  Grant by_revoker = court.grant_body();
  by_revoker.admin = public_key(court.revoker);
  chain.grant = make_grant(by_revoker, court.network, court.revoker);
  EXPECT_EQ(court.verdict(chain), TrustError::unknown_admin);
  court.judged_by.admins.clear();
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner")), TrustError::unknown_admin);
  EXPECT_EQ(court.verdict(court.founder_chain(court.joiner)), TrustError::unknown_admin);
}

TEST(Chain, RefusesEverySignatureByTheWrongKey) {
  Court court;
  Chain chain = court.chain_of(court.joiner, "joiner");
  chain.grant = make_grant(court.grant_body(), court.network, court.revoker);
  EXPECT_EQ(court.verdict(chain), TrustError::bad_signature);

  chain = court.chain_of(court.joiner, "joiner");
  chain.certificate = make_certificate(chain.certificate.body, court.network, fixed_secret<GrantSecret>(99));
  EXPECT_EQ(court.verdict(chain), TrustError::bad_signature);

  chain = court.chain_of(court.joiner, "joiner");
  chain.redemption = make_redemption(chain.redemption->body, court.network, court.joiner);
  EXPECT_EQ(court.verdict(chain), TrustError::bad_signature) << "sponsored by itself in another's name";

  chain = court.founder_chain(court.joiner);
  chain.certificate = make_certificate(chain.certificate.body, court.network, court.revoker);
  EXPECT_EQ(court.verdict(chain), TrustError::bad_signature);
}

TEST(Chain, RefusesStatementsOfAnotherNetwork) {
  Court court;
  const NetworkId other{{1}};
  Chain chain = court.chain_of(court.joiner, "joiner");
  chain.certificate = make_certificate(chain.certificate.body, other, court.invitation);
  EXPECT_EQ(court.verdict(chain), TrustError::bad_signature);
}

TEST(Chain, RefusesACertificateBeyondItsGrant) {
  Court court;
  Certificate certificate = court.certificate_body(court.joiner, "joiner");
  certificate.may.invite = true;
  EXPECT_EQ(court.verdict(court.with(certificate)), TrustError::exceeds_rights);
  certificate = court.certificate_body(court.joiner, "joiner");
  certificate.may.subnets = {prefix_of("10.0.0.0/8")};
  EXPECT_EQ(court.verdict(court.with(certificate)), TrustError::exceeds_rights);
  Grant grant = court.grant_body();
  grant.may.relay = false;
  EXPECT_EQ(court.verdict(court.with(grant)), TrustError::exceeds_rights);
  grant = court.grant_body();
  grant.name_pattern = "web-*";
  EXPECT_EQ(court.verdict(court.with(grant)), TrustError::exceeds_rights);
}

TEST(Chain, HoldsCertificatesToTheGrantsLifetime) {
  Court court;
  Chain chain = court.chain_of(court.joiner, "joiner");
  Grant grant = court.grant_body();
  grant.certificate_lifetime_s = 1000;
  chain.grant = make_grant(grant, court.network, court.admin);
  EXPECT_EQ(court.verdict(chain), TrustError::exceeds_rights) << "never expires";

  const auto dated = [&](std::int64_t issued, std::int64_t expires) {
    Certificate body = court.certificate_body(court.joiner, "joiner");
    body.issued = court.at(issued);
    body.expires = court.at(expires);
    chain.certificate = make_certificate(body, court.network, court.invitation);
    return court.verdict(chain);
  };
  EXPECT_EQ(dated(60, 1060), good);
  EXPECT_EQ(dated(60, 1061), TrustError::exceeds_rights);
  EXPECT_EQ(dated(80'000, 81'000), good) << "the joiner's clock was ahead, within a day";
  EXPECT_EQ(dated(100'000, 101'000), TrustError::exceeds_rights) << "the sponsor saw it long before it was issued";
}

TEST(Chain, ExpiresWithItsCertificateWhileTheClockIsTrusted) {
  Court court;
  Certificate certificate = court.certificate_body(court.joiner, "joiner");
  certificate.expires = court.at(1000);
  const Chain chain = court.with(certificate);
  court.now = court.at(999);
  EXPECT_EQ(court.verdict(chain), good);
  court.now = court.at(1000);
  EXPECT_EQ(court.verdict(chain), TrustError::certificate_expired);
  court.now.reset();
  EXPECT_EQ(court.verdict(chain), good) << "an untrusted clock lets nothing expire";
}

TEST(Chain, StaysGoodAfterItsGrantHasExpiredIfItWasRedeemedInTime) {
  Court court;
  court.now = court.at(10'000'000);
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner")), good);
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner", false)), TrustError::grant_expired);
  court.now.reset();
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner", false)), good);

  Redemption late = court.redemption_body(court.joiner);
  late.at = court.grant_body().expires;
  EXPECT_EQ(court.verdict(court.with(late)), good) << "in the last second";
  ++late.at.seconds;
  EXPECT_EQ(court.verdict(court.with(late)), TrustError::grant_expired);
}

TEST(Chain, StaysGoodAfterItsGrantWasWithdrawnIfItWasRedeemedBefore) {
  Court court;
  court.withdrawn = court.at(120);
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner")), good);
  court.withdrawn = court.at(119);
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner")), TrustError::grant_withdrawn);
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner", false)), TrustError::grant_withdrawn);
}

TEST(Chain, UnderAGrantWithCountedUsesNeedsASponsor) {
  Court court;
  Grant once = court.grant_body();
  once.uses = 1;
  Chain chain = court.with(once);
  EXPECT_EQ(court.verdict(chain), good);
  chain.redemption.reset();
  EXPECT_EQ(court.verdict(chain), TrustError::sponsor_unknown);
}

TEST(Chain, WaitsForASponsorNobodyKnows) {
  Court court;
  court.sponsor_known = false;
  Grant once = court.grant_body();
  once.uses = 1;
  EXPECT_EQ(court.verdict(court.with(once)), TrustError::sponsor_unknown);
  const Chain chain = court.chain_of(court.joiner, "joiner");
  EXPECT_EQ(court.verdict(chain), good) << "it would be good without";
  EXPECT_EQ(court.verdict(court.chain_of(court.joiner, "joiner", false)), good);
  court.now = court.grant_body().expires;
  EXPECT_EQ(court.verdict(chain), TrustError::sponsor_unknown);
  court.now = court.at(300);
  court.withdrawn = court.at(200);
  EXPECT_EQ(court.verdict(chain), TrustError::sponsor_unknown);
}

TEST(Chain, RefusesARedemptionOfSomethingElse) {
  Court court;
  EXPECT_EQ(court.verdict(court.with(court.redemption_body(court.stranger))), TrustError::malformed);
  Redemption other = court.redemption_body(court.joiner);
  other.grant = GrantId{{1}};
  EXPECT_EQ(court.verdict(court.with(other)), TrustError::malformed);
}

TEST(Chain, RefusesARedemptionByTheNodeItself) {
  Court court;
  Chain chain = court.chain_of(court.joiner, "joiner");
  Redemption own = court.redemption_body(court.joiner);
  own.sponsor = public_key(court.joiner);
  chain.redemption = make_redemption(own, court.network, court.joiner);
  EXPECT_EQ(court.verdict(chain), TrustError::redemption_invalid);
}

TEST(Chain, RefusesARedemptionFromBeforeItsGrant) {
  Court court;
  Redemption early = court.redemption_body(court.joiner);
  early.at = court.at(-limits::redemption_tolerance.count());
  EXPECT_EQ(court.verdict(court.with(early)), good) << "the sponsor's clock is behind";
  --early.at.seconds;
  EXPECT_EQ(court.verdict(court.with(early)), TrustError::redemption_invalid);
  early.at = UnixTime{0};
  EXPECT_EQ(court.verdict(court.with(early)), TrustError::redemption_invalid);
}

TEST(Bundle, IsTheRootsAlone) {
  SmallWorld world;
  EXPECT_TRUE(verify_bundle(world.bundle(), world.network, world.verifier));
  const auto forged = make_bundle(world.bundle_body(), world.network, fixed_secret<RootSecret>(99));
  EXPECT_EQ(verify_bundle(forged, world.network, world.verifier).error(), TrustError::bad_signature);
}

TEST(Revocation, IsForAdminsThatMayRevoke) {
  SmallWorld world;
  Bundle bundle = world.bundle_body();
  const auto revocation = make_revocation(world.revocation_body(), world.network, world.revoker);
  EXPECT_TRUE(verify_revocation(revocation, bundle, world.network, world.verifier));
  const auto forged = make_revocation(world.revocation_body(), world.network, world.admin);
  EXPECT_EQ(verify_revocation(forged, bundle, world.network, world.verifier).error(), TrustError::bad_signature);
  bundle.admins[1].may_revoke = false;
  EXPECT_EQ(verify_revocation(revocation, bundle, world.network, world.verifier).error(), TrustError::unknown_admin);
  bundle.admins.pop_back();
  EXPECT_EQ(verify_revocation(revocation, bundle, world.network, world.verifier).error(), TrustError::unknown_admin);
}

}  // namespace
}  // namespace wigwag
