#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "netlink/route_codec.hpp"
#include "netlink/socket.hpp"
#include "netlink/wireguard_codec.hpp"
#include "netlink/wireguard_uapi.hpp"
#include "tests/kernel/rig.hpp"

namespace wigwag::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Wireguard : public KernelTest {
 protected:
  void expect_settles(Rig& on) {
    EXPECT_TRUE(run_until([&on] { return on.reconciler->settled(); }, std::chrono::seconds{60})) << on.log();
  }

  // A node at the other end: its own interface, key and port, in the same namespace.
  std::unique_ptr<Rig> other_end(const std::string& interface, std::uint8_t secret_number, std::uint16_t port, std::uint8_t to,
                                 std::uint16_t to_port) {
    auto rig = std::make_unique<Rig>(io, open_host(interface));
    DesiredTunnel desired;
    desired.device = {key(secret_number), port, 1400};
    desired.tunnel.peers = {
        {key(to), at_port(to_port), {prefix("10.99.0." + std::to_string(to) + "/32")}, std::chrono::seconds{1}}};
    rig->want(desired, secret_number);
    expect_settles(*rig);
    return rig;
  }
  std::optional<Endpoint> endpoint_of(Rig& on, const TunnelKey& peer) {
    const auto peers = run(on.reconciler->snapshot());
    for (const TunnelPeerState& one : *peers)
      if (one.key == peer) return one.endpoint;
    return std::nullopt;
  }
};

TEST_F(Wireguard, TellsHandshakesAndTraffic) {
  Rig on(io, open_host("wigwag0"));
  DesiredTunnel desired = wish(1, 51901);
  add_peer(desired, {key(2), {}, {prefix("10.99.0.2/32")}, {}});
  on.want(desired, 1);
  expect_settles(on);
  const auto other = other_end("other0", 2, 51902, 1, 51901);
  on.reconciler->poll_every(std::chrono::milliseconds{100});
  ASSERT_TRUE(run_until([&] { return !on.peers.empty() && on.peers[0].last_handshake_unix_s != 0; })) << sh("wg show");
  EXPECT_EQ(on.peers[0].endpoint, at_port(51902));
  EXPECT_GT(on.peers[0].rx_bytes, 0u);
  EXPECT_GT(on.peers[0].tx_bytes, 0u);
}

TEST_F(Wireguard, KeepsARoamedEndpointUntilThePeerIsDown) {
  Rig on(io, open_host("wigwag0"));
  DesiredTunnel desired = wish(1, 51901);
  desired.tunnel.peers = {{key(2), at_port(51902), {prefix("10.99.0.2/32")}, {}}};
  on.want(desired, 1);
  expect_settles(on);
  // The peer speaks from another port than the one we were told.
  const auto roamed = other_end("other0", 2, 51903, 1, 51901);
  ASSERT_TRUE(run_until([&] { return endpoint_of(on, key(2)) == at_port(51903); })) << sh("wg show");
  const auto written = on.written;

  desired.tunnel.peers[0].endpoint = at_port(51904);
  on.want(desired, 1);
  expect_settles(on);
  EXPECT_EQ(endpoint_of(on, key(2)), at_port(51903));
  EXPECT_EQ(on.written, written);

  (void)run(roamed->reconciler->teardown());
  on.want(desired, 1, {key(2)});
  expect_settles(on);
  EXPECT_EQ(endpoint_of(on, key(2)), at_port(51904));
}

TEST_F(Wireguard, AcceptsItsOwnKeyAsAPeerAndDoesNothing) {
  const auto host = open_host("wigwag0");
  (void)run(host->apply({CreateInterface{}, SetPrivateKey{}, SetLinkUp{}}, secret(1)));
  SetPeer own;
  own.key = key(1);
  own.create = true;
  own.add = {prefix("10.99.0.9/32")};
  EXPECT_THAT(run(host->apply({own}, secret(1))), IsEmpty());
  EXPECT_THAT(*run(host->read_peers()), IsEmpty());
}

