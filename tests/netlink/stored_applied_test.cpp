#include <gtest/gtest.h>

#include "daemon/reconciler.hpp"
#include "gossip/base/packed.hpp"
#include "tests/netlink/values.hpp"

namespace wigwag {
namespace {

using test::key;
using test::prefix;

TEST(StoredApplied, ComesBackAsItWas) {
  AppliedTunnel applied;
  applied.interface = "wigwag0";
  applied.created = true;
  applied.public_key = key(3);
  applied.peers = {{key(1), std::nullopt}, {key(2), Endpoint::parse("[2001:db8::1]:7")}};
  applied.addresses = {{*Address::parse("10.99.0.1"), 16}, prefix("fd99::1/128")};
  applied.routes = {{prefix("10.99.0.0/16"), RouteKind::unreachable, metric_last},
                    {prefix("fd99::2/128"), RouteKind::through_tunnel, 100}};
  const Bytes stored = encode_applied(applied);
  EXPECT_EQ(decode_applied(stored), applied);
  for (std::size_t size = 0; size < stored.size(); ++size) EXPECT_FALSE(decode_applied(ByteView(stored).first(size))) << size;
  for (std::size_t at = 0; at < stored.size(); ++at) {
    Bytes damaged = stored;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ 0xff);
    (void)decode_applied(damaged);
  }
}

TEST(StoredApplied, IsReadWithoutANameToo) {
  Packer first;
  first.array(6).number(1).boolean(true).key(key(3)).array(0).array(0).array(0);
  const auto applied = decode_applied(first.take());
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->interface, "");
  EXPECT_TRUE(applied->created);
  EXPECT_EQ(applied->public_key, key(3));
  Packer next;
  next.array(7).number(3).text("wigwag0").boolean(true).key(key(3)).array(0).array(0).array(0);
  EXPECT_FALSE(decode_applied(next.take()));
  Packer endless;
  endless.array(7).number(2).text("an-interface-of-16").boolean(true).key(key(3)).array(0).array(0).array(0);
  EXPECT_FALSE(decode_applied(endless.take()));
}

TEST(StoredApplied, HoldsAsManyPeersAsANetworkHas) {
  AppliedTunnel applied;
  for (std::uint32_t n = 0; n < 10'000; ++n) {
    AppliedPeer peer{key(7), Endpoint::parse("192.0.2.1:1")};
    store_be64(peer.key.bytes.data(), n);
    applied.peers.push_back(peer);
    applied.routes.push_back({Prefix::host(Address::ipv4(0x0a000000u + n)), RouteKind::through_tunnel, 100});
  }
  EXPECT_EQ(decode_applied(encode_applied(applied)), applied);
}

}  // namespace
}  // namespace wigwag
