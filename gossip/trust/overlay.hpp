#pragma once

#include <cstdint>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"

// Overlay addresses follow from identity, not from the WireGuard key.
namespace wigwag {

// fd + the first 40 bits of the network id: RFC 4193, /48.
Prefix overlay_ipv6_prefix(const NetworkId& network);
// In that prefix, subnet 0, the first 64 bits of the node id.
Address overlay_ipv6(const NetworkId& network, const NodeId& node);

// The node's attempt-th candidate in the network's IPv4 prefix: a keyed hash of the id and
// the attempt. Never the prefix's first or last address. The prefix is at most /30.
Address overlay_ipv4_candidate(const Prefix& prefix, const NodeId& node, std::uint32_t attempt);

// The /16 of 10.0.0.0/8 that a founder picks: by the network id, the first clear of `avoid`.
Prefix default_ipv4_prefix(const NetworkId& network, const std::vector<Prefix>& avoid);

}  // namespace wigwag
