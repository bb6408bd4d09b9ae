#pragma once

#include <optional>

#include "gossip/node.hpp"

namespace wigwag::sim {

class World;

// Where a meddler sits: one machine of one world, with all that this machine knows.
class Seat {
 public:
  Seat(World& world, std::size_t machine) : world_(world), machine_(machine) {}
  World& world() const { return world_; }
  std::size_t machine() const { return machine_; }
  const NetworkId& network() const;
  const NodeId& id() const;
  NodeSecret identity() const;           // a duplicate, to sign with
  const Node* node() const;              // nullptr while its daemon does not run
  // A gossip datagram from this machine's overlay address, as its core would send it; an address that
  // is nobody's is dropped as the kernel drops it. Nothing is said while the daemon does not run.
  void say(const Address& to, Bytes datagram) const;
  void say(std::size_t machine, Bytes datagram) const;
  // From its hello port.
  void say_hello(const Endpoint& to, Bytes datagram) const;

 private:
  World& world_;
  std::size_t machine_;
};

// Stands between a machine's core and the world: this is how members that lie, and other versions of
// the protocol, are made of the shipped core. It stays through restarts of the daemon.
class Meddler {
 public:
  virtual ~Meddler() = default;
  // Once, when it is set; the seat lives as long as the meddler does.
  virtual void take_seat(const Seat& /*seat*/) {}
  // What the core put out, before it is carried out: may be changed, added to and taken from.
  virtual void outgoing(Outputs&) {}
  // False: the core never sees it.
  virtual bool incoming(const Input&) { return true; }
  // When, from now, it wants its next tick(); nullopt: never. Asked when it is set, after every tick and
  // at every start of the daemon; there are no ticks while the daemon does not run or is paused.
  virtual std::optional<Duration> wants(Now) { return std::nullopt; }
  virtual void tick(Now) {}
};

}  // namespace wigwag::sim