TEST_F(Wireguard, TakesAThousandPeersAndOneWithThousandsOfPrefixes) {
  Rig on(io, open_host("wigwag0"));
  DesiredTunnel desired = wish(1, 51901);
  const auto host_prefix = [](std::uint32_t n) { return Prefix::host(Address::ipv4(0x0a630000u + n)); };
  for (std::uint32_t n = 0; n < 1000; ++n) {
    std::vector<Prefix> allowed{host_prefix(n * 3), host_prefix(n * 3 + 1), host_prefix(n * 3 + 2)};
    desired.tunnel.peers.push_back({made_up_key(n), at_port(static_cast<std::uint16_t>(1000 + n)), allowed, {}});
  }
  TunnelPeer large{made_up_key(5000), {}, {}, {}};
  for (std::uint32_t n = 0; n < 3000; ++n) {
    Address address = *Address::parse("fd99:7::");
    address.bytes[14] = static_cast<std::uint8_t>(n >> 8);
    address.bytes[15] = static_cast<std::uint8_t>(n);
    large.allowed_ips.push_back(Prefix::host(address));
  }
  desired.tunnel.peers.push_back(large);
  on.want(desired, 1);
  expect_settles(on);
  EXPECT_FALSE(on.told(TunnelEventKind::failed)) << on.log();
  EXPECT_EQ(sh("wg show wigwag0 peers | wc -l"), "1001\n");
  EXPECT_EQ(sh("wg show wigwag0 allowed-ips | wc -w"), std::to_string(1001 + 3000 + 3000) + "\n");

  // Half go, and the large one loses every second prefix.
  std::vector<TunnelPeer> fewer;
  for (TunnelPeer& peer : desired.tunnel.peers)
    if (peer.key.bytes[0] % 2 == 0 || peer.allowed_ips.size() > 3) fewer.push_back(peer);
  for (TunnelPeer& peer : fewer)
    if (peer.allowed_ips.size() > 3)
      std::erase_if(peer.allowed_ips, [](const Prefix& one) { return one.address.bytes[15] % 2 == 0; });
  desired.tunnel.peers = fewer;
  on.want(desired, 1);
  expect_settles(on);
  EXPECT_FALSE(on.told(TunnelEventKind::failed)) << on.log();
  EXPECT_EQ(sh("wg show wigwag0 peers | wc -l"), std::to_string(fewer.size()) + "\n");
  EXPECT_EQ(sh("wg show wigwag0 allowed-ips | wc -w"), std::to_string(fewer.size() + (fewer.size() - 1) * 3 + 1500) + "\n");
}

TEST_F(Wireguard, ReadsWholeListsWhileTheyChange) {
  Rig on(io, open_host("wigwag0"));
  DesiredTunnel desired = wish(1, 51901);
  for (std::uint32_t n = 0; n < 600; ++n)
    desired.tunnel.peers.push_back(
        {made_up_key(n), {}, {Prefix::host(Address::ipv4(0x0a630000u + n)), Prefix::host(Address::ipv4(0x0a640000u + n))}, {}});
  on.want(desired, 1);
  expect_settles(on);
  const auto reader = open_host("wigwag0"), writer = open_host("wigwag0");
  bool reading = true;
  std::size_t writes = 0;
  const auto write = [&]() -> boost::asio::awaitable<void> {
    while (reading) {
      SetPeer extra;
      extra.key = made_up_key(9000 + static_cast<std::uint32_t>(writes % 3));
      extra.create = true;
      extra.add.push_back(Prefix::host(Address::ipv4(0x0a650000u)));
      std::vector<TunnelChange> changes;
      if (writes % 2 == 0)
        changes.emplace_back(extra);
      else
        changes.emplace_back(RemovePeer{made_up_key(9000 + static_cast<std::uint32_t>((writes - 1) % 3))});
      (void)co_await writer->apply(std::move(changes), TunnelSecret{});
      ++writes;
      co_await pause_for(std::chrono::milliseconds{3});
    }
  };
  boost::asio::co_spawn(io, write(), boost::asio::detached);
  std::size_t reads = 0;
  for (int i = 0; i < 20; ++i) {
    const auto peers = run(reader->read_peers());
    if (!peers) {
      EXPECT_EQ(peers.error().fault, NetFault::busy) << to_string(peers.error());
      continue;
    }
    ++reads;
    const auto whole =
        std::count_if(peers->begin(), peers->end(), [](const TunnelPeerState& one) { return one.allowed_ips.size() == 2; });
    EXPECT_EQ(whole, 600);
  }
  reading = false;
  run_for(std::chrono::milliseconds{200});
  EXPECT_GT(reads, 0u);
  EXPECT_GT(writes, 0u);
}

