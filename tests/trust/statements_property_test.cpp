#include <gtest/gtest.h>

#include "gossip/trust/chain.hpp"
#include "tests/trust/random_statements.hpp"

namespace wigwag {
namespace {

template <class Body, class Decode>
void expect_identity(const Body& body, const Signed<Body>& made, Decode decode) {
  if (!is_well_formed(body)) {  // too many long subnets, now and then
    EXPECT_FALSE(decode(made.wire));
    return;
  }
  const auto decoded = decode(made.wire);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->body, body);
  EXPECT_EQ(decoded->wire, made.wire);
}

TEST(StatementsProperty, DecodingUndoesEncoding) {
  for_seeds(200, [](Rng& rng) {
    const SmallWorld world;
    const Bundle bundle = random_bundle(rng);
    expect_identity(bundle, make_bundle(bundle, world.network, world.root), decode_bundle);
    const Grant grant = random_grant(rng);
    expect_identity(grant, make_grant(grant, world.network, world.admin), decode_grant);
    const Certificate certificate = random_certificate(rng);
    expect_identity(certificate, make_certificate(certificate, world.network, world.invitation), decode_certificate);
    const Redemption redemption = random_redemption(rng);
    expect_identity(redemption, make_redemption(redemption, world.network, world.sponsor), decode_redemption);
    const Revocation revocation = random_revocation(rng);
    expect_identity(revocation, make_revocation(revocation, world.network, world.revoker), decode_revocation);
  });
}

TEST(StatementsProperty, RefuseEveryTruncationAndEveryExtension) {
  for_seeds(5, [](Rng& rng) {
    const SmallWorld world;
    const auto refuses_all = [](const Bytes& wire, auto decode) {
      for (std::size_t size = 0; size < wire.size(); ++size) EXPECT_FALSE(decode(ByteView(wire).first(size))) << size;
      Bytes longer = wire;
      longer.push_back(0xc0);
      EXPECT_FALSE(decode(ByteView(longer)));
    };
    refuses_all(make_bundle(random_bundle(rng), world.network, world.root).wire, decode_bundle);
    refuses_all(make_grant(random_grant(rng), world.network, world.admin).wire, decode_grant);
    refuses_all(make_certificate(random_certificate(rng), world.network, world.admin).wire, decode_certificate);
    refuses_all(make_redemption(random_redemption(rng), world.network, world.sponsor).wire, decode_redemption);
    refuses_all(make_revocation(random_revocation(rng), world.network, world.revoker).wire, decode_revocation);
  });
}

// The chain, the bundle and a revocation in which one bit differs are refused: by form, by a rule or by a signature.
TEST(StatementsProperty, RefuseEveryFlippedBit) {
  SmallWorld world;
  const Chain chain = world.chain_of(world.joiner, "joiner");
  const Bundle bundle = world.bundle_body();
  const ChainContext context{.bundle = bundle,
                             .network = world.network,
                             .now = SmallWorld::at(300),
                             .sponsor_known = true,
                             .grant_withdrawn = false,
                             .withdrawn_at = {}};
  const auto accepted = [&](const Bytes& certificate, const Bytes& grant, const Bytes& redemption) {
    const auto decoded = decode_chain(certificate, grant, redemption);
    return decoded && verify_chain(*decoded, context, world.verifier);
  };
  const Bytes certificate = chain.certificate.wire;
  const Bytes grant = chain.grant->wire;
  const Bytes redemption = chain.redemption->wire;
  ASSERT_TRUE(accepted(certificate, grant, redemption));
  const auto every_flip = [](const Bytes& wire, auto is_accepted) {
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
      Bytes flipped = wire;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      EXPECT_FALSE(is_accepted(flipped)) << "bit " << bit;
    }
  };
  every_flip(certificate, [&](const Bytes& flipped) { return accepted(flipped, grant, redemption); });
  every_flip(grant, [&](const Bytes& flipped) { return accepted(certificate, flipped, redemption); });
  every_flip(redemption, [&](const Bytes& flipped) { return accepted(certificate, grant, flipped); });
  every_flip(world.bundle().wire, [&](const Bytes& flipped) {
    const auto decoded = decode_bundle(flipped);
    return decoded && verify_bundle(*decoded, world.network, world.verifier);
  });
  every_flip(make_revocation(world.revocation_body(), world.network, world.revoker).wire, [&](const Bytes& flipped) {
    const auto decoded = decode_revocation(flipped);
    return decoded && verify_revocation(*decoded, bundle, world.network, world.verifier);
  });
}

TEST(StatementsProperty, SurviveAnyBody) {
  for_seeds(200, [](Rng& rng) {
    const SmallWorld world;
    Bytes body;
    // Often nearly right: a real body with some bytes overwritten.
    if (rng.chance(800)) {
      const Bytes wire = world.grant().wire;
      const auto parts = split_signed(wire, limits::grant_bytes);
      body.assign(parts->body.begin(), parts->body.end());
      for (std::uint64_t i = 0; i <= rng.below(3); ++i) body[rng.below(body.size())] = static_cast<std::uint8_t>(rng.next());
    } else {
      body = random_bytes(rng, rng.below(120));
    }
    const Bytes wire = join_signed(body, Signature{});
    const auto as_grant = decode_grant(wire);
    if (as_grant) {
      EXPECT_TRUE(is_well_formed(as_grant->body)) << "whatever is read keeps the rules";
    }
    EXPECT_FALSE(decode_bundle(wire));
    EXPECT_FALSE(decode_certificate(wire));
    EXPECT_FALSE(decode_redemption(wire));
    EXPECT_FALSE(decode_revocation(wire));
  });
}

// The plain definition, to hold the quick scan against.
bool matches_plainly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*')
    return !name.empty() && pattern.front() == name.front() && matches_plainly(pattern.substr(1), name.substr(1));
  return matches_plainly(pattern.substr(1), name) || (!name.empty() && matches_plainly(pattern, name.substr(1)));
}

TEST(StatementsProperty, NamesMatchAsThePlainDefinitionSays) {
  for_seeds(3000, [](Rng& rng) {
    const std::string pattern = random_name(rng, "ab*", 7);
    const std::string name = random_name(rng, "ab", 8);
    EXPECT_EQ(name_matches(pattern, name), matches_plainly(pattern, name)) << pattern << " " << name;
  });
}

}  // namespace
}  // namespace wigwag
