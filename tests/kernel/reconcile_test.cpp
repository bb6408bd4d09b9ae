#include "tests/kernel/rig.hpp"

namespace wigwag::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Reconcile : public KernelTest {
 protected:
  // A peer with a route, on top of the plain wish.
  DesiredTunnel with_peer() {
    DesiredTunnel desired = wish(1, 51901);
    add_peer(desired, {key(2), at_port(51902), {prefix("10.99.0.2/32"), prefix("fd99::2/128")}, std::chrono::seconds{25}});
    return desired;
  }
  std::unique_ptr<Rig> rig(AppliedTunnel applied = {}) {
    return std::make_unique<Rig>(io, open_host("wigwag0"), std::move(applied));
  }
  void expect_settles(Rig& on) {
    EXPECT_TRUE(run_until([&on] { return on.reconciler->settled(); })) << on.log();
  }
};

TEST_F(Reconcile, BuildsTheWholeInterface) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  EXPECT_TRUE(on->told(TunnelEventKind::created));
  const auto shown = sh("wg show wigwag0 dump");
  EXPECT_THAT(shown, HasSubstr(to_base64(key(1)) + "\t51901\t"));
  EXPECT_THAT(shown, HasSubstr(to_base64(key(2)) + "\t(none)\t127.0.0.1:51902\t10.99.0.2/32,fd99::2/128\t"));
  EXPECT_THAT(sh("ip link show wigwag0"), HasSubstr("mtu 1400"));
  EXPECT_THAT(sh("ip -4 addr show wigwag0"), HasSubstr("inet 10.99.0.1/32"));
  EXPECT_THAT(sh("ip -6 addr show wigwag0"), HasSubstr("inet6 fd99::1/128"));
  EXPECT_THAT(sh("ip -6 addr show wigwag0"), Not(HasSubstr("fe80")));
  EXPECT_THAT(sh("ip -4 route show proto 155"), HasSubstr("10.99.0.2 dev wigwag0 scope link metric 100"));
  EXPECT_THAT(sh("ip -4 route show proto 155"), HasSubstr("unreachable 10.99.0.0/16 metric 4294967294"));
  EXPECT_THAT(sh("ip -6 route show proto 155"), HasSubstr("fd99::2 dev wigwag0 metric 100"));
  EXPECT_THAT(sh("ip -6 route show proto 155"), HasSubstr("unreachable fd99::/48 dev lo metric 4294967294"));
  EXPECT_FALSE(succeeds("ip route get 10.99.7.7"));
  EXPECT_TRUE(run(on->reconciler->plan())->empty());
}

TEST_F(Reconcile, PutsTheClaimOnDiskBeforeItWrites) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  ASSERT_GE(on->stored.size(), 2u);
  EXPECT_EQ(on->stored.front().peers, (std::vector<AppliedPeer>{{key(2), std::nullopt}}));
  EXPECT_EQ(on->stored.back().peers, (std::vector<AppliedPeer>{{key(2), at_port(51902)}}));
  EXPECT_TRUE(on->stored.back().created);
}

TEST_F(Reconcile, WritesNothingWhenRestarted) {
  auto first = rig();
  first->want(with_peer(), 1);
  expect_settles(*first);
  const auto applied = first->stored.back();
  first.reset();
  auto second = rig(applied);
  second->want(with_peer(), 1);
  expect_settles(*second);
  EXPECT_EQ(second->written, 0u);
  EXPECT_TRUE(second->told(TunnelEventKind::adopted)) << second->log();
}

TEST_F(Reconcile, TakesOverItsInterfaceEvenWithoutMemory) {
  auto first = rig();
  first->want(with_peer(), 1);
  expect_settles(*first);
  first.reset();
  auto second = rig();
  second->want(with_peer(), 1);
  expect_settles(*second);
  EXPECT_EQ(second->written, 0u);
  EXPECT_TRUE(second->stored.back().created);
}

TEST_F(Reconcile, CreatesADeletedInterfaceAgain) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  sh("ip link del wigwag0");
  EXPECT_TRUE(run_until([&] { return on->told(TunnelEventKind::deleted_by_other); }, std::chrono::seconds{5})) << on->log();
  EXPECT_THAT(sh("wg show wigwag0 allowed-ips"), HasSubstr("10.99.0.2/32"));
  EXPECT_THAT(sh("ip route show dev wigwag0"), HasSubstr("10.99.0.2"));
  EXPECT_THAT(on->log(), HasSubstr("interface wigwag0 was deleted by someone else: created again"));
}

TEST_F(Reconcile, SetsAnInterfaceUpThatWasSetDown) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  sh("ip link set wigwag0 down");
  EXPECT_TRUE(run_until([&] { return on->told(TunnelEventKind::set_down_by_other); }, std::chrono::seconds{5})) << on->log();
  // Going down took the IPv4 routes silently, and the IPv6 addresses.
  EXPECT_THAT(sh("ip route show dev wigwag0"), HasSubstr("10.99.0.2"));
  EXPECT_THAT(sh("ip -6 route show dev wigwag0"), HasSubstr("fd99::2"));
  EXPECT_THAT(sh("ip -6 addr show wigwag0"), HasSubstr("fd99::1/128"));
}