TEST_F(Wireguard, SaysThatADumpWasInterrupted) {
  if (!in_kernel()) GTEST_SKIP() << "wireguard-go answers under a lock";
  Rig on(io, open_host("wigwag0"));
  DesiredTunnel desired = wish(1, 51901);
  for (std::uint32_t n = 0; n < 1500; ++n) desired.tunnel.peers.push_back({made_up_key(n), {}, {}, {}});
  on.want(desired, 1);
  expect_settles(on);
  auto asking = NetlinkSocket::open(io.get_executor(), NETLINK_GENERIC);
  FamilyReader family;
  ASSERT_TRUE(run((*asking)->ask(encode_get_family(wg::family_name), &family, "find WireGuard")));
  auto handle = NetlinkHandle::open(io.get_executor(), NETLINK_GENERIC);
  ASSERT_EQ((*handle)->bind(0), 0);
  Message question = encode_get_device(*family.id(), "wigwag0");
  ASSERT_EQ((*handle)->send(question.seal(1)), 0);
  sh("wg set wigwag0 peer " + to_base64(made_up_key(3)) + " remove");
  bool interrupted = false, done = false;
  while (!done) {
    int code = 0;
    MessageReader messages((*handle)->receive(code));
    ASSERT_EQ(code, 0);
    while (const auto one = messages.next()) {
      interrupted |= (one->header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      done |= one->header.nlmsg_type == NLMSG_DONE;
    }
  }
  EXPECT_TRUE(interrupted);
}

TEST_F(Wireguard, AnswersOneDumpPerSocketSoQuestionsTakeTurns) {
  for (int n = 0; n < 40; ++n)
    sh("for i in $(seq 0 49); do echo route add 10.7." + std::to_string(n) + ".$i dev lo; done | ip -batch -");
  auto handle = NetlinkHandle::open(io.get_executor(), NETLINK_ROUTE);
  ASSERT_EQ((*handle)->bind(0), 0);
  Message first = encode_dump_routes(Family::ipv4), second = encode_dump_routes(Family::ipv4);
  ASSERT_EQ((*handle)->send(first.seal(1)), 0);
  ASSERT_EQ((*handle)->send(second.seal(2)), 0);
  bool refused = false, done = false;
  while (!done) {
    int code = 0;
    MessageReader messages((*handle)->receive(code));
    ASSERT_EQ(code, 0);
    while (const auto one = messages.next()) {
      refused |=
          one->header.nlmsg_type == NLMSG_ERROR && read_fixed<nlmsgerr>(one->body)->error == -EBUSY && one->header.nlmsg_seq == 2;
      done |= one->header.nlmsg_type == NLMSG_DONE;
    }
  }
  EXPECT_TRUE(refused);

  auto socket = NetlinkSocket::open(io.get_executor(), NETLINK_ROUTE);
  std::vector<std::size_t> found;
  for (int n = 0; n < 3; ++n) {
    const auto ask = [&]() -> boost::asio::awaitable<void> {
      ListReader<KernelRoute> routes(RTM_NEWROUTE, decode_route, 100'000);
      const auto asked = co_await (*socket)->ask(encode_dump_routes(Family::ipv4), &routes, "read the routes");
      found.push_back(asked ? routes.items.size() : 0);
    };
    boost::asio::co_spawn(io, ask, boost::asio::detached);
  }
  ASSERT_TRUE(run_until([&] { return found.size() == 3; }));
  for (const std::size_t one : found) EXPECT_GE(one, 2000u);
}

TEST_F(Wireguard, RemovesOneAllowedIpOrSaysThatItCannot) {
  const auto host = open_host("wigwag0");
  SetPeer peer;
  peer.key = made_up_key(1);
  peer.create = true;
  peer.add = {prefix("10.99.0.1/32"), prefix("10.99.0.2/32")};
  ASSERT_THAT(run(host->apply({CreateInterface{}, SetPrivateKey{}, SetLinkUp{}, peer}, secret(1))), IsEmpty());
  ASSERT_TRUE(host->removes_allowed_ip());  // not tried yet
  SetPeer less;
  less.key = made_up_key(1);
  less.remove = {prefix("10.99.0.2/32")};
  const auto failures = run(host->apply({less}, secret(1)));
  const auto left = (*run(host->read_peers()))[0].allowed_ips;
  if (host->removes_allowed_ip()) {
    EXPECT_THAT(failures, IsEmpty());
    EXPECT_EQ(left, (std::vector{prefix("10.99.0.1/32")}));
  } else {
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].fault, NetFault::busy);
    EXPECT_EQ(left.size(), 2u);
  }
}

