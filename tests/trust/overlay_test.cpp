#include "gossip/trust/overlay.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/trust/small_world.hpp"

namespace wigwag {
namespace {

TEST(Overlay, TakesIpv6FromTheNetworkAndTheNode) {
  const NetworkId network{{0x11, 0x22, 0x33, 0x44, 0x55, 0x66}};
  const NodeId node{{1, 2, 3, 4, 5, 6, 7, 8, 9}};
  EXPECT_EQ(to_string(overlay_ipv6_prefix(network)), "fd11:2233:4455::/48");
  EXPECT_EQ(to_string(overlay_ipv6(network, node)), "fd11:2233:4455:0:102:304:506:708");
  EXPECT_TRUE(overlay_ipv6_prefix(network).contains(overlay_ipv6(network, node)));
}

TEST(Overlay, GivesIpv4CandidatesInsideThePrefixButNeverItsEnds) {
  for (const char* text : {"10.99.0.0/16", "192.168.7.0/24", "10.0.0.8/29", "10.0.0.4/30", "128.0.0.0/1"}) {
    const Prefix prefix = prefix_of(text);
    const std::uint32_t first = prefix.address.ipv4_number();
    const auto last = static_cast<std::uint32_t>(first + ((std::uint64_t{1} << (32 - prefix.length)) - 1));
    for (std::uint32_t attempt = 0; attempt < 300; ++attempt) {
      const Address candidate = overlay_ipv4_candidate(prefix, NodeId{{7}}, attempt);
      EXPECT_TRUE(prefix.contains(candidate)) << text;
      EXPECT_NE(candidate.ipv4_number(), first) << text;
      EXPECT_NE(candidate.ipv4_number(), last) << text;
    }
  }
}

TEST(Overlay, ReachesEveryUsableAddressOfASmallPrefix) {
  std::set<Address> seen;
  for (std::uint32_t attempt = 0; attempt < 200; ++attempt)
    seen.insert(overlay_ipv4_candidate(prefix_of("10.0.0.8/29"), NodeId{{7}}, attempt));
  EXPECT_EQ(seen.size(), 6U);
}

TEST(Overlay, PinsTheFirstCandidates) {
  const SmallWorld world;
  const NodeId node = public_key(world.joiner);
  EXPECT_EQ(to_string(overlay_ipv4_candidate(prefix_of("10.99.0.0/16"), node, 0)), "10.99.83.233");
  EXPECT_EQ(to_string(overlay_ipv4_candidate(prefix_of("10.99.0.0/16"), node, 1)), "10.99.166.141");
}

TEST(Overlay, PicksAFoundersPrefixByTheNetworkAndStepsPastWhatIsTaken) {
  const NetworkId network{{254}};
  EXPECT_EQ(default_ipv4_prefix(network, {}), prefix_of("10.254.0.0/16"));
  EXPECT_EQ(default_ipv4_prefix(network, {prefix_of("10.254.7.0/24")}), prefix_of("10.255.0.0/16"));
  EXPECT_EQ(default_ipv4_prefix(network, {prefix_of("10.254.0.0/15"), prefix_of("192.168.0.0/16")}), prefix_of("10.0.0.0/16"))
      << "after the last comes the first";
  EXPECT_EQ(default_ipv4_prefix(network, {prefix_of("fd00::/8")}), prefix_of("10.254.0.0/16"));
  EXPECT_EQ(default_ipv4_prefix(network, {prefix_of("10.0.0.0/8")}), prefix_of("10.254.0.0/16"))
      << "all is taken: the more specific route wins";
}

TEST(OverlayDeathTest, HasNoRoomInAPointToPointPrefix) {
  EXPECT_DEATH(overlay_ipv4_candidate(prefix_of("10.0.0.0/31"), NodeId{}, 0), "broken invariant");
}

}  // namespace
}  // namespace wigwag