TEST_F(Reconcile, SurvivesAQuickFlap) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  sh("ip link set wigwag0 down; ip link set wigwag0 up");
  EXPECT_TRUE(run_until(
      [&] { return succeeds("ip route show dev wigwag0 | grep -q 10.99.0.2 && ip -6 addr show wigwag0 | grep -q fd99::1"); },
      std::chrono::seconds{5}))
      << on->log();
}

TEST_F(Reconcile, PutsBackTheUnreachableRoutesThatTheLoopbackTookAlong) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  sh("ip link set lo down");
  EXPECT_TRUE(run_until([] { return succeeds("ip -6 route show proto 155 | grep -q unreachable"); }, std::chrono::seconds{5}))
      << on->log();
}

TEST_F(Reconcile, PutsBackARemovedPeerAddressAndRoute) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  sh("wg set wigwag0 peer " + to_base64(key(2)) + " remove; ip addr del 10.99.0.1/32 dev wigwag0");
  // With the last IPv4 address the kernel drops the IPv4 routes.
  EXPECT_TRUE(run_until([&] { return on->told(TunnelEventKind::changed_by_other); }, std::chrono::seconds{5}));
  EXPECT_THAT(sh("wg show wigwag0 endpoints"), HasSubstr("127.0.0.1:51902"));
  EXPECT_THAT(sh("ip -4 addr show wigwag0"), HasSubstr("10.99.0.1/32"));
  EXPECT_THAT(sh("ip route show dev wigwag0"), HasSubstr("10.99.0.2"));
}

TEST_F(Reconcile, NeverTouchesWhatIsForeign) {
  auto on = rig();
  on->want(wish(1, 51901), 1);
  expect_settles(*on);
  const std::string peer = to_base64(made_up_key(9));
  sh("wg set wigwag0 peer " + peer + " allowed-ips 10.99.0.2/32,10.50.0.0/16 endpoint 127.0.0.1:9 persistent-keepalive 7");
  sh("ip addr add 192.0.2.7/24 dev wigwag0; ip route add 10.99.0.3/32 dev wigwag0 metric 100 proto static; ip route add "
     "10.50.0.0/16 dev wigwag0");
  DesiredTunnel desired = with_peer();
  add_peer(desired, {key(3), at_port(51903), {prefix("10.99.0.3/32")}, {}});
  on->want(desired, 1);
  expect_settles(*on);
  const auto unchanged = [&] {
    EXPECT_THAT(sh("wg show wigwag0 dump"), HasSubstr(peer + "\t(none)\t127.0.0.1:9\t10.99.0.2/32,10.50.0.0/16\t0\t"));
    EXPECT_THAT(sh("ip addr show wigwag0"), HasSubstr("192.0.2.7/24"));
    EXPECT_THAT(sh("ip route show proto static"), HasSubstr("10.99.0.3 dev wigwag0 scope link metric 100"));
    EXPECT_THAT(sh("ip route"), HasSubstr("10.50.0.0/16 dev wigwag0"));
  };
  unchanged();
  EXPECT_THAT(on->log(), HasSubstr("allowed IP 10.99.0.2/32 belongs to peer " + peer));
  EXPECT_THAT(on->log(), HasSubstr("a route to 10.99.0.3/32 with metric 100 exists"));

  // The wish shrinks, the daemon restarts, and in the end takes everything away.
  on->want(wish(1, 51901), 1);
  expect_settles(*on);
  unchanged();
  const auto applied = on->stored.back();
  on.reset();
  on = rig(applied);
  on->want(wish(1, 51901), 1);
  expect_settles(*on);
  const auto report = run(on->reconciler->teardown());
  EXPECT_TRUE(report.failures.empty());
  EXPECT_FALSE(report.interface_removed);
  EXPECT_EQ(report.kept_for.size(), 4u);
  unchanged();
  EXPECT_EQ(sh("wg show wigwag0 peers"), peer + "\n");
  EXPECT_THAT(sh("ip addr show wigwag0"), Not(HasSubstr("99")));
  EXPECT_EQ(sh("ip route show proto 155; ip -6 route show proto 155"), "");
}

TEST_F(Reconcile, LeavesNothingAfterTeardown) {
  sh("ip addr add 203.0.113.1/32 dev lo; ip route add 10.98.0.0/16 dev lo");
  const auto before = sh("ip -o link; ip -o addr; ip route show table all; ip -6 route show table all; ls /var/run/wireguard");
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  const auto report = run(on->reconciler->teardown());
  EXPECT_TRUE(report.interface_removed);
  EXPECT_TRUE(report.kept_for.empty());
  EXPECT_EQ(on->stored.back(), AppliedTunnel{});
  EXPECT_EQ(sh("ip -o link; ip -o addr; ip route show table all; ip -6 route show table all; ls /var/run/wireguard"), before);
  run_for(std::chrono::seconds{1});  // and the monitor does not bring it back
  EXPECT_FALSE(succeeds("ip link show wigwag0"));
}

