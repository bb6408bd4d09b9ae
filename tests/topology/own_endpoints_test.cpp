#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gossip/base/limits.hpp"
#include "gossip/topology/endpoints.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }
Address address(std::string_view text) { return Address::parse(text).value(); }

class OwnEndpointsTest : public testing::Test {
 protected:
  void seen_by(std::uint64_t witness, const Endpoint& at) { own.seen_by(numbered_id(witness), at); }
  std::vector<Endpoint> announced() const { return own.announce(51820, mesh); }

  const Endpoint outside = endpoint("198.51.100.7:40001"), lie = endpoint("192.0.2.66:666");
  const Endpoint over_ipv6 = endpoint("[2001:db8::7]:51820");
  const std::vector<Prefix> mesh{prefix_of("10.99.0.0/16"), prefix_of("fd00::/48")};
  OwnEndpoints own;
};

TEST_F(OwnEndpointsTest, AreNobodysWordUntilSomebodySpeaks) {
  EXPECT_THAT(own.observed(), IsEmpty());
  EXPECT_FALSE(own.behind_nat());
  EXPECT_TRUE(announced().empty());
}

TEST_F(OwnEndpointsTest, AreTheOnlyWitnessesWord) {
  seen_by(1, outside);
  EXPECT_THAT(own.observed(), ElementsAre(outside));
}

TEST_F(OwnEndpointsTest, AreWhatTwoWitnessesAgreeOn) {
  seen_by(1, lie);
  seen_by(2, outside);
  EXPECT_THAT(own.observed(), IsEmpty()) << "word against word";
  seen_by(3, outside);
  EXPECT_THAT(own.observed(), ElementsAre(outside));
}

TEST_F(OwnEndpointsTest, AreWhatMostWitnessesAgreeOn) {
  for (std::uint64_t liar = 1; liar <= 2; ++liar) seen_by(liar, lie);
  for (std::uint64_t honest = 3; honest <= 5; ++honest) seen_by(honest, outside);
  EXPECT_THAT(own.observed(), ElementsAre(outside));
}

TEST_F(OwnEndpointsTest, FollowAWitnessThatSeesUsElsewhere) {
  seen_by(1, lie);
  seen_by(1, outside);
  EXPECT_THAT(own.observed(), ElementsAre(outside));
  own.forget_witness(numbered_id(1));
  EXPECT_THAT(own.observed(), IsEmpty());
}

// A router that picks another port cuts us off from those who would have to see the new one.
TEST_F(OwnEndpointsTest, AreNotOutvotedByWitnessesOutOfReach) {
  const Endpoint before = outside, after = endpoint("198.51.100.7:40002");
  for (std::uint64_t witness = 1; witness <= 3; ++witness) seen_by(witness, before);
  EXPECT_FALSE(own.set_in_reach(numbered_id(4), false)) << "who has said nothing";
  EXPECT_FALSE(own.set_in_reach(numbered_id(1), false)) << "the others say the same";
  seen_by(3, after);
  EXPECT_THAT(own.observed(), IsEmpty()) << "word against word";
  EXPECT_TRUE(own.set_in_reach(numbered_id(2), false));
  EXPECT_THAT(own.observed(), ElementsAre(after));
  EXPECT_TRUE(own.set_in_reach(numbered_id(3), false)) << "with none in reach all count";
  EXPECT_THAT(own.observed(), ElementsAre(before));
  seen_by(1, after);
  EXPECT_THAT(own.observed(), ElementsAre(after)) << "whoever is heard is in reach";
}

TEST_F(OwnEndpointsTest, TellANatFromAnAddressOfOurOwn) {
  own.set_local({address("192.168.0.2")});
  EXPECT_FALSE(own.behind_nat()) << "nobody has seen us";
  seen_by(1, outside);
  EXPECT_TRUE(own.behind_nat());
  own.set_local({address("192.168.0.2"), outside.address});
  EXPECT_FALSE(own.behind_nat()) << "whatever the port";
}

// A host with a global IPv6 address whose IPv4 goes through a NAT.
TEST_F(OwnEndpointsTest, AreSettledForEachFamilyByItself) {
  own.set_local({address("192.168.0.2"), over_ipv6.address});
  for (std::uint64_t witness = 1; witness <= 5; ++witness) seen_by(witness, over_ipv6);
  EXPECT_FALSE(own.behind_nat());
  seen_by(6, outside);
  seen_by(7, outside);
  EXPECT_THAT(own.observed(), ElementsAre(over_ipv6, outside)) << "the address of our own first";
  EXPECT_TRUE(own.behind_nat()) << "towards those who have IPv4 only";
  EXPECT_EQ(announced(), (std::vector<Endpoint>{over_ipv6, outside, endpoint("192.168.0.2:51820")}));
}

TEST_F(OwnEndpointsTest, AreKeptWhereFewWitnessesUseOneFamily) {
  seen_by(1, outside);
  for (std::uint64_t witness = 2; witness <= 40; ++witness) seen_by(witness, over_ipv6);
  EXPECT_THAT(own.observed(), ElementsAre(outside, over_ipv6));
  seen_by(1, over_ipv6);
  EXPECT_THAT(own.observed(), ElementsAre(over_ipv6)) << "a witness has one word";
}

TEST_F(OwnEndpointsTest, AreAnnouncedConfiguredThenSeenThenLocalOnes) {
  own.set_configured({endpoint("203.0.113.1:1000")});
  own.set_local({address("192.168.0.2"), address("203.0.113.9")});
  seen_by(1, outside);
  EXPECT_EQ(announced(), (std::vector<Endpoint>{endpoint("203.0.113.1:1000"), outside, endpoint("203.0.113.9:51820"),
                                                endpoint("192.168.0.2:51820")}))
      << "public before private";
}

TEST_F(OwnEndpointsTest, AreAnnouncedOnceEach) {
  own.set_configured({endpoint("203.0.113.9:51820"), endpoint("203.0.113.9:51820")});
  own.set_local({address("203.0.113.9")});
  seen_by(1, endpoint("203.0.113.9:51820"));
  EXPECT_EQ(announced(), std::vector<Endpoint>{endpoint("203.0.113.9:51820")});
}

TEST_F(OwnEndpointsTest, AreAnnouncedOnlyWhereOthersMayReachThem) {
  own.set_local({address("10.99.3.4"), address("fd00::7"), address("fe80::1"), address("169.254.1.1"), address("224.0.0.9"), address("0.0.0.0"),
                 address("10.98.0.1")});
  seen_by(1, endpoint("10.99.3.4:51820"));
  EXPECT_EQ(announced(), std::vector<Endpoint>{endpoint("10.98.0.1:51820")});
}

TEST_F(OwnEndpointsTest, AreAnnouncedAsManyAsARecordHolds) {
  std::vector<Address> many;
  for (std::uint32_t i = 0; i < 20; ++i) many.push_back(Address::ipv4(0xC6336400U + i));
  own.set_local(many);
  own.set_configured({endpoint("203.0.113.1:1000")});
  EXPECT_EQ(announced().size(), limits::endpoints_per_record);
  EXPECT_EQ(announced().front(), endpoint("203.0.113.1:1000"));
}

}  // namespace
}  // namespace wigwag