TEST_F(Wireguard, RefusesAnInterfaceOfAnotherKind) {
  sh("ip link add wigwag0 type veth peer name other0; ip tuntap add dev tun7 mode tun");
  for (const std::string name : {"wigwag0", "tun7"}) {
    const auto host = run(open_tunnel_host(io.get_executor(), name, BackendChoice::automatic, derive));
    ASSERT_FALSE(host);
    EXPECT_EQ(host.error().fault, NetFault::foreign_device);
    EXPECT_THAT(to_string(host.error()), HasSubstr(name + ": it exists and is no WireGuard interface"));
  }
  EXPECT_FALSE(run(open_tunnel_host(io.get_executor(), "../evil", BackendChoice::automatic, derive)));
}

TEST_F(Wireguard, SaysWhatToInstallWhereThereIsNone) {
  const auto kind = in_kernel() ? BackendChoice::userspace : BackendChoice::automatic;
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  const auto host = run(open_tunnel_host(io.get_executor(), "wigwag0", kind, derive));
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().fault, NetFault::no_backend);
  EXPECT_THAT(to_string(host.error()), HasSubstr("install the kernel module (modprobe wireguard) or the package wireguard-go"));
}

TEST_F(Wireguard, StartsWireguardGoApartFromItself) {
  // A descriptor of ours that nobody has marked as not to be inherited.
  const int ours = ::open("/etc/hostname", O_RDONLY);
  Rig on(io, open_host("detach0", BackendChoice::userspace));
  on.want(wish(1, 51901), 1);
  expect_settles(on);
  EXPECT_EQ(on.reconciler->backend(), BackendKind::userspace);
  const auto pid = sh("pgrep -f 'wireguard-g[o] detach0'");
  const auto about = "/proc/" + pid.substr(0, pid.find('\n'));
  EXPECT_NE(sh("awk '{print $4}' " + about + "/stat"), std::to_string(::getpid()) + "\n");
  EXPECT_NE(sh("awk '{print $6}' " + about + "/stat"), std::to_string(::getsid(0)) + "\n");
  EXPECT_THAT(sh("ls -l " + about + "/fd"), testing::Not(HasSubstr("/etc/hostname")));
  EXPECT_EQ(sh("ps --ppid " + std::to_string(::getpid()) + " -o stat= | grep -c Z || true"), "0\n");
  ::close(ours);
  const auto report = run(on.reconciler->teardown());
  EXPECT_TRUE(report.interface_removed);
  EXPECT_FALSE(succeeds("test -e /var/run/wireguard/detach0.sock"));
}

TEST_F(Wireguard, StartsAgainWhenWireguardGoIsKilled) {
  Rig on(io, open_host("killed0", BackendChoice::userspace));
  on.want(wish(1, 51901), 1);
  expect_settles(on);
  sh("kill -9 $(pgrep -f 'wireguard-g[o] killed0')");
  EXPECT_TRUE(run_until([&] { return on.told(TunnelEventKind::deleted_by_other); }, std::chrono::seconds{15})) << on.log();
  EXPECT_THAT(sh("ip -4 addr show killed0"), HasSubstr("10.99.0.1/32"));
  (void)run(on.reconciler->teardown());
}

}  // namespace
}  // namespace wigwag::test
