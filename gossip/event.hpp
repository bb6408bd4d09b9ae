#pragma once

#include <cstdint>
#include <string>

#include "gossip/base/key.hpp"

namespace wigwag {

// What happened, for the person who runs the node. The core states facts; the shell
// words them, logs them (one line each) and keeps the last ones for `wigwag events`.
enum class EventKind : std::uint8_t {
  network_joined,      // this node was admitted; `detail` names the seed
  network_founded,     // this node starts its network: it is its first member
  join_failed,         // a seed refused us or cannot be trusted; `detail` says why and what to do
  member_joined,       // a member we did not know
  member_suspect,      // accused by an observer, not yet refuted
  member_down,         // enough accusations stood unrefuted
  member_alive,        // was suspect or Down, and has shown itself alive
  member_left,         // said goodbye
  member_forgotten,    // Down for so long, or expired, that it is no candidate any more
  member_changed,      // a new record with other addresses, endpoints, key or subnets
  caller_admitted,     // our hello port let a node in
  caller_refused,      // and turned one away; `detail` says why
  address_conflict,    // two members claim one IPv4 address; `detail` says who keeps it
  address_moved,       // this node took another IPv4 address after a conflict
  invitation_conflict, // an invitation was used by more nodes than it allows; `subject` lost
  equivocation,        // two different records with one version; `subject` signed both
  accused,             // somebody accused this node; it refutes
  version_adopted,     // somebody held a newer version of our own record than we did
  paused,              // this process or machine stood still; `detail` says how long
  clock_doubtful,      // our clock disagrees with our peers'; expiry is not judged meanwhile
  clock_trusted,       // and agrees again
  record_refused,      // a member sent a statement that does not hold; `detail` says which rule
  members_full,        // a member was refused because limits::members are known
  endpoint_observed,   // members agree on the address they see us at
  isolated,            // no member answers: verdicts are ours alone
  subnet_refused,      // a network behind a member is not routed here, or one of ours not announced; `detail` says which and why
};
const char* to_string(EventKind kind);  // "member_joined" and so on, stable: part of `events --json`

struct Event {
  EventKind kind = EventKind::network_joined;
  NodeId subject;        // zero when nobody in particular
  std::string name;      // the subject's certified name; empty when unknown
  std::string detail;    // plain words, no secrets, at most 200 bytes
};

}  // namespace wigwag
