#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/topology/endpoints.hpp"
#include "gossip/trust/hello_messages.hpp"
#include "tests/node/lone_node.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t other = 2;
const Endpoint works{Address::ipv4(0xC6336463U), 40000};

// A node with one tunnel that works, at an endpoint that nobody announced.
class Paths : public testing::Test {
 protected:
  Paths() {
    peer.key = lone.mesh.record_body(other).tunnel_key;
    peer.endpoint = works;
    peer.last_handshake_unix_s = lone.now.wall.seconds - 10;
    peer.rx_bytes = peer.tx_bytes = 1000;
    show();
    lone.kernel_shown = true;
  }
  void show() {
    lone.step(KernelSnapshot{{peer}, true});
    desired = lone.node->desired();
  }
  std::optional<Endpoint> wanted() const {
    const auto found = std::find_if(desired.peers.begin(), desired.peers.end(), [&](const TunnelPeer& p) { return p.key == peer.key; });
    check(found != desired.peers.end(), "it is planned");
    return found->endpoint;
  }
  PathKind path() { return lone.member(other)->path; }

  LoneNode lone;
  TunnelPeerState peer;
  Tunnel desired;
};

TEST_F(Paths, OutliveEveryStepOfTheWallClock) {
  ASSERT_EQ(path(), PathKind::direct);
  for (const std::int64_t step_s : {std::int64_t{600}, -std::int64_t{86400}, std::int64_t{400} * 86400}) {
    lone.now.wall.seconds += step_s;
    EXPECT_EQ(path(), PathKind::direct) << step_s;
    lone.advance_to(lone.now.at + seconds(5));
    peer.rx_bytes += 100, peer.tx_bytes += 100;
    show();
    EXPECT_EQ(path(), PathKind::direct) << step_s;
    EXPECT_EQ(wanted(), std::nullopt) << "the kernel's endpoint is left alone, " << step_s;
  }
}

TEST_F(Paths, EndWithTheirSessionThoughTheWallClockWentBack) {
  lone.now.wall.seconds -= 86400;
  lone.advance_to(lone.now.at + PeerEndpoints::session);
  show();
  EXPECT_EQ(path(), PathKind::none);
  EXPECT_NE(wanted(), std::nullopt);
}

TEST_F(Paths, AreKnownOfWhomWeLearnAfterTheKernelWasSeen) {
  constexpr std::uint64_t late = 5;
  TunnelPeerState theirs = peer;
  theirs.key = lone.mesh.record_body(late).tunnel_key;
  lone.step(KernelSnapshot{{peer, theirs}, true});
  ASSERT_EQ(lone.member(late), nullptr);
  lone.step(lone.from(other, Push{{lone.mesh.member(late)}}));
  ASSERT_NE(lone.member(late), nullptr);
  EXPECT_EQ(lone.member(late)->path, PathKind::direct);
}

// Two that moved at the same moment: each is suspected by the other again and again, and clears itself
// through the rest. That must not keep the other from seeking it where it says that it is.
TEST_F(Paths, AreGivenUpThoughThePeerClearsItselfThroughOthers) {
  std::uint32_t version = 1;
  for (int look = 0; look < 4; ++look) {
    ASSERT_EQ(wanted(), std::nullopt) << look;
    const std::uint64_t accuser = look % 2 == 0 ? 3 : 0;  // refuted less often than it takes to be ignored
    lone.step(lone.from(3, Push{{lone.mesh.accusation(accuser, other, {version, 0})}}));
    ASSERT_EQ(lone.member(other)->health, Health::suspect);
    lone.step(lone.from(3, Push{{lone.mesh.member(other, {++version, 0})}}));
    ASSERT_EQ(lone.member(other)->health, Health::alive);
    lone.advance_to(lone.now.at + seconds(5));
    peer.tx_bytes += 96;
    show();
  }
  const auto announced = lone.mesh.record_body(other).endpoints;
  ASSERT_FALSE(announced.empty());
  EXPECT_EQ(wanted(), announced.front());
}

// Whom a hello came from lately is sought where it came from, however many others have called.
TEST(Hints, OfThoseThatAreKnownFollowThemThoughTheTableIsFull) {
  constexpr std::uint64_t callers = 1100;  // more than there is room for
  LoneNode lone(callers + 2);
  const TunnelKey key = lone.mesh.record_body(other).tunnel_key;
  std::optional<Endpoint> wanted;
  std::uint32_t version = 1;
  Entropy entropy = fixed_entropy(77);
  const auto step = [&](const Input& input) {
    std::optional<Bytes> answer;
    for (auto& output : lone.node->step(lone.now, input)) {  // not LoneNode's own, which looks up receivers among fewer
      if (auto* sent = std::get_if<SendHello>(&output)) answer = std::move(sent->bytes);
    }
    for (const auto& peer : lone.node->desired().peers) {
      if (peer.key == key) wanted = peer.endpoint;
    }
    return answer;
  };
  const auto call_from = [&](std::uint64_t number, const Address& address) {
    HelloCaller caller(lone.mesh.network, entropy);
    const Bytes record = lone.mesh.record(number, {++version, 0}).wire;
    for (int messages = 0; messages < 6; ++messages) {
      const auto answer = step(HelloDatagram{{address, 40000}, caller.outgoing()});
      ASSERT_TRUE(answer);
      const auto progress = caller.receive(*answer, {lone.mesh.chain(number), record}, lone.mesh.identity(number), lone.mesh.verifier);
      ASSERT_TRUE(progress);
      if (progress->answer) return;
    }
    FAIL() << "no verdict";
  };
  step(KernelSnapshot{});
  const Address before = Address::ipv4(0xCB007101U), after = Address::ipv4(0xCB007102U);
  call_from(other, before);
  EXPECT_EQ(wanted, (Endpoint{before, 51820}));
  for (std::uint64_t number = 3; number < callers; ++number) call_from(number, Address::ipv4(0xC0A80000U + static_cast<std::uint32_t>(number)));
  call_from(other, after);
  EXPECT_EQ(wanted, (Endpoint{after, 51820}));
}

}  // namespace
}  // namespace wigwag
