#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/input.hpp"
#include "netlink/tunnel_diff.hpp"
#include "sim/world/allowed_ips.hpp"
#include "sim/world/event_queue.hpp"
#include "sim/world/key_numbers.hpp"
#include "sim/world/packet.hpp"
#include "sim/world/routes.hpp"

namespace wigwag::sim {

// One host's WireGuard interface and its routes, as far as a mesh can tell: peers, cryptokey
// routing both ways, cold handshakes with their retries, sessions that end, keepalives, roaming.
// The timers are those of the kernel's messages.h and timers.c. It is changed by the difference
// engine's operations and by nothing else.
class FakeKernel {
 public:
  struct Calls {
    std::function<void(const Endpoint& to, TunnelMessage)> send;
    std::function<void(InnerPacket&)> deliver;
    std::function<std::int64_t()> wall_s;
    std::function<void()> shook_hands;   // a handshake that this end began was completed
  };
  // `removes_allowed_ip`: as kernels from 6.16 on do, one prefix can be taken from a peer.
  FakeKernel(EventQueue& events, KeyNumbers& keys, const TunnelKey& own_key, std::uint64_t seed, bool removes_allowed_ip, Calls calls);

  // Nothing is left: no interface, no route.
  void reboot();

  bool removes_allowed_ip() const { return removes_allowed_ip_; }
  void apply(const TunnelChange& change);
  // What the reconciler reads: all of it,
  ActualTunnel read() const;
  // or of the peers and routes only those asked for.
  ActualTunnel read(const std::vector<TunnelKey>& peers, const std::vector<Prefix>& destinations) const;
  // What a daemon that has just looked sees, as an input for the core: all peers the first time, from then on
  // what has changed since the look before. Good until the next.
  const Input& look(bool settled);
  // A new daemon has seen nothing.
  void forget_looks() { looked_ = false; }
  const std::vector<TunnelPeerState>& peers() const { return states_; }
  const TunnelPeerState* peer(const TunnelKey& key) const;
  // Who holds a prefix now.
  const TunnelKey* holder(const Prefix& prefix) const;
  // Peers whose endpoint followed a packet since this was asked last, and may be named twice.
  std::vector<TunnelKey> take_roamed() { return std::exchange(roamed_, {}); }
  bool has_address(const Address& address) const;

  // A UDP datagram of this host's into the tunnel; dropped as the kernel drops what no route or no
  // peer's allowed IPs take.
  void send_inner(const Address& to, Bytes payload);
  // What came in on the WireGuard port.
  void receive(const Endpoint& from, TunnelMessage& message);

 private:
  // The changing side of a peer; peers() holds what can be seen.
  struct Link {
    KeyNumber number = 0;
    bool began = false;                  // the session is of our handshake
    bool again = false;                  // data came while an answer was owed: one more keepalive after that
    bool changed = false;                // since the last look
    std::uint64_t session = 0;           // shared number; 0: cold
    std::uint64_t previous = 0;          // still accepted on receipt
    std::uint64_t unconfirmed = 0;       // we answered; used once a packet comes under it
    std::uint64_t asked = 0;             // of our initiation that waits for its response
    Instant established{}, previous_established{}, unconfirmed_at{};
    Instant initiated{};                 // the last initiation sent
    Instant trying_since{};
    Instant passed_at{};                 // anything, either way
    Instant unanswered_since = never;    // data went out and nothing has come since
    Instant owes_since = never;          // data came and nothing has gone out since
    Instant retry_at = never;
    Instant armed = never;               // when a timer will look at this link
    std::int64_t newest_initiation = INT64_MIN;  // their clock's word: older ones are replays
    std::unique_ptr<std::vector<InnerPacket>> waiting;  // until the handshake is done
  };
  using Slot = std::uint32_t;
  static constexpr Slot none = UINT32_MAX;

  // To write to.
  TunnelPeerState& state(Slot slot);
  Slot slot_of(KeyNumber number) const { return number < slots_.size() ? slots_[number] : none; }
  Slot add_peer(const TunnelKey& key, KeyNumber number);
  void remove_peer(const TunnelKey& key);
  void set_peer(const SetPeer& change);
  void give(Slot slot, const Prefix& prefix);
  void take(Slot slot, const Prefix& prefix);
  const Address* source_for(Family family) const;
  bool usable(const Link& link) const;
  void send_to(Slot slot, InnerPacket inner);
  void transmit(Slot slot, InnerPacket inner);
  void initiate(Slot slot, bool retry);
  void establish(Slot slot, std::uint64_t session, bool began, Instant since);
  void sent_something(Link& link);
  void came_from(Slot slot, const Endpoint& from);
  void receive_initiation(Slot slot, const Endpoint& from, const TunnelMessage& message);
  void receive_data(Slot slot, const Endpoint& from, TunnelMessage& message);
  Instant due(Slot slot) const;
  void arm(Slot slot);
  void ring(KeyNumber number, Instant when, std::uint64_t boot);
  void fall_due(Slot slot);
  std::int64_t stamp() const;

  EventQueue& events_;
  KeyNumbers& keys_;
  TunnelKey own_key_;
  KeyNumber own_number_;
  Rng rng_;
  bool removes_allowed_ip_;
  Calls calls_;
  std::uint64_t boot_ = 0;

  bool exists_ = false, up_ = false, has_key_ = false;
  std::uint32_t mtu_ = 0;
  std::uint16_t listen_port_ = 0;
  std::vector<Prefix> addresses_;
  Routes routes_;
  std::vector<TunnelPeerState> states_;
  std::vector<Link> links_;              // beside states_
  bool looked_ = false;
  std::vector<KeyNumber> changed_;       // since the last look, or gone
  std::vector<TunnelKey> gone_;          // since the last look; some may be back
  Input snapshot_{KernelSnapshot{}};
  std::vector<Slot> slots_;              // by key number
  AllowedIps owners_;
  std::vector<TunnelKey> roamed_;
};

}  // namespace wigwag::sim
