#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "gossip/base/tunnel.hpp"
#include "gossip/membership/roster.hpp"
#include "gossip/topology/endpoints.hpp"

namespace wigwag {

inline constexpr std::chrono::seconds keepalive_behind_nat{25};

// Whether a member has a place in the plan at all. What this node itself may have let run out is for
// others to judge.
bool is_planned(const Roster& roster, const Member& member);

// Who holds which overlay IPv4 address. Every member claims one in its record; where two claim
// the same, the one admitted earlier keeps it, then the lower id: a pure function of the
// roster, so that all members settle it alike.
std::map<Address, NodeId> settle_ipv4(const Roster& roster);

// The same for one address.
std::optional<NodeId> holder_of(const Roster& roster, const Address& ipv4);

// The members in the plan by the WireGuard key that they announce; those who share one in the
// order in which they were first known with it. Whoever has the private key is one machine, so they
// are one peer with the addresses of all: who copied another's key sends its own traffic astray
// and nothing else, and a machine with a new identity and its old key is reached at once, though its
// old identity is still known. Nothing need be settled between the two.
using KeySharers = std::map<TunnelKey, std::vector<const Member*>>;
KeySharers sharers_of_keys(const Roster& roster);
// The same for one key.
std::vector<const Member*> sharers_of(const Roster& roster, const TunnelKey& key);

// What planning needs to know beside the roster.
struct PlanFacts {
  NodeId self;
  const PeerEndpoints& endpoints;
  std::chrono::seconds keepalive{0};  // towards live members
  std::span<const Prefix> networks{}; // that this host is in: nothing that overlaps them is led into the tunnel
};

// The direct plane as the roster wants it: two host routes through a peer for every member that
// has neither left nor run out, Down ones included (a wrong verdict must not cut traffic that works), one for
// each network that it carries and that nothing here speaks against, our own addresses, and unreachable routes below all so that nothing meant for the mesh leaves in
// the clear.
Tunnel plan_direct(const Roster& roster, const PlanFacts& facts);
// Makes such a plan what it would now be, where at most the peers with the given keys and our own
// addresses differ; returns the keys of those that did, sorted, or nullopt where nothing did.
std::optional<std::vector<TunnelKey>> replan_direct(Tunnel& plan, const Roster& roster, const PlanFacts& facts, const std::set<TunnelKey>& stale);

}  // namespace wigwag
