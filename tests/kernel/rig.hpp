#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/reconciler.hpp"
#include "gossip/base/tunnel.hpp"
#include "netlink/host.hpp"
#include "netlink/monitor.hpp"

namespace wigwag::test {

// The output of a shell command; fails the test when the command does.
std::string sh(const std::string& command);
bool succeeds(const std::string& command);

TunnelSecret secret(std::uint8_t n);
TunnelKey key(std::uint8_t n);  // of secret(n)
TunnelKey made_up_key(std::uint32_t n);
Prefix prefix(const std::string& text);
Endpoint at_port(std::uint16_t port);  // on the loopback address
TunnelKey derive(const TunnelSecret& from);

// Puts every test into a network namespace of its own, with a /run of its own because
// wireguard-go's sockets know no namespaces, and gives it an event loop. The kernel's
// WireGuard is used where there is any, wireguard-go elsewhere.
class KernelTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  template <class T>
  T run(boost::asio::awaitable<T> coroutine) {
    std::optional<T> answer;
    boost::asio::co_spawn(io, keep(std::move(coroutine), answer), boost::asio::detached);
    const bool in_time = run_until([&answer] { return answer.has_value(); }, std::chrono::seconds{60});
    EXPECT_TRUE(in_time) << "a coroutine did not end";
    return std::move(*answer);
  }
  // Runs the loop until the condition holds; false when it takes too long.
  bool run_until(const std::function<bool()>& holds, std::chrono::milliseconds patience = std::chrono::seconds{20});
  void run_for(std::chrono::milliseconds time);

  std::unique_ptr<TunnelHost> open_host(const std::string& interface, BackendChoice choice = BackendChoice::automatic);
  bool in_kernel();

  boost::asio::io_context io;

 private:
  template <class T>
  static boost::asio::awaitable<void> keep(boost::asio::awaitable<T> coroutine, std::optional<T>& answer) {
    answer.emplace(co_await std::move(coroutine));
  }
};

// Counts what is written.
class CountingHost : public TunnelHost {
 public:
  CountingHost(std::unique_ptr<TunnelHost> inner, std::size_t& written) : inner_(std::move(inner)), written_(written) {}
  const std::string& interface() const override { return inner_->interface(); }
  BackendKind backend() const override { return inner_->backend(); }
  bool removes_allowed_ip() const override { return inner_->removes_allowed_ip(); }
  Task<ActualTunnel> read(std::vector<TunnelRoute> places) override { return inner_->read(std::move(places)); }
  Task<std::vector<TunnelPeerState>> read_peers() override { return inner_->read_peers(); }
  boost::asio::awaitable<std::vector<NetError>> apply(std::vector<TunnelChange> changes, TunnelSecret key) override {
    written_ += changes.size();
    return inner_->apply(std::move(changes), std::move(key));
  }

 private:
  std::unique_ptr<TunnelHost> inner_;
  std::size_t& written_;
};

// A reconciler with its monitor, and a disk that is a vector.
struct Rig {
  std::vector<TunnelEvent> events;
  std::vector<AppliedTunnel> stored;
  std::vector<TunnelPeerState> peers;
  std::vector<Address> addresses;
  std::size_t written = 0;
  std::unique_ptr<Reconciler> reconciler;
  std::unique_ptr<Monitor> monitor;

  Rig(boost::asio::io_context& io, std::unique_ptr<TunnelHost> host, AppliedTunnel applied = {});
  void want(const DesiredTunnel& desired, std::uint8_t secret_number, std::vector<TunnelKey> down = {});
  bool told(TunnelEventKind kind) const;
  std::string log() const;
};

// An interface of secret(n) that listens on a port, with an address, no peers, and
// unreachable routes below 10.99.0.0/16 and fd99::/48.
DesiredTunnel wish(std::uint8_t n, std::uint16_t port);
void add_peer(DesiredTunnel& desired, TunnelPeer peer);

}  // namespace wigwag::test
