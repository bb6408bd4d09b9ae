#pragma once

#include <optional>
#include <span>

#include "gossip/base/ip.hpp"
#include "gossip/membership/roster.hpp"
#include "gossip/topology/subnet_fault.hpp"

namespace wigwag {

// Who carries a network: of those who announce it a live one before one that is Down, then the
// lower id: a pure function of the roster, so that all members settle it alike. Where all are Down the last
// to become so keeps it, for it had it before: a wrong verdict must not cut traffic that works.
std::optional<NodeId> carrier_of(const Roster& roster, const Prefix& subnet);

// What networks are judged by on the host of node `self`, which is in `networks`. Good until either changes.
SubnetGround ground_of(const Roster& roster, const NodeId& self, std::span<const Prefix> networks);

// Why this host does not send a network through that member of its announcers; nullopt: it does.
std::optional<SubnetObstacle> obstacle_through(const Member& carrier, const Prefix& subnet, const SubnetGround& ground);

}  // namespace wigwag
