#include "netlink/tunnel_diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/netlink/model_kernel.hpp"
#include "tests/netlink/values.hpp"

namespace wigwag {
namespace {

using test::endpoint;
using test::key;
using test::ModelKernel;
using test::prefix;
using testing::ElementsAre;
using testing::IsEmpty;

const TunnelKey own = key(200);

// An interface that is up and as wanted but for what a test then changes.
struct Scene {
  DesiredTunnel desired;
  AppliedTunnel applied;
  ModelKernel kernel;
  DiffTerms terms;

  Scene() {
    desired.device = {own, 51820, 1420};
    applied.created = true;
    applied.public_key = own;
    kernel.own_key = own;
    kernel.state.exists = kernel.state.up = true;
    kernel.state.mtu = 1420;
    kernel.state.public_key = own;
    kernel.state.listen_port = 51820;
  }
  void want(TunnelPeer peer) { desired.tunnel.peers.push_back(std::move(peer)); }
  void have(TunnelPeerState state) { kernel.state.peers.push_back(std::move(state)); }
  void have_ours(TunnelPeerState state) {
    applied.peers.push_back({state.key, state.endpoint});
    have(std::move(state));
  }
  TunnelDiff diff() const { return diff_tunnel(desired, applied, kernel.state, terms); }
};

TunnelPeerState state_of(std::uint8_t n, const char* at, std::vector<Prefix> allowed) {
  return {.key = key(n),
          .endpoint = at ? std::optional(endpoint(at)) : std::nullopt,
          .allowed_ips = std::move(allowed),
          .keepalive = {}};
}

TEST(TunnelDiff, FindsNothingWhereAllIsAsWanted) {
  Scene scene;
  scene.want({key(1), endpoint("192.0.2.1:1"), {prefix("10.0.0.1/32")}, {}});
  scene.have_ours(state_of(1, "192.0.2.1:1", {prefix("10.0.0.1/32")}));
  EXPECT_TRUE(scene.diff().empty());
}

TEST(TunnelDiff, BuildsEverythingOnAMachineThatHasNothing) {
  Scene scene;
  scene.kernel.state = {};
  scene.applied = {};
  scene.want({key(1), endpoint("192.0.2.1:1"), {prefix("10.0.0.1/32")}, std::chrono::seconds{25}});
  scene.desired.tunnel.addresses = {prefix("10.0.0.9/32")};
  scene.desired.tunnel.routes = {{prefix("10.0.0.0/16"), RouteKind::unreachable, metric_last},
                                 {prefix("10.0.0.1/32"), RouteKind::through_tunnel, metric_direct}};
  std::vector<std::string> lines;
  for (const TunnelChange& change : scene.diff().changes) lines.push_back(to_string(change));
  EXPECT_THAT(
      lines,
      ElementsAre(
          "add unreachable route 10.0.0.0/16 metric 4294967294", "create the interface", "set MTU 1420", "set the private key",
          "set listen port 51820", "set the interface up", "add address 10.0.0.9/32",
          "add peer AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= (endpoint 192.0.2.1:1, allow 10.0.0.1/32, keepalive 25 s)",
          "add route 10.0.0.1/32 metric 100"));
}

TEST(TunnelDiff, LeavesARoamedEndpointToTheKernel) {
  Scene scene;
  scene.want({key(1), endpoint("192.0.2.9:9"), {}, {}});
  scene.have_ours(state_of(1, "192.0.2.1:1", {}));
  scene.kernel.state.peers[0].endpoint = endpoint("198.51.100.1:7");
  EXPECT_TRUE(scene.diff().empty());
}

TEST(TunnelDiff, OverwritesTheEndpointThatItWroteItself) {
  Scene scene;
  scene.want({key(1), endpoint("192.0.2.9:9"), {}, {}});
  scene.have_ours(state_of(1, "192.0.2.1:1", {}));
  ASSERT_EQ(scene.diff().changes.size(), 1u);
  EXPECT_EQ(std::get<SetPeer>(scene.diff().changes[0]).endpoint, endpoint("192.0.2.9:9"));
}

TEST(TunnelDiff, OverwritesARoamedEndpointOnceThePeerIsDown) {
  Scene scene;
  scene.want({key(1), endpoint("192.0.2.9:9"), {}, {}});
  scene.have_ours(state_of(1, "192.0.2.1:1", {}));
  scene.kernel.state.peers[0].endpoint = endpoint("198.51.100.1:7");
  scene.terms.down = {key(1)};
  EXPECT_EQ(scene.diff().changes.size(), 1u);
}

TEST(TunnelDiff, MovesAPrefixByOneAddAndNoRemoval) {
  Scene scene;
  scene.want({key(1), {}, {}, {}});
  scene.want({key(2), {}, {prefix("10.0.0.1/32")}, {}});
  scene.have_ours(state_of(1, nullptr, {prefix("10.0.0.1/32")}));
  scene.have_ours(state_of(2, nullptr, {}));
  const auto diff = scene.diff();
  ASSERT_EQ(diff.changes.size(), 1u);
  const auto& change = std::get<SetPeer>(diff.changes[0]);
  EXPECT_EQ(change.key, key(2));
  EXPECT_THAT(change.add, ElementsAre(prefix("10.0.0.1/32")));
  EXPECT_FALSE(change.replace);
}

TEST(TunnelDiff, DropsAPrefixByReplacingOnlyWhereTheKernelCannotRemoveOne) {
  Scene scene;
  scene.want({key(1), {}, {prefix("10.0.0.1/32")}, {}});
  scene.have_ours(state_of(1, nullptr, {prefix("10.0.0.1/32"), prefix("10.0.0.2/32")}));
  const auto replaced = std::get<SetPeer>(scene.diff().changes.at(0));
  EXPECT_TRUE(replaced.replace);
  EXPECT_THAT(replaced.add, ElementsAre(prefix("10.0.0.1/32")));
  scene.terms.removes_allowed_ip = true;
  const auto removed = std::get<SetPeer>(scene.diff().changes.at(0));
  EXPECT_FALSE(removed.replace);
  EXPECT_THAT(removed.add, IsEmpty());
  EXPECT_THAT(removed.remove, ElementsAre(prefix("10.0.0.2/32")));
}

TEST(TunnelDiff, ReportsAForeignPeersPrefixInsteadOfTakingIt) {
  Scene scene;
  scene.want({key(1), {}, {prefix("10.0.0.1/32"), prefix("10.0.0.2/32")}, {}});
  scene.have_ours(state_of(1, nullptr, {prefix("10.0.0.2/32"), prefix("10.0.0.3/32")}));
  scene.have(state_of(9, nullptr, {prefix("10.0.0.1/32")}));
  const auto diff = scene.diff();
  EXPECT_THAT(diff.conflicts,
              ElementsAre(TunnelConflict{ConflictKind::allowed_ip_of_foreign_peer, prefix("10.0.0.1/32"), key(9), 0}));
  // Replacing must not take it either.
  EXPECT_THAT(std::get<SetPeer>(diff.changes.at(0)).add, ElementsAre(prefix("10.0.0.2/32")));
}

TEST(TunnelDiff, ReportsAForeignRouteInItsPlace) {
  Scene scene;
  scene.desired.tunnel.routes = {{prefix("10.0.0.1/32"), RouteKind::through_tunnel, metric_direct}};
  scene.kernel.state.routes = {{prefix("10.0.0.1/32"), RouteTarget::this_tunnel, metric_direct, false}};
  EXPECT_TRUE(scene.diff().empty());
  EXPECT_THAT(scene.diff().conflicts,
              ElementsAre(TunnelConflict{ConflictKind::foreign_route, prefix("10.0.0.1/32"), {}, metric_direct}));
}

TEST(TunnelDiff, LeavesAnotherNetworksUnreachableRouteAlone) {
  Scene scene;
  scene.kernel.state.routes = {{prefix("10.7.0.0/16"), RouteTarget::unreachable, metric_last, true}};
  EXPECT_TRUE(scene.diff().empty());
  EXPECT_THAT(diff_teardown(scene.applied, scene.kernel.state).changes, ElementsAre(TunnelChange{RemoveInterface{}}));
}

TEST(TunnelDiff, LeavesOutItsOwnKeyAsAPeer) {
  Scene scene;
  scene.want({own, {}, {prefix("10.0.0.1/32")}, {}});
  EXPECT_TRUE(scene.diff().empty());
  EXPECT_EQ(scene.diff().conflicts.at(0).kind, ConflictKind::own_key_as_peer);
}

TEST(Teardown, KeepsTheInterfaceForAForeignPeerAndTakesTheRest) {
  Scene scene;
  scene.have_ours(state_of(1, nullptr, {prefix("10.0.0.1/32")}));
  scene.have(state_of(9, nullptr, {prefix("10.0.0.9/32")}));
  scene.applied.addresses = {prefix("10.0.0.5/32")};
  scene.kernel.state.addresses = {prefix("10.0.0.5/32")};
  scene.applied.routes = {{prefix("10.0.0.0/16"), RouteKind::unreachable, metric_last}};
  scene.kernel.state.routes = {ModelKernel::as_actual(scene.applied.routes[0])};
  const auto plan = diff_teardown(scene.applied, scene.kernel.state);
  for (const TunnelChange& change : plan.changes) EXPECT_EQ(scene.kernel.apply(change), "") << to_string(change);
  EXPECT_EQ(plan.kept_for.size(), 1u);
  EXPECT_TRUE(scene.kernel.state.exists);
  ASSERT_EQ(scene.kernel.state.peers.size(), 1u);
  EXPECT_EQ(scene.kernel.state.peers[0].key, key(9));
  EXPECT_THAT(scene.kernel.state.addresses, IsEmpty());
  EXPECT_THAT(scene.kernel.state.routes, IsEmpty());
}

TEST(Teardown, KeepsAForeignAddressAndAForeignRoute) {
  Scene scene;
  scene.kernel.state.addresses = {{*Address::parse("192.0.2.5"), 24}};
  scene.kernel.state.routes = {{prefix("192.0.2.128/25"), RouteTarget::this_tunnel, 0, false}};
  const auto plan = diff_teardown(scene.applied, scene.kernel.state);
  EXPECT_THAT(plan.changes, IsEmpty());
  EXPECT_THAT(plan.kept_for, ElementsAre("route 192.0.2.128/25 metric 0", "address 192.0.2.5/24"));
}

TEST(AppliedTunnel, ClaimsBeforeWritingAndForgetsWhatIsGone) {
  Scene scene;
  scene.applied.peers = {{key(1), endpoint("192.0.2.1:1")}};
  scene.want({key(2), endpoint("192.0.2.2:2"), {}, {}});
  const auto claimed = claim(scene.desired, scene.applied);
  EXPECT_THAT(claimed.peers, ElementsAre(AppliedPeer{key(1), endpoint("192.0.2.1:1")}, AppliedPeer{key(2), std::nullopt}));
  for (const TunnelChange& change : scene.diff().changes) ASSERT_EQ(scene.kernel.apply(change), "");
  EXPECT_THAT(settle(scene.desired, claimed, scene.kernel.state).peers,
              ElementsAre(AppliedPeer{key(2), endpoint("192.0.2.2:2")}));
}

}  // namespace
}  // namespace wigwag
