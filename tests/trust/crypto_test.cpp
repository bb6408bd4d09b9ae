#include "gossip/trust/crypto.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/trust/small_world.hpp"

namespace wigwag {
namespace {

template <class S>
S secret_of(std::string_view text) {
  return S::from(from_hex(text).value()).value();
}

TEST(Crypto, Starts) { EXPECT_TRUE(start_crypto()); }

TEST(Crypto, HashesAsTheRfcDoes) {
  EXPECT_EQ(to_hex(blake2b_512(view_of("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab923"
            "86edd4009923");
  EXPECT_EQ(to_hex(blake2b(view_of("abc"))), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(to_hex(blake2b({})), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

// The reference implementation's vector: keyed, empty input, and the bytes 0 to 2.
TEST(Crypto, HashesUnderAKey) {
  Bytes key(64);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(to_hex(blake2b_512({}, key)),
            "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aef"
            "cbc13fc51568");
  EXPECT_EQ(to_hex(blake2b_512(Bytes{0, 1, 2}, key)),
            "33d0825dddf7ada99b0e7e307104ad07ca9cfd9692214f1561356315e784f3e5a17e364ae9dbb14cb2036df932b77f4b292761365fb328de7afd"
            "c6d8998f5fc1");
}

TEST(Crypto, AuthenticatesAsSipHashDoes) {
  MacKey key;
  Bytes data(15);
  for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i);
  // The paper's a129ca6149be45e5, whose bytes are written lowest first and read highest first.
  EXPECT_EQ(siphash(data, key), 0xe545be4961ca29a1ULL);
}

TEST(Crypto, DerivesPublicKeysAsTheRfcsDo) {
  EXPECT_EQ(to_hex(public_key(secret_of<NodeSecret>("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(public_key(secret_of<HelloSecret>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

TEST(Crypto, AgreesAsTheRfcDoes) {
  const auto alice = secret_of<HelloSecret>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto bob = key_from_hex<HelloKey>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f").value();
  EXPECT_EQ(to_hex(agree(alice, bob).value().open()), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(Crypto, AgreesWithNobodyOnALowOrderPoint) {
  const auto secret = fixed_secret<HelloSecret>(9);
  EXPECT_FALSE(agree(secret, HelloKey{}));
  EXPECT_FALSE(agree(secret, HelloKey{{1}}));
  EXPECT_FALSE(agree(secret, key_from_hex<HelloKey>("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").value()));
}

TEST(Crypto, ClampsTunnelSecretsAsWgGenkeyDoes) {
  Entropy entropy = fixed_entropy(1);
  for (int i = 0; i < 50; ++i) {
    const auto secret = make_tunnel_secret(entropy);
    EXPECT_EQ(secret.open()[0] & 7, 0);
    EXPECT_EQ(secret.open()[31] & 192, 64);
  }
}

TEST(Entropy, IsAStreamThatItsSeedDetermines) {
  Entropy first = fixed_entropy(1);
  Entropy same = fixed_entropy(1);
  Entropy other = fixed_entropy(2);
  std::array<std::uint8_t, 200> a{};
  std::array<std::uint8_t, 200> b{};
  std::array<std::uint8_t, 200> c{};
  first.fill(a.data(), a.size());
  same.fill(b.data(), b.size());
  other.fill(c.data(), c.size());
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  first.fill(b.data(), b.size());
  EXPECT_NE(a, b) << "it goes on";
  // The first block: BLAKE2b-512, keyed with the seed, over the counter.
  const auto block = blake2b_512(Bytes(8), Bytes(32, 1));
  EXPECT_TRUE(std::equal(block.begin(), block.end(), a.begin()));
}

TEST(Entropy, ComesFromTheSystemDifferentEachTime) { EXPECT_NE(system_entropy().open(), system_entropy().open()); }

TEST(Verifier, AcceptsASignatureOnlyForItsPurposeNetworkBodyAndKey) {
  const SmallWorld world;
  Verifier verifier;
  const Bytes body = {1, 2, 3};
  const auto key = public_key(world.joiner).bytes;
  const Signature signature = sign(Domain::record, world.network, body, world.joiner.open());
  for (int again = 0; again < 2; ++again) {
    EXPECT_TRUE(verifier.verify(Domain::record, world.network, body, signature, key));
    EXPECT_FALSE(verifier.verify(Domain::accusation, world.network, body, signature, key));
    EXPECT_FALSE(verifier.verify(Domain::record, NetworkId{}, body, signature, key));
    EXPECT_FALSE(verifier.verify(Domain::record, world.network, Bytes{1, 2}, signature, key));
    EXPECT_FALSE(verifier.verify(Domain::record, world.network, body, Signature{}, key));
    EXPECT_FALSE(verifier.verify(Domain::record, world.network, body, signature, public_key(world.stranger).bytes));
  }
}

TEST(Verifier, SignsTheDomainTheNetworkAndTheBody) {
  // Computed with another Ed25519 over "wigwag.record", a zero byte, the network id, 01 02 03.
  const SmallWorld world;
  const Bytes body = {1, 2, 3};
  const Signature signature = sign(Domain::record, world.network, body, world.joiner.open());
  EXPECT_EQ(to_hex(signature.view()),
            "f12f333309460e0ab474822d7477cc890a33ce99aaf08f5068507d104a1c7f70"
            "37322f2c57a316bc19cd2d7c6fa6ee82d34ec1ad29eb3691240ae0d157014f02");
}

TEST(Verifier, HasNoSecondSignatureForTheSameBody) {
  const SmallWorld world;
  Verifier verifier;
  const Bytes body = {1, 2, 3};
  Signature signature = sign(Domain::record, world.network, body, world.joiner.open());
  // s + L, the classical malleation: adds the group order to the second half.
  const Bytes order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += unsigned{signature.bytes[32 + i]} + unsigned{order[i]};
    signature.bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(verifier.verify(Domain::record, world.network, body, signature, public_key(world.joiner).bytes));
}

TEST(Verifier, GoesOnWhenItsMemoryIsFullOrNone) {
  const SmallWorld world;
  for (const std::size_t most : {std::size_t{0}, std::size_t{2}}) {
    Verifier verifier(most);
    for (std::uint8_t i = 0; i < 6; ++i) {
      const Bytes body = {i};
      const Signature signature = sign(Domain::record, world.network, body, world.joiner.open());
      EXPECT_TRUE(verifier.verify(Domain::record, world.network, body, signature, public_key(world.joiner).bytes));
      EXPECT_TRUE(verifier.verify(Domain::record, world.network, body, signature, public_key(world.joiner).bytes));
    }
  }
}

TEST(GossipMacKey, IsTheSameAtBothEndsAndAnotherEachWay) {
  const SmallWorld world;
  const NodeId a = public_key(world.joiner);
  const NodeId b = public_key(world.sponsor);
  const auto forth = gossip_mac_key(world.network, world.joiner, a, b).value();
  EXPECT_EQ(forth.bytes, gossip_mac_key(world.network, world.sponsor, a, b).value().bytes);
  EXPECT_NE(forth.bytes, gossip_mac_key(world.network, world.joiner, b, a).value().bytes);
  EXPECT_NE(forth.bytes, gossip_mac_key(NetworkId{}, world.joiner, a, b).value().bytes);
  EXPECT_NE(forth.bytes, gossip_mac_key(world.network, world.joiner, a, public_key(world.stranger)).value().bytes);
}

TEST(GossipMacKey, NeedsOneselfAtOneEndAndACurvePointAtTheOther) {
  const SmallWorld world;
  EXPECT_FALSE(gossip_mac_key(world.network, world.stranger, public_key(world.joiner), public_key(world.sponsor)));
  EXPECT_FALSE(gossip_mac_key(world.network, world.joiner, public_key(world.joiner), NodeId{}));
  EXPECT_FALSE(gossip_mac_key(world.network, world.joiner, NodeId{{1}}, public_key(world.joiner)));
}

TEST(Box, OpensOnlyUntouchedAndInItsContext) {
  const auto key = fixed_secret<BoxKey>(1);
  const Bytes plain = {1, 2, 3, 4};
  const Bytes sealed = seal_box(key, plain, view_of("context"));
  EXPECT_EQ(sealed.size(), plain.size() + 16);
  EXPECT_EQ(open_box(key, sealed, view_of("context")), plain);
  EXPECT_FALSE(open_box(key, sealed, view_of("another")));
  EXPECT_FALSE(open_box(fixed_secret<BoxKey>(2), sealed, view_of("context")));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes altered = sealed;
    altered[i] ^= 1;
    EXPECT_FALSE(open_box(key, altered, view_of("context")));
    EXPECT_FALSE(open_box(key, ByteView(sealed).first(i), view_of("context")));
  }
  EXPECT_EQ(open_box(key, seal_box(key, {}, {}), {}), Bytes{});
}

TEST(ConstantTime, ComparesContentAndSize) {
  EXPECT_TRUE(equal_in_constant_time(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_FALSE(equal_in_constant_time(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(equal_in_constant_time(Bytes{1, 2}, Bytes{1, 2, 3}));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

}  // namespace
}  // namespace wigwag
