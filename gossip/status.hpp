#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"

namespace wigwag {

enum class Health : std::uint8_t { alive, suspect, dead, left };
const char* to_string(Health health);

enum class PathKind : std::uint8_t { self, direct, relayed, none };
const char* to_string(PathKind kind);

// One member as this node sees it now: what `wigwag status` shows.
struct MemberStatus {
  NodeId id;
  std::string name;
  TunnelKey tunnel_key;
  std::optional<Address> ipv4;          // absent while a clash is being settled against it
  Address ipv6;
  Health health = Health::alive;
  bool relay = false;
  std::vector<Prefix> subnets;
  std::uint32_t epoch = 0;              // version of its record
  std::uint32_t sequence = 0;
  PathKind path = PathKind::none;
  std::vector<std::string> via;         // names of relays, in order
  std::optional<Endpoint> endpoint;     // the kernel's
  std::optional<Duration> rtt;          // smoothed; measured by our own probes
  std::int64_t last_handshake_unix_s = 0;  // 0: never
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

// A network behind members, or one that this node was to announce and does not.
struct SubnetStatus {
  Prefix subnet;
  std::optional<NodeId> carrier;        // whom its traffic goes through; nullopt: it is not announced
  std::string carrier_name;
  std::vector<std::string> others;      // names of those who announce it, too
  bool routed = false;                  // into this node's tunnel
  std::string why_not;                  // in words; empty where it is routed, or behind this node
};

struct NodeStatus {
  NetworkId network;
  std::string network_name;             // empty before the first join
  std::optional<Prefix> ipv4_prefix;    // absent before the first join
  Prefix ipv6_prefix;
  bool joined = false;                  // admitted: we hold a chain that we can show
  bool converged = false;               // the core's part: nothing of ours is unconfirmed, no difference with an edge is open
  Hash32 digest;                        // over (id, version) of every live member, this node included
  MemberStatus self;
  std::vector<MemberStatus> members;    // all known, this node included, sorted by name then id
  std::vector<Endpoint> announced;      // the endpoints in our own record
  std::vector<SubnetStatus> subnets;    // in order; then those that are not announced
  std::string waiting_for;              // in words, why `joined` is false or what came of the last call while nobody is there
  bool refused = false;                 // a member said no, and asking again changes nothing
};

// Counters that only grow, for metrics and tests.
struct NodeCounters {
  std::uint64_t datagrams_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t datagrams_received = 0;
  std::uint64_t dropped_unknown = 0;     // from an address no member has
  std::uint64_t dropped_unproven = 0;    // a wrong MAC
  std::uint64_t dropped_malformed = 0;
  std::uint64_t dropped_refused = 0;     // statements that do not hold
  std::uint64_t hello_dropped = 0;
  std::uint64_t probes_sent = 0;
  std::uint64_t probes_missed = 0;
  std::uint64_t accusations_made = 0;
  std::uint64_t refutations_made = 0;
  std::uint64_t records_accepted = 0;
};

}  // namespace wigwag
