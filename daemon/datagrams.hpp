#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/failure.hpp"
#include "gossip/base/ip.hpp"

namespace boost::asio {
class io_context;
}

// The two UDP doors of the daemon. Each turn of the event loop reads at most 64 datagrams
// from one socket, so that a flood delays timers and other sockets but never starves them.
namespace wigwag {

// Gossip, inside the tunnel: bound to our own overlay address, which need not exist yet.
// Only what arrived on our interface and for that address gets through, because only
// there does WireGuard vouch for who sent it; and nothing leaves by another interface.
class GossipSocket {
 public:
  using Receive = std::function<void(const Address& from, Bytes bytes)>;
  static Outcome<std::unique_ptr<GossipSocket>> open(boost::asio::io_context& context, const Address& own, const std::string& interface,
                                                     Receive receive);
  ~GossipSocket();
  GossipSocket(const GossipSocket&) = delete;
  GossipSocket& operator=(const GossipSocket&) = delete;

  // Lost datagrams are the core's to notice; so is one that cannot be sent.
  void send(const Address& to, ByteView bytes);
  // The interface may have been made anew: looks its index up again.
  void refresh();
  std::uint64_t strays() const;  // datagrams that came by another way and were dropped

 private:
  class Impl;
  explicit GossipSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// The join handshake, outside the tunnel: one socket per address family. A family that
// this host does not have is done without.
class HelloSocket {
 public:
  using Receive = std::function<void(const Endpoint& from, Bytes bytes)>;
  // Port 0: any, for a node that only calls.
  static Outcome<std::unique_ptr<HelloSocket>> open(boost::asio::io_context& context, std::uint16_t port, Receive receive);
  ~HelloSocket();
  HelloSocket(const HelloSocket&) = delete;
  HelloSocket& operator=(const HelloSocket&) = delete;

  void send(const Endpoint& to, ByteView bytes);

 private:
  class Impl;
  explicit HelloSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace wigwag
