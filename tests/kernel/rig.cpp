#include "tests/kernel/rig.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "gossip/trust/crypto.hpp"

namespace wigwag::test {

std::string sh(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return "";
  std::array<char, 4096> chunk;
  while (const auto got = std::fread(chunk.data(), 1, chunk.size(), pipe)) output.append(chunk.data(), got);
  const int status = ::pclose(pipe);
  EXPECT_EQ(status, 0) << command << "\n" << output;
  return output;
}

bool succeeds(const std::string& command) {
  FILE* pipe = ::popen((command + " >/dev/null 2>&1").c_str(), "r");
  return pipe && ::pclose(pipe) == 0;
}

TunnelSecret secret(std::uint8_t n) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(n);
  // Clamped as WireGuard does on its own, so that what is read back is what was set.
  bytes[0] &= 248;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 127) | 64);
  return TunnelSecret(bytes);
}
TunnelKey derive(const TunnelSecret& from) { return public_key(from); }
TunnelKey key(std::uint8_t n) { return public_key(secret(n)); }

TunnelKey made_up_key(std::uint32_t n) {
  TunnelKey made;
  made.bytes.fill(0x5a);
  for (std::size_t i = 0; i < 4; ++i) made.bytes[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return made;
}

Prefix prefix(const std::string& text) {
  const auto parsed = Prefix::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Prefix{});
}
Endpoint at_port(std::uint16_t port) { return {Address::ipv4(0x7f000001), port}; }

void KernelTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("tmpfs", "/run", "tmpfs", 0, nullptr), 0);
  sh("mkdir -p /var/run/wireguard && ip link set lo up");
  ASSERT_TRUE(start_crypto());
}

// A wireguard-go lives on in the namespace until its interface goes.
void KernelTest::TearDown() {
  // A dump that a test left half read keeps its interface from going.
  run_for(std::chrono::milliseconds{100});
  if (::geteuid() == 0)
    succeeds(
        "for i in $(ip -o link show type wireguard | cut -d: -f2) $(ip -o link show type tun | cut -d: -f2); do ip link del $i; "
        "done; rm -f /var/run/wireguard/*.sock; umount /run");
}

bool KernelTest::run_until(const std::function<bool()>& holds, std::chrono::milliseconds patience) {
  const char* factor = ::getenv("WIGWAG_TEST_FACTOR");
  const auto end = std::chrono::steady_clock::now() + patience * (factor ? std::max(1, std::atoi(factor)) : 1);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    io.restart();
    io.run_for(std::chrono::milliseconds{20});
  }
  return true;
}

void KernelTest::run_for(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  (void)run_until([end] { return std::chrono::steady_clock::now() > end; }, time * 2);
}

std::unique_ptr<TunnelHost> KernelTest::open_host(const std::string& interface, BackendChoice choice) {
  auto host = run(open_tunnel_host(io.get_executor(), interface, choice, derive));
  EXPECT_TRUE(host) << (host ? "" : to_string(host.error()));
  return host ? std::move(*host) : nullptr;
}

bool KernelTest::in_kernel() { return open_host("probe")->backend() == BackendKind::kernel; }

Rig::Rig(boost::asio::io_context& io, std::unique_ptr<TunnelHost> host, AppliedTunnel applied) {
  const std::string name = host->interface();
  Reconciler::Calls calls;
  calls.persist = [this](AppliedTunnel now) -> boost::asio::awaitable<bool> {
    // By way of the disk format, as the daemon does.
    stored.push_back(*decode_applied(encode_applied(now)));
    co_return true;
  };
  calls.event = [this](const TunnelEvent& event) { events.push_back(event); };
  calls.peers = [this](std::vector<TunnelPeerState> now) { peers = std::move(now); };
  auto counting = std::make_unique<CountingHost>(std::move(host), written);
  reconciler = std::make_unique<Reconciler>(io.get_executor(), std::move(counting), std::move(applied), std::move(calls));
  Monitor::Calls heard;
  heard.dirty = [this] { reconciler->resync(); };
  heard.addresses = [this](std::vector<Address> now, const std::vector<Prefix>&) { addresses = std::move(now); };
  auto opened = Monitor::open(io.get_executor(), {name}, std::move(heard));
  EXPECT_TRUE(opened);
  monitor = std::move(*opened);
}

void Rig::want(const DesiredTunnel& desired, std::uint8_t secret_number, std::vector<TunnelKey> down) {
  reconciler->want(desired, secret(secret_number), std::move(down));
}

bool Rig::told(TunnelEventKind kind) const {
  return std::any_of(events.begin(), events.end(), [kind](const TunnelEvent& one) { return one.kind == kind; });
}

std::string Rig::log() const {
  std::string lines;
  for (const TunnelEvent& one : events) lines += one.text + "\n";
  return lines;
}

DesiredTunnel wish(std::uint8_t n, std::uint16_t port) {
  DesiredTunnel desired;
  desired.device = {key(n), port, 1400};
  desired.tunnel.addresses = {prefix("10.99.0." + std::to_string(n) + "/32"), prefix("fd99::" + std::to_string(n) + "/128")};
  desired.tunnel.routes = {{prefix("10.99.0.0/16"), RouteKind::unreachable, metric_last},
                           {prefix("fd99::/48"), RouteKind::unreachable, metric_last}};
  return desired;
}

void add_peer(DesiredTunnel& desired, TunnelPeer peer) {
  for (const Prefix& one : peer.allowed_ips) desired.tunnel.routes.push_back({one, RouteKind::through_tunnel, metric_direct});
  std::sort(desired.tunnel.routes.begin(), desired.tunnel.routes.end());
  desired.tunnel.peers.push_back(std::move(peer));
  std::sort(desired.tunnel.peers.begin(), desired.tunnel.peers.end());
}

}  // namespace wigwag::test
