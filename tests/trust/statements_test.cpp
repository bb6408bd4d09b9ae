#include "gossip/trust/statements.hpp"

#include <gtest/gtest.h>

#include "gossip/base/limits.hpp"
#include "tests/trust/small_world.hpp"

namespace wigwag {
namespace {

std::vector<Prefix> many_subnets(std::size_t count, bool ipv6) {
  std::vector<Prefix> subnets;
  for (std::size_t i = 0; i < count; ++i) {
    Address address{.family = ipv6 ? Family::ipv6 : Family::ipv4};
    address.bytes[0] = ipv6 ? 0xfd : 10;
    address.bytes[1] = static_cast<std::uint8_t>(i);
    subnets.push_back(Prefix::covering(address, ipv6 ? 64 : 24));
  }
  return subnets;
}

TEST(Statements, ReadBackWhatWasMade) {
  const SmallWorld world;
  EXPECT_EQ(decode_bundle(world.bundle().wire)->body, world.bundle_body());
  EXPECT_EQ(decode_grant(world.grant().wire)->body, world.grant_body());
  const Chain chain = world.chain_of(world.joiner, "joiner");
  EXPECT_EQ(decode_certificate(chain.certificate.wire)->body, chain.certificate.body);
  EXPECT_EQ(decode_redemption(chain.redemption->wire)->body, chain.redemption->body);
  const auto revocation = make_revocation(world.revocation_body(), world.network, world.revoker);
  EXPECT_EQ(decode_revocation(revocation.wire)->body, revocation.body);
  Bundle next = world.bundle_body();
  next.next_root = NetworkId{{9}};
  EXPECT_EQ(decode_bundle(make_bundle(next, world.network, world.root).wire)->body, next);
}

TEST(Statements, KeepTheBytesTheyCameIn) {
  const SmallWorld world;
  const Bytes wire = world.grant().wire;
  EXPECT_EQ(decode_grant(wire)->wire, wire);
}

// What an invitation may confer under any name that its holder may choose.
TEST(Statements, OfAChainLeaveRoomForItsNodesRecord) {
  const SmallWorld world;
  const auto longest = [&](std::vector<Prefix> subnets, bool dated = true) {
    Grant grant = world.grant_body();
    grant.uses = UINT32_MAX;
    grant.expires = dated ? UnixTime{world.start.seconds + 1} : no_expiry;
    grant.certificate_lifetime_s = dated ? UINT32_MAX : 0;
    grant.may.subnets = std::move(subnets);
    return leave_room_for_record(certificate_under(grant, public_key(world.joiner), std::string(limits::name_bytes, 'n')), grant);
  };
  EXPECT_TRUE(longest(many_subnets(16, false)));
  EXPECT_TRUE(longest(many_subnets(7, true)));
  EXPECT_FALSE(longest(many_subnets(9, true), false)) << "though each of the two statements is well-formed";
  Grant grant = world.grant_body();
  grant.may.subnets = many_subnets(8, true);
  EXPECT_TRUE(leave_room_for_record(certificate_under(grant, public_key(world.joiner), "fra-1"), grant));
  grant.may.subnets = many_subnets(12, true);
  EXPECT_FALSE(leave_room_for_record(certificate_under(grant, public_key(world.joiner), "fra-1"), grant));
}

// A record of 600 bytes, which few are, and such a chain share a datagram of 1,200.
TEST(Statements, OfATypicalChainTakeAboutFiveHundredBytes) {
  const SmallWorld world;
  const Chain chain = world.chain_of(world.joiner, "fra-1");
  EXPECT_LE(chain.certificate.wire.size() + chain.grant->wire.size() + chain.redemption->wire.size(), 540U);
}

TEST(Statements, FitTheirLimitsAtTheirLargest) {
  const SmallWorld world;
  Bundle bundle = world.bundle_body();
  bundle.epoch = UINT32_MAX;
  bundle.network_name = std::string(limits::name_bytes, 'n');
  bundle.next_root = NetworkId{{9}};
  bundle.admins.clear();
  for (std::uint8_t i = 0; i < limits::admins; ++i) bundle.admins.push_back({.id = AdminId{{i}}});
  EXPECT_TRUE(is_well_formed(bundle));
  EXPECT_TRUE(decode_bundle(make_bundle(bundle, world.network, world.root).wire));

  Grant grant = world.grant_body();
  grant.uses = UINT32_MAX;
  grant.certificate_lifetime_s = UINT32_MAX;
  grant.name_pattern = std::string(limits::name_bytes, '*');
  grant.may.subnets = many_subnets(limits::subnets_per_node, false);
  EXPECT_TRUE(is_well_formed(grant));
  EXPECT_TRUE(decode_grant(make_grant(grant, world.network, world.admin).wire));

  Certificate certificate = world.certificate_body(world.joiner, std::string(limits::name_bytes, 'n'));
  certificate.may.subnets = many_subnets(limits::subnets_per_node, false);
  EXPECT_TRUE(is_well_formed(certificate));
  EXPECT_TRUE(decode_certificate(make_certificate(certificate, world.network, world.invitation).wire));
}

TEST(Statements, SayBeforehandWhatEveryoneWouldRefuse) {
  const SmallWorld world;
  const auto refused = [&](const Grant& grant) {
    const auto decoded = decode_grant(make_grant(grant, world.network, world.admin).wire);
    EXPECT_EQ(is_well_formed(grant), decoded.has_value());
    return !decoded && decoded.error() == TrustError::malformed;
  };
  Grant grant = world.grant_body();
  EXPECT_FALSE(refused(grant));
  grant.may.subnets = many_subnets(limits::subnets_per_node, true);
  EXPECT_TRUE(refused(grant)) << "sixteen IPv6 subnets take more than a grant may";
  grant.may.subnets = many_subnets(limits::subnets_per_node + 1, false);
  EXPECT_TRUE(refused(grant));
  grant.may.subnets = {prefix_of("10.1.0.0/16"), prefix_of("10.0.0.0/16")};
  EXPECT_TRUE(refused(grant)) << "not sorted";
  grant.may.subnets = {prefix_of("10.1.0.0/16"), prefix_of("10.1.0.0/16")};
  EXPECT_TRUE(refused(grant)) << "twice the same";
  grant.may.subnets = {Prefix{Address::ipv4(0x0a000001), 24}};
  EXPECT_TRUE(refused(grant)) << "host bits";
  grant = world.grant_body();
  grant.name_pattern = "web_*";
  EXPECT_TRUE(refused(grant));
  grant.name_pattern = std::string(limits::name_bytes + 1, 'n');
  EXPECT_TRUE(refused(grant));
  grant = world.grant_body();
  grant.expires = UnixTime{-1};
  EXPECT_TRUE(refused(grant)) << "before 1970";
  grant.expires = UnixTime{INT64_MAX};
  EXPECT_TRUE(refused(grant)) << "beyond the year 9999";
}

TEST(Statements, RefuseABundleThatIsNone) {
  const SmallWorld world;
  const auto refused = [&](const Bundle& bundle) {
    const auto decoded = decode_bundle(make_bundle(bundle, world.network, world.root).wire);
    EXPECT_EQ(is_well_formed(bundle), decoded.has_value());
    return !decoded;
  };
  Bundle bundle = world.bundle_body();
  EXPECT_FALSE(refused(bundle));
  bundle.epoch = 0;
  EXPECT_TRUE(refused(bundle));
  bundle = world.bundle_body();
  bundle.network_name = "Not a label";
  EXPECT_TRUE(refused(bundle));
  for (const char* text : {"fd00::/48", "10.0.0.0/31", "10.0.0.1/32", "0.0.0.0/0"}) {
    bundle = world.bundle_body();
    bundle.ipv4 = prefix_of(text);
    EXPECT_TRUE(refused(bundle)) << text;
  }
  bundle = world.bundle_body();
  bundle.admins.push_back(bundle.admins.front());
  EXPECT_TRUE(refused(bundle)) << "an admin named twice";
  bundle.admins.clear();
  for (std::uint8_t i = 0; i <= limits::admins; ++i) bundle.admins.push_back({.id = AdminId{{i}}});
  EXPECT_TRUE(refused(bundle)) << "too many admins";
}

TEST(Statements, RefuseACertificateWithoutAProperName) {
  const SmallWorld world;
  for (const char* name : {"", "-a", "a-", "A", "a.b", "a b", "\xc3\xa4"}) {
    const Certificate body = world.certificate_body(world.joiner, name);
    EXPECT_FALSE(is_well_formed(body)) << name;
    EXPECT_FALSE(decode_certificate(make_certificate(body, world.network, world.invitation).wire)) << name;
  }
}

TEST(Statements, AreNotTakenForOneAnother) {
  const SmallWorld world;
  const Chain chain = world.chain_of(world.joiner, "joiner");
  EXPECT_FALSE(decode_grant(chain.certificate.wire));
  EXPECT_FALSE(decode_certificate(chain.grant->wire));
  EXPECT_FALSE(decode_redemption(make_revocation(world.revocation_body(), world.network, world.revoker).wire));
  EXPECT_FALSE(decode_bundle(chain.grant->wire));
}

TEST(Signed, HasOneFormAroundABody) {
  const SmallWorld world;
  const Bytes wire = world.grant().wire;
  const auto parts = split_signed(wire, limits::grant_bytes);
  ASSERT_TRUE(parts);
  EXPECT_EQ(join_signed(parts->body, parts->signature), wire);
  // The same two values with a longer length before the body: nothing signed has changed.
  Bytes other = wire;
  other[1] = 0xc5;
  other.insert(other.begin() + 2, 0);
  EXPECT_FALSE(split_signed(other, limits::grant_bytes));
}

TEST(Signed, IsNotReadBeyondItsLimit) {
  const Bytes wire = SmallWorld().grant().wire;
  EXPECT_TRUE(split_signed(wire, wire.size()));
  EXPECT_FALSE(split_signed(wire, wire.size() - 1));
}

TEST(Rights, CoverWhatIsLess) {
  const Rights all{.relay = true, .invite = true, .subnets = {prefix_of("10.20.0.0/16"), prefix_of("fd00::/8")}};
  EXPECT_TRUE(all.covers({}));
  EXPECT_TRUE(all.covers(all));
  EXPECT_TRUE(all.covers({.relay = true, .invite = false, .subnets = {prefix_of("10.20.3.0/24"), prefix_of("fd00:1::/32")}}));
  EXPECT_FALSE(all.covers({.relay = false, .invite = false, .subnets = {prefix_of("10.0.0.0/8")}})) << "larger than granted";
  EXPECT_FALSE(all.covers({.relay = false, .invite = false, .subnets = {prefix_of("10.20.0.0/24"), prefix_of("10.21.0.0/24")}}));
  EXPECT_FALSE(Rights{}.covers({.relay = true, .invite = false, .subnets = {}}));
  EXPECT_FALSE(Rights{}.covers({.relay = false, .invite = true, .subnets = {}}));
}

TEST(Names, AreDnsLabels) {
  for (const char* name : {"a", "0", "fra-1", "a--b"}) EXPECT_TRUE(is_valid_name(name)) << name;
  EXPECT_TRUE(is_valid_name(std::string(63, 'a')));
  EXPECT_FALSE(is_valid_name(std::string(64, 'a')));
}

TEST(Names, MatchPatternsWithStars) {
  EXPECT_TRUE(name_matches("", "anything"));
  EXPECT_TRUE(name_matches("web-*", "web-1"));
  EXPECT_TRUE(name_matches("web-*", "web-"));
  EXPECT_FALSE(name_matches("web-*", "web"));
  EXPECT_TRUE(name_matches("*", "x"));
  EXPECT_TRUE(name_matches("*-db-*", "eu-db-1"));
  EXPECT_TRUE(name_matches("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(name_matches("a*b*c", "aXbXbX"));
  EXPECT_FALSE(name_matches("web", "web1"));
  EXPECT_TRUE(name_matches("web***", "web"));
  EXPECT_FALSE(name_matches(std::string(31, '*') + "b", std::string(63, 'a'))) << "and quickly";
}

TEST(TrustErrors, EachSayWhatIsWrongAndWhatToDo) {
  for (int i = 0; i <= static_cast<int>(TrustError::redemption_invalid); ++i) {
    const auto error = static_cast<TrustError>(i);
    EXPECT_STRNE(to_string(error), "unknown");
    EXPECT_GT(std::string(advice(error)).size(), 20U);
  }
}

}  // namespace
}  // namespace wigwag
