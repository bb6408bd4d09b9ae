#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/base/tunnel.hpp"
#include "sim/world/event_queue.hpp"

namespace wigwag::sim {

// WireGuard as far as a mesh can tell: peers, cryptokey routing both ways, cold handshakes with
// their five-second retries, sessions that end after 180 s, roaming. Timers are those of the
// kernel's messages.h. It carries out Tunnels as the reconciler does, so that an endpoint is
// written only when it is wanted.
class FakeKernel {
 public:
  using SendUnderlay = std::function<void(const Endpoint& to, Bytes)>;
  using DeliverInner = std::function<void(const Address& from, const Address& to, Bytes)>;

  FakeKernel(EventQueue& events, const TunnelKey& own_key, std::uint64_t seed, SendUnderlay send, DeliverInner deliver);

  void apply(const Tunnel& tunnel, std::int64_t wall_s);
  std::vector<TunnelPeerState> peers() const;
  bool has_address(const Address& address) const;

  // An inner packet from this host; dropped as the kernel drops what no peer's allowed IPs hold.
  void send_inner(const Address& to, Bytes bytes);
  // What came in on the WireGuard port.
  void receive(const Endpoint& from, const Bytes& bytes);

  void set_wall(std::function<std::int64_t()> wall) { wall_ = std::move(wall); }

 private:
  struct Peer {
    TunnelPeer config;
    std::optional<Endpoint> endpoint;
    std::optional<std::uint64_t> session;       // shared number; absent: cold
    std::optional<std::uint64_t> previous;      // still accepted on receipt
    std::optional<std::uint64_t> unconfirmed;   // we answered; used once a packet comes under it
    bool awaits_response = false;
    Instant established{};
    std::int64_t handshake_wall_s = 0;
    std::deque<Bytes> waiting;                  // packets kept until the handshake is done
    std::optional<Instant> initiated;           // the last initiation sent
    Instant trying_since{};
    Instant sent_at{};
    std::optional<Instant> unanswered_since;    // data went out and nothing has come since
    std::optional<Instant> owes_answer_since;   // data came and nothing has gone out since
    std::uint64_t rx = 0, tx = 0;
  };
  Peer* owner_of(const Address& inner);
  void initiate(Peer& peer);
  void retry_later(const TunnelKey& key);
  void send_to(Peer& peer, Bytes inner);
  void transmit(Peer& peer, Bytes inner);
  void keep_alive();
  void establish(Peer& peer, std::uint64_t session);

  EventQueue& events_;
  TunnelKey own_key_;
  Rng rng_;
  SendUnderlay send_;
  DeliverInner deliver_;
  std::function<std::int64_t()> wall_;
  std::vector<Prefix> addresses_;
  std::map<TunnelKey, Peer> peers_;
  std::map<TunnelKey, std::optional<Endpoint>> written_;
  std::shared_ptr<int> running_ = std::make_shared<int>();  // timers of a kernel that has rebooted find it gone
};

}  // namespace wigwag::sim
