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
    endpoints.look(id, record.tunnel_key, &kernel, {now, UnixTime{wall}});
    judge();
  }
  void judge() { endpoints.judge(id, {record, std::nullopt, local, mesh, {}, false}, now); }
};

TEST(SilentPath, IsGivenUpWhenDataGoUnanswered) {
  Watched peer;
  peer.record.endpoints = {new_place};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(peer.endpoints.wanted(peer.id), std::nullopt) << "after " << i;
    peer.look(0, 96);
  }
  peer.look(0, 96);
  EXPECT_TRUE(peer.endpoints.silent(peer.id));
  EXPECT_EQ(peer.endpoints.wanted(peer.id), new_place);
}

TEST(SilentPath, StandsAgainWithTheFirstAnswer) {
  Watched peer;
  for (int i = 0; i < 6; ++i) peer.look(0, 96);
  ASSERT_TRUE(peer.endpoints.silent(peer.id));
  peer.look(92, 148);
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
  EXPECT_EQ(peer.endpoints.wanted(peer.id), std::nullopt);
}

// It may have called by hello, or have been heard of through others.
TEST(SilentPath, IsGivenUpHoweverOftenThePeerIsTriedAfresh) {
  Watched peer;
  peer.record.endpoints = {new_place};
  for (int i = 0; i < 5; ++i) {
    peer.look(0, 96);
    peer.endpoints.retry(peer.id);
  }
  EXPECT_TRUE(peer.endpoints.silent(peer.id));
}

TEST(SilentPath, CountsFromWhenWeMoved) {
  Watched peer;
  for (int i = 0; i < 3; ++i) peer.look(0, 96);
  peer.endpoints.moved(peer.id);
  peer.look(0, 96);
  EXPECT_FALSE(peer.endpoints.silent(peer.id)) << "15 s, of which none were spent here";
  for (int i = 0; i < 3; ++i) peer.look(0, 96);
  EXPECT_TRUE(peer.endpoints.silent(peer.id));
}

TEST(SilentPath, IsNotOneOnWhichNobodySpeaks) {
  Watched peer;
  for (int i = 0; i < 20; ++i) peer.look(0, 0);
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
}

TEST(SilentPath, IsNotOneThatOnlyKeepalivesUse) {
  Watched peer;
  for (int i = 0; i < 20; ++i) peer.look(0, 32);  // the passive one, after data that came in before
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
  peer.kernel.keepalive = std::chrono::seconds(1);
  for (int i = 0; i < 20; ++i) peer.look(0, 5 * 32);
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
}

// Judged anew between two looks, as with every record that arrives: an answer may have come since.
TEST(SilentPath, IsNoneBeforeTheKernelHasBeenLookedAtAgain) {
  Watched peer;
  peer.record.endpoints = {new_place};
  for (int i = 0; i < 3; ++i) peer.look(0, 96);
  peer.now += milliseconds(2500);
  peer.judge();
  EXPECT_FALSE(peer.endpoints.silent(peer.id)) << "12.5 s, of which 10 were looked at";
  EXPECT_EQ(peer.endpoints.wanted(peer.id), std::nullopt);
  peer.now -= milliseconds(2500);
  peer.look(32, 96);
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
}

TEST(SilentPath, IsNotOneOfKeepalivesHoweverOftenItIsJudged) {
  Watched peer;
  peer.kernel.keepalive = std::chrono::seconds(1);
  for (int i = 0; i < 5; ++i) {
    for (int judgements = 0; judgements < 4; ++judgements) {
      peer.now += seconds(1);
      peer.judge();
    }
    peer.now -= seconds(4);
    peer.look(0, 5 * 32);
  }
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
}

TEST(SilentPath, ThatHearsAlthoughItIsBusySendingStands) {
  Watched peer;
  for (int i = 0; i < 20; ++i) peer.look(i % 3 == 0 ? 32 : 0, 96'000);
  EXPECT_FALSE(peer.endpoints.silent(peer.id));
}

}  // namespace
}  // namespace wigwag
