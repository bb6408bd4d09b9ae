#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "tests/base/seeded.hpp"
#include "tests/membership/small_mesh.hpp"
#include "tests/trust/random_statements.hpp"

namespace wigwag {
namespace {

constexpr std::uint32_t top = 0xffffffff;

Endpoint random_endpoint(Rng& rng) {
  return {*Address::from_bytes(random_bytes(rng, rng.chance(500) ? 4 : 16)), static_cast<std::uint16_t>(1 + rng.below(65535))};
}

Record random_record(Rng& rng) {
  Record record;
  record.node = random_key<NodeId>(rng);
  record.certificate = random_key<Hash32>(rng);
  record.version = {random_number(rng), random_number(rng)};
  record.left = rng.chance(100);
  record.relay = rng.chance(300);
  record.tunnel_key = random_key<TunnelKey>(rng);
  if (rng.chance(300)) record.next_tunnel_key = random_key<TunnelKey>(rng);
  for (auto i = rng.below(limits::endpoints_per_record + 1); i > 0; --i) record.endpoints.push_back(random_endpoint(rng));
  if (rng.chance(800)) record.ipv4 = Address::ipv4(static_cast<std::uint32_t>(rng.next()));
  record.listen_port = static_cast<std::uint16_t>(rng.below(65536));
  record.hello_port = static_cast<std::uint16_t>(rng.below(65536));
  record.subnets = random_rights(rng).subnets;
  for (auto i = rng.below(limits::homes_per_record + 1); i > 0; --i) record.homes.push_back(random_key<NodeId>(rng));
  record.expires = random_time(rng);
  return record;
}

TEST(Record, IsReadAsItWasWritten) {
  const SmallMesh mesh;
  for_seeds(200, [&](Rng& rng) {
    const Record body = random_record(rng);
    const auto made = make_record(body, mesh.network, mesh.joiner);
    const auto read = decode_record(made.wire);
    if (made.wire.size() > limits::record_bytes) {
      EXPECT_FALSE(read);
      return;
    }
    ASSERT_TRUE(read);
    EXPECT_EQ(read->body, body);
    EXPECT_EQ(read->wire, made.wire);
  });
}

TEST(Record, WithAnyBitFlippedIsRefused) {
  SmallMesh mesh;
  const auto made = mesh.record(3);
  ASSERT_TRUE(verify_record(*decode_record(made.wire), mesh.network, mesh.verifier));
  for (std::size_t bit = 0; bit < made.wire.size() * 8; ++bit) {
    Bytes wire = made.wire;
    wire[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto read = decode_record(wire);
    EXPECT_FALSE(read && verify_record(*read, mesh.network, mesh.verifier)) << "bit " << bit;
  }
}

TEST(Record, OfAnotherNetworkIsRefused) {
  SmallMesh mesh;
  const NetworkId other{Hash32(blake2b(view_of("other"))).bytes};
  const auto made = make_record(mesh.record_body(3), other, mesh.identity(3));
  EXPECT_FALSE(verify_record(made, mesh.network, mesh.verifier));
}

TEST(Record, SignedBySomebodyElseIsRefused) {
  SmallMesh mesh;
  EXPECT_FALSE(verify_record(mesh.sign(mesh.record_body(3), 4), mesh.network, mesh.verifier));
}

TEST(Record, WithMoreThanTheLimitsIsRefused) {
  const SmallMesh mesh;
  Record endpoints = mesh.record_body(1);
  for (std::uint16_t port = 1; endpoints.endpoints.size() <= limits::endpoints_per_record; ++port) {
    endpoints.endpoints.push_back({Address::ipv4(1), port});
  }
  EXPECT_FALSE(decode_record(mesh.sign(endpoints, 1).wire));
  Record homes = mesh.record_body(1);
  homes.homes.resize(limits::homes_per_record + 1);
  EXPECT_FALSE(decode_record(mesh.sign(homes, 1).wire));
  Record subnets = mesh.record_body(1);
  for (std::uint32_t i = 0; i <= limits::subnets_per_node; ++i) subnets.subnets.push_back(Prefix::covering(Address::ipv4(i << 24), 8));
  EXPECT_FALSE(decode_record(mesh.sign(subnets, 1).wire));
}

TEST(Record, WithUnsortedSubnetsOrWithoutTunnelKeyIsRefused) {
  const SmallMesh mesh;
  Record unsorted = mesh.record_body(1);
  unsorted.subnets = {prefix_of("10.2.0.0/16"), prefix_of("10.1.0.0/16")};
  EXPECT_FALSE(decode_record(mesh.sign(unsorted, 1).wire));
  Record keyless = mesh.record_body(1);
  keyless.tunnel_key = {};
  EXPECT_FALSE(decode_record(mesh.sign(keyless, 1).wire));
}

TEST(Record, IsNoNewsWhenOnlyVersionAndExpiryDiffer) {
  const SmallMesh mesh;
  const Record one = mesh.record_body(1);
  Record same = one;
  same.version = {7, 7};
  same.expires = UnixTime{12};
  EXPECT_TRUE(says_the_same(one, same));
  same.listen_port = 1;
  EXPECT_FALSE(says_the_same(one, same));
}

TEST(Version, NeverWraps) {
  EXPECT_EQ(next_version({3, 7}), (Version{3, 8}));
  EXPECT_EQ(next_version({3, top}), (Version{4, 0}));
  EXPECT_EQ(next_version({top, top}), (Version{top, top}));
  for_seeds(200, [](Rng& rng) {
    const auto near_top = [&] { return rng.chance(500) ? top - static_cast<std::uint32_t>(rng.below(2)) : random_number(rng); };
    const Version version{near_top(), near_top()};
    if (version != Version{top, top}) {
      EXPECT_GT(next_version(version), version);
    }
  });
}

TEST(Version, OfALeftRecordBeatsAnyOther) {
  EXPECT_TRUE(supersedes(true, {1, 0}, false, {top, top}));
  EXPECT_FALSE(supersedes(false, {top, top}, true, {1, 0}));
  EXPECT_FALSE(supersedes(true, {1, 0}, true, {1, 0}));
}

TEST(Accusation, IsReadAsItWasWritten) {
  const SmallMesh mesh;
  for_seeds(100, [&](Rng& rng) {
    const Accusation body{random_key<NodeId>(rng), {random_number(rng), random_number(rng)}, random_key<NodeId>(rng)};
    const auto made = make_accusation(body, mesh.network, mesh.joiner);
    ASSERT_LE(made.wire.size(), limits::accusation_bytes);
    const auto read = decode_accusation(made.wire);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->body, body);
  });
}

TEST(Accusation, WithAnyBitFlippedIsRefused) {
  SmallMesh mesh;
  const Bytes made = mesh.accusation(1, 2).statement;
  ASSERT_TRUE(verify_accusation(*decode_accusation(made), mesh.network, mesh.verifier));
  for (std::size_t bit = 0; bit < made.size() * 8; ++bit) {
    Bytes wire = made;
    wire[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto read = decode_accusation(wire);
    EXPECT_FALSE(read && verify_accusation(*read, mesh.network, mesh.verifier)) << "bit " << bit;
  }
}

TEST(Accusation, OfOneselfIsRefused) {
  const SmallMesh mesh;
  EXPECT_FALSE(decode_accusation(mesh.accusation(2, 2).statement));
}

TEST(Accusation, IsNoRecordAndARecordIsNone) {
  const SmallMesh mesh;
  EXPECT_FALSE(decode_record(mesh.accusation(1, 2).statement));
  EXPECT_FALSE(decode_accusation(mesh.record(1).wire));
}

}  // namespace
}  // namespace wigwag
