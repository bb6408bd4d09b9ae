#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/tunnel.hpp"
#include "gossip/event.hpp"
#include "gossip/trust/statements.hpp"

// What goes into Node::step and what comes out of it: plain values, so that a trace of
// inputs is a reproducible run.
namespace wigwag {

// A gossip datagram that came through the tunnel. The shell vouches that it arrived on one
// of our interfaces, so that WireGuard vouches for `from`.
struct TunnelDatagram {
  Address from;          // overlay IPv6
  Plane plane = Plane::direct;
  Bytes bytes;
};

// A datagram on the hello port, from anybody.
struct HelloDatagram {
  Endpoint from;
  Bytes bytes;
};

// The time that next_wakeup() asked for has come.
struct Wakeup {};

// What the kernel's direct-plane peers look like now: all of them, ours or not. A shell that knows
// what has changed may say so instead: then only those that look other than in the snapshot before,
// and those that are gone. The first in a node's life shows all.
// `settled`: the kernel equals Node::desired() and nothing is outstanding.
struct KernelSnapshot {
  std::vector<TunnelPeerState> peers;
  bool settled = false;
  bool changes_only = false;
  std::vector<TunnelKey> gone{};     // with changes_only
};

// This host's own unicast addresses, without loopback, link-local and our interfaces'.
struct LocalAddresses {
  std::vector<Address> addresses;
  std::vector<Prefix> networks{};    // that those interfaces are in: such a one is never led into the tunnel
};

// Names of the configuration, resolved; sent at the start and whenever they change.
struct Resolved {
  std::vector<Endpoint> seeds;       // hello endpoints
  std::vector<Endpoint> endpoints;   // extra public endpoints of this node
};

// The operator says goodbye: a signed `left` record goes out, then a Left output follows.
struct LeaveCommand {};

// An admin's statement made on this node, or one that the shell stored.
struct RevokeCommand {
  Bytes revocation;      // wire form
};

using Input = std::variant<TunnelDatagram, HelloDatagram, Wakeup, KernelSnapshot, LocalAddresses, Resolved, LeaveCommand, RevokeCommand>;

struct SendTunnel {
  Address to;            // overlay IPv6 of a member
  Bytes bytes;
};
struct SendHello {
  Endpoint to;
  Bytes bytes;
};
// Node::desired() has changed; at most once a step. Unless `all` may be another, the addresses may be
// and the peers with these keys, with the routes to what they may be sent.
struct Desire {
  bool all = true;
  std::vector<TunnelKey> peers{};    // sorted
};
// Node::stored() has changed. `at_once`: write and sync it before carrying out the outputs
// that follow; otherwise within a few seconds.
struct Persist {
  bool at_once = false;
};
struct Raise {
  Event event;
};
// The goodbye has been told to as many as could be reached: tear down and forget.
struct Left {};

// Outputs are carried out in their order.
using Output = std::variant<SendTunnel, SendHello, Desire, Persist, Raise, Left>;
using Outputs = std::vector<Output>;

}  // namespace wigwag
