#include <gtest/gtest.h>

#include <set>

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
    const PeerEndpoints::Facts facts{record, hint, local, mesh, others, down};
    return endpoints.judge(id, facts, start + since_start);
  }
  std::optional<Endpoint> wanted_at(Duration since_start) {
    judge(since_start);
    return endpoints.wanted(id);
  }
  // The kernel is looked at, by a wall clock that is as far ahead as said.
  void look(Duration since_start, std::int64_t wall_step_s = 0) {
    const auto since_start_s = since_start / seconds(1);
    endpoints.look(id, record.tunnel_key, &kernel, {start + since_start, UnixTime{wall + since_start_s + wall_step_s}});
  }
  void handshake_ago(std::int64_t age_s) { kernel.last_handshake_unix_s = wall - age_s; }

  static constexpr Duration patience = PeerEndpoints::candidate_patience;
  const Endpoint first = endpoint("198.51.100.1:51820"), second = endpoint("203.0.113.2:51820"), third = endpoint("[2001:db8::3]:51820");
  const Instant start = Instant{} + hours(1);
  PeerEndpoints endpoints;
  NodeId id;
  Record record;
  TunnelPeerState kernel;
  std::optional<Endpoint> hint;
  std::vector<Address> local;
  std::vector<Prefix> mesh{prefix_of("10.99.0.0/16"), prefix_of("fd00::/48")};
  std::vector<Endpoint> others;
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
  look(seconds(5));
  EXPECT_TRUE(judge(seconds(5))) << "what is wanted has changed";
  EXPECT_EQ(endpoints.wanted(id), std::nullopt);
  EXPECT_EQ(endpoints.next_wakeup(), never);
  EXPECT_FALSE(judge(seconds(10)));
}

TEST_F(PeerEndpointsTest, AreTriedAgainWhenTheSessionHasEnded) {
  handshake_ago(100);
  look(seconds(0));
  const Duration end = PeerEndpoints::session - seconds(100);
  EXPECT_EQ(wanted_at(end - moment), std::nullopt);
  EXPECT_EQ(wanted_at(end), first);
  EXPECT_EQ(wanted_at(end - moment + patience), second) << "since it last stood";
}

TEST_F(PeerEndpointsTest, AreTriedWhereTheKernelRemembersAnOldSession) {
  handshake_ago(180);
  look(seconds(0));
  EXPECT_EQ(wanted_at(seconds(0)), first);
}

TEST_F(PeerEndpointsTest, BelongToTheKernelWithEveryNewHandshake) {
  look(seconds(0));
  for (int handshakes = 0; handshakes < 5; ++handshakes) {
    const Duration at = handshakes * seconds(170);
    kernel.last_handshake_unix_s = wall + at / seconds(1);
    look(at);
    EXPECT_EQ(wanted_at(at), std::nullopt);
    EXPECT_EQ(wanted_at(at + seconds(169)), std::nullopt);
  }
}

// A machine without a clock of its own: its tunnels are up before the network tells it the time.
TEST_F(PeerEndpointsTest, StayTheKernelsWhereverTheWallClockIsSet) {
  for (const std::int64_t step_s : {std::int64_t{180}, std::int64_t{50} * 365 * 86400, -std::int64_t{86400}}) {
    endpoints.forget(id);
    handshake_ago(10);
    look(seconds(0));
    look(seconds(5), step_s);
    EXPECT_TRUE(endpoints.stands(id, start + seconds(5))) << step_s;
    EXPECT_EQ(wanted_at(seconds(5)), std::nullopt) << step_s;
    endpoints.moved(id);
    EXPECT_EQ(wanted_at(seconds(6)), std::nullopt) << "though we moved as well, " << step_s;
    look(seconds(170), step_s);
    EXPECT_FALSE(endpoints.stands(id, start + seconds(170))) << "nor does an old session live longer, " << step_s;
  }
}

TEST_F(PeerEndpointsTest, StayTheKernelsWhenItsHandshakeSeemsYetToCome) {
  handshake_ago(-1000);
  look(seconds(0));
  EXPECT_EQ(wanted_at(PeerEndpoints::session - moment), std::nullopt);
  EXPECT_EQ(wanted_at(PeerEndpoints::session), first) << "but not for ever";
}

TEST_F(PeerEndpointsTest, AreTriedAgainUnderANewKey) {
  handshake_ago(1);
  look(seconds(0));
  ASSERT_TRUE(endpoints.looked_at(id, record.tunnel_key));
  record.tunnel_key.bytes.fill(9);
  EXPECT_FALSE(endpoints.looked_at(id, record.tunnel_key));
  kernel = {};
  look(seconds(1));
  EXPECT_FALSE(endpoints.stands(id, start + seconds(1)));
  EXPECT_EQ(wanted_at(seconds(1)), first);
}

TEST_F(PeerEndpointsTest, AreTriedOfWhoIsDownWhateverTheKernelRemembers) {
  handshake_ago(1);
  look(seconds(0));
  down = true;
  EXPECT_EQ(wanted_at(seconds(0)), first);
}

TEST_F(PeerEndpointsTest, BeginWithWhereAHelloCameFrom) {
  hint = endpoint("192.0.2.200:51820");
  EXPECT_EQ(wanted_at(seconds(0)), hint);
  EXPECT_EQ(wanted_at(patience), first);
}

TEST_F(PeerEndpointsTest, AreOnThisMachineOnlyIfAHelloWas) {
  hint = endpoint("127.0.0.1:51821");
  record.endpoints = {endpoint("127.0.0.1:53"), first};
  EXPECT_EQ(wanted_at(seconds(0)), hint);
  EXPECT_EQ(wanted_at(patience), first);
  EXPECT_EQ(wanted_at(2 * patience), hint) << "and nothing else";
}

// Whose key a member copied must not be sought where the copier says, however often it says so.
TEST_F(PeerEndpointsTest, OfThoseWhoShareItsKeyComeLast) {
  record.endpoints = {first, second};
  others = {endpoint("127.0.0.1:53"), third};
  EXPECT_EQ(wanted_at(seconds(0)), first);
  for (std::uint16_t port = 1; port <= 10; ++port) {
    others = {Endpoint{third.address, port}};
    EXPECT_EQ(wanted_at(port * milliseconds(100)), first) << "what they newly announce is not tried first";
  }
  EXPECT_EQ(wanted_at(patience), second);
  EXPECT_EQ(wanted_at(2 * patience), others[0]);
  EXPECT_EQ(wanted_at(3 * patience), first);
  for (std::uint16_t port = 20; port < 40; ++port) others.push_back({third.address, port});
  std::set<std::optional<Endpoint>> tried;
  for (int turn = 4; turn < 40; ++turn) tried.insert(wanted_at(turn * patience));
  EXPECT_EQ(tried.size(), 2 + PeerEndpoints::others_max) << "a few of them";
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
  record.endpoints = {endpoint("0.0.0.0:1"), endpoint("255.255.255.255:1"), endpoint("224.0.0.1:1"), endpoint("[fe80::1]:1"),
                      endpoint("127.0.0.1:53"), endpoint("127.8.9.10:53"), endpoint("[::1]:53"), endpoint("[::ffff:127.0.0.1]:53")};
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
