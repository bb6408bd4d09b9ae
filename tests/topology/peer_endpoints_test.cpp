#include <gtest/gtest.h>

#include "gossip/topology/endpoints.hpp"
#include "tests/trust/small_world.hpp"

namespace wigwag {
namespace {

constexpr Duration moment = milliseconds(1);
constexpr std::int64_t wall = 1'700'000'000;

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

// One peer that is judged again and again; nothing of it works until a test says so.
class PeerEndpointsTest : public testing::Test {
 protected:
  PeerEndpointsTest() {
    id.bytes.fill(7);
    record.endpoints = {first, second, third};
  }
  bool judge(Duration since_start) {
    const PeerEndpoints::Facts facts{record, in_kernel ? &kernel : nullptr, hint, local, mesh, UnixTime{wall}, down};
    return endpoints.judge(id, facts, start + since_start);
  }
  std::optional<Endpoint> wanted_at(Duration since_start) {
    judge(since_start);
    return endpoints.wanted(id);
  }
  void handshake_ago(std::int64_t age_s) {
    in_kernel = true;
    kernel.last_handshake_unix_s = wall - age_s;
  }

  static constexpr Duration patience = PeerEndpoints::candidate_patience;
  const Endpoint first = endpoint("198.51.100.1:51820"), second = endpoint("203.0.113.2:51820"), third = endpoint("[2001:db8::3]:51820");
  const Instant start = Instant{} + hours(1);
  PeerEndpoints endpoints;
  NodeId id;
  Record record;
  bool in_kernel = false;
  TunnelPeerState kernel;
  std::optional<Endpoint> hint;
  std::vector<Address> local;
  std::vector<Prefix> mesh{prefix_of("10.99.0.0/16"), prefix_of("fd00::/48")};
  bool down = false;
};

TEST_F(PeerEndpointsTest, TakeTurnsWhileNoHandshakeSucceeds) {
  EXPECT_EQ(wanted_at(seconds(0)), first);
  EXPECT_EQ(endpoints.next_wakeup(), start + patience);
  EXPECT_EQ(wanted_at(patience - moment), first);
  EXPECT_EQ(wanted_at(patience), second);
  EXPECT_EQ(wanted_at(2 * patience), third);
  EXPECT_EQ(wanted_at(3 * patience), first) << "in circles";
}

TEST_F(PeerEndpointsTest, BelongToTheKernelOnceASessionStands) {
  judge(seconds(0));
  handshake_ago(1);
  EXPECT_TRUE(judge(seconds(5))) << "what is wanted has changed";
  EXPECT_EQ(endpoints.wanted(id), std::nullopt);
  EXPECT_EQ(endpoints.next_wakeup(), never);
  EXPECT_FALSE(judge(seconds(10)));
}

TEST_F(PeerEndpointsTest, AreTriedAgainWhenTheSessionHasEnded) {
  handshake_ago(PeerEndpoints::session_s - 1);
  EXPECT_EQ(wanted_at(seconds(0)), std::nullopt);
  handshake_ago(PeerEndpoints::session_s);
  EXPECT_EQ(wanted_at(seconds(5)), first);
  EXPECT_EQ(wanted_at(patience), second) << "since it last stood";
}

TEST_F(PeerEndpointsTest, AreTriedOfWhoIsDownWhateverTheKernelRemembers) {
  handshake_ago(1);
  down = true;
  EXPECT_EQ(wanted_at(seconds(0)), first);
}

TEST_F(PeerEndpointsTest, BeginWithWhereAHelloCameFrom) {
  hint = endpoint("192.0.2.200:51820");
  EXPECT_EQ(wanted_at(seconds(0)), hint);
  EXPECT_EQ(wanted_at(patience), first);
}

TEST_F(PeerEndpointsTest, PreferAnAddressOnOurOwnLink) {
  local = {Address::parse("10.0.0.2").value(), Address::parse("2001:db8::99").value()};
  EXPECT_EQ(wanted_at(seconds(0)), third);
  EXPECT_EQ(wanted_at(patience), first);
  endpoints.forget(id);
  local = {Address::parse("203.0.113.77").value()};
  EXPECT_EQ(wanted_at(2 * patience), second);
}

TEST_F(PeerEndpointsTest, NeverLieInsideTheMesh) {
  record.endpoints = {endpoint("10.99.0.5:51820"), endpoint("[fd00::5]:51820"), second};
  hint = endpoint("10.99.0.5:51820");
  for (int turn = 0; turn < 5; ++turn) EXPECT_EQ(wanted_at(turn * patience), second);
}

TEST_F(PeerEndpointsTest, AreNoAddressesThatNobodyCanHave) {
  record.endpoints = {endpoint("0.0.0.0:1"), endpoint("255.255.255.255:1"), endpoint("224.0.0.1:1"), endpoint("[fe80::1]:1")};
  EXPECT_EQ(wanted_at(seconds(0)), std::nullopt);
  EXPECT_EQ(wanted_at(patience), std::nullopt);
  EXPECT_EQ(endpoints.next_wakeup(), never);
}

TEST_F(PeerEndpointsTest, GoOnWithTheOneBeingTriedWhenTheListChanges) {
  judge(seconds(0));
  EXPECT_EQ(wanted_at(patience), second);
  record.endpoints = {third, second};
  EXPECT_EQ(wanted_at(patience + seconds(1)), second) << "its turn is not over";
  EXPECT_EQ(wanted_at(2 * patience), third);
}

TEST_F(PeerEndpointsTest, BeginAnewWhenTheOneBeingTriedIsGone) {
  judge(seconds(0));
  EXPECT_EQ(wanted_at(patience), second);
  record.endpoints = {third, first};
  EXPECT_EQ(wanted_at(patience + seconds(5)), third);
  EXPECT_EQ(wanted_at(2 * patience), third) << "each has its full time";
  EXPECT_EQ(wanted_at(2 * patience + seconds(5)), first);
}

TEST_F(PeerEndpointsTest, BeginAnewAfterARetry) {
  judge(seconds(0));
  EXPECT_EQ(wanted_at(patience), second);
  endpoints.retry(id);
  EXPECT_EQ(wanted_at(patience + seconds(1)), first);
}

TEST_F(PeerEndpointsTest, OfWhoAnnouncesNoneAreLeftToItsOwnCall) {
  record.endpoints.clear();
  EXPECT_FALSE(judge(seconds(0)));
  EXPECT_EQ(endpoints.wanted(id), std::nullopt);
}

}  // namespace
}  // namespace wigwag