TEST_F(Reconcile, RemovesAnInterfaceWhosePeersAreBeingRead) {
  auto on = rig();
  DesiredTunnel desired = wish(1, 51901);
  for (std::uint32_t n = 0; n < 2000; ++n) desired.tunnel.peers.push_back({made_up_key(n), {}, {}, {}});
  on->want(desired, 1);
  EXPECT_TRUE(run_until([&on] { return on->reconciler->settled(); }, std::chrono::seconds{60})) << on->log();
  on->reconciler->poll_every(std::chrono::milliseconds{1});
  run_for(std::chrono::milliseconds{20});
  EXPECT_TRUE(run(on->reconciler->teardown()).interface_removed);
}

TEST_F(Reconcile, TakesThePrefixFromAPeerThatLosesIt) {
  auto on = rig();
  DesiredTunnel before = wish(1, 51901), after = before;
  add_peer(before, {key(2), at_port(51902), {prefix("10.99.0.2/32"), prefix("10.99.0.3/32"), prefix("10.99.0.4/32")}, {}});
  add_peer(before, {key(3), at_port(51903), {}, {}});
  on->want(before, 1);
  expect_settles(*on);
  // One prefix stays, one moves, one goes.
  add_peer(after, {key(2), at_port(51902), {prefix("10.99.0.2/32")}, {}});
  add_peer(after, {key(3), at_port(51903), {prefix("10.99.0.3/32")}, {}});
  on->want(after, 1);
  expect_settles(*on);
  EXPECT_FALSE(on->told(TunnelEventKind::failed)) << on->log();
  const auto shown = sh("wg show wigwag0 allowed-ips");
  EXPECT_THAT(shown, HasSubstr(to_base64(key(2)) + "\t10.99.0.2/32\n"));
  EXPECT_THAT(shown, HasSubstr(to_base64(key(3)) + "\t10.99.0.3/32\n"));
}

TEST_F(Reconcile, SetsANewKeyAndPort) {
  auto on = rig();
  on->want(with_peer(), 1);
  expect_settles(*on);
  DesiredTunnel changed = with_peer();
  changed.device.public_key = key(4);
  changed.device.listen_port = 51904;
  on->want(changed, 4);
  expect_settles(*on);
  EXPECT_THAT(sh("wg show wigwag0 dump"), HasSubstr(to_base64(key(4)) + "\t51904\t"));
  EXPECT_EQ(on->stored.back().public_key, key(4));
}

TEST_F(Reconcile, RefusesAnInterfaceWithSomeoneElsesKey) {
  auto theirs = rig();
  theirs->want(with_peer(), 1);
  expect_settles(*theirs);
  const auto before = sh("wg show wigwag0 dump; ip addr show wigwag0");
  theirs.reset();
  auto ours = rig();
  ours->want(wish(5, 51905), 5);
  EXPECT_TRUE(run_until([&] { return ours->told(TunnelEventKind::failed); })) << ours->log();
  EXPECT_THAT(ours->log(), HasSubstr("private key that is not wigwag's"));
  EXPECT_EQ(sh("wg show wigwag0 dump; ip addr show wigwag0"), before);
  EXPECT_EQ(ours->written, 0u);
}

TEST_F(Reconcile, NamesThePortThatIsTaken) {
  auto blocker = std::make_unique<Rig>(io, open_host("other0"));
  blocker->want(wish(6, 51901), 6);
  expect_settles(*blocker);
  auto on = rig();
  on->want(with_peer(), 1);
  EXPECT_TRUE(run_until([&] { return on->told(TunnelEventKind::failed); })) << on->log();
  EXPECT_THAT(on->log(), HasSubstr("51901"));
  EXPECT_THAT(on->log(), HasSubstr("another program listens on this UDP port"));
  (void)run(blocker->reconciler->teardown());
  EXPECT_TRUE(run_until([&] { return on->told(TunnelEventKind::recovered); }, std::chrono::seconds{40})) << on->log();
}

TEST_F(Reconcile, TellsTheHostsOwnAddresses) {
  auto on = rig();
  on->want(wish(1, 51901), 1);
  expect_settles(*on);
  sh("ip link add eth9 type veth peer name eth9b && ip addr add 198.51.100.4/24 dev eth9 && ip -6 addr add 2001:db8::4/64 dev "
     "eth9 nodad && ip link set eth9 up && ip "
     "link set eth9b up");
  EXPECT_TRUE(run_until([&] {
    return on->addresses == std::vector{*Address::parse("198.51.100.4"), *Address::parse("2001:db8::4")};
  })) << on->addresses.size();
  sh("ip addr del 198.51.100.4/24 dev eth9");
  EXPECT_TRUE(run_until([&] { return on->addresses == std::vector{*Address::parse("2001:db8::4")}; }));
}

}  // namespace
}  // namespace wigwag::test
