#include <gtest/gtest.h>

#include "gossip/topology/endpoints.hpp"

namespace wigwag {
namespace {

const Endpoint old_place{Address::ipv4(0xC6336403U), 51820};
const Endpoint new_place{Address::ipv4(0xCB007151U), 51820};
constexpr std::int64_t wall = 1'700'000'000;

// One peer with a session that stands, looked at every five seconds as the daemon does.
struct Watched {
  PeerEndpoints endpoints;
  Record record;
  TunnelPeerState kernel;
  std::vector<Address> local;
  std::vector<Prefix> mesh;
  NodeId id;
  Instant now = Instant{} + hours(1);

  Watched() {
    id.bytes.fill(7);
    record.endpoints = {old_place};
    kernel.endpoint = old_place;
    kernel.last_handshake_unix_s = wall - 20;
    kernel.rx_bytes = kernel.tx_bytes = 1000;
    look(0, 0);
  }
  void look(std::uint64_t received, std::uint64_t sent) {
    now += seconds(5);
    kernel.rx_bytes += received;
    kernel.tx_bytes += sent;
    endpoints.judge(id, {record, &kernel, std::nullopt, local, mesh, UnixTime{wall}, false}, now);
  }
};

TEST(SilentPath, IsGivenUpWhenDataGoUnanswered) {
  Watched peer;
  peer.record.endpoints = {new_place};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(peer.endpoints.wanted(peer.id), std::nullopt) << "after " << i;
    peer.look(0, 96);
  }
  peer.look(0, 96);
  EXPECT_TRUE(peer.endpoints.silent(peer.id, peer.now));
  EXPECT_EQ(peer.endpoints.wanted(peer.id), new_place);
}

TEST(SilentPath, StandsAgainWithTheFirstAnswer) {
  Watched peer;
  for (int i = 0; i < 6; ++i) peer.look(0, 96);
  ASSERT_TRUE(peer.endpoints.silent(peer.id, peer.now));
  peer.look(92, 148);
  EXPECT_FALSE(peer.endpoints.silent(peer.id, peer.now));
  EXPECT_EQ(peer.endpoints.wanted(peer.id), std::nullopt);
}

TEST(SilentPath, IsNotOneOnWhichNobodySpeaks) {
  Watched peer;
  for (int i = 0; i < 20; ++i) peer.look(0, 0);
  EXPECT_FALSE(peer.endpoints.silent(peer.id, peer.now));
}

TEST(SilentPath, IsNotOneThatOnlyKeepalivesUse) {
  Watched peer;
  for (int i = 0; i < 20; ++i) peer.look(0, 32);  // the passive one, after data that came in before
  EXPECT_FALSE(peer.endpoints.silent(peer.id, peer.now));
  peer.kernel.keepalive = std::chrono::seconds(1);
  for (int i = 0; i < 20; ++i) peer.look(0, 5 * 32);
  EXPECT_FALSE(peer.endpoints.silent(peer.id, peer.now));
}

TEST(SilentPath, ThatHearsAlthoughItIsBusySendingStands) {
  Watched peer;
  for (int i = 0; i < 20; ++i) peer.look(i % 3 == 0 ? 32 : 0, 96'000);
  EXPECT_FALSE(peer.endpoints.silent(peer.id, peer.now));
}

}  // namespace
}  // namespace wigwag
