#include "gossip/event.hpp"
#include "gossip/status.hpp"

namespace wigwag {

const char* to_string(EventKind kind) {
  switch (kind) {
    case EventKind::network_joined: return "network_joined";
    case EventKind::network_founded: return "network_founded";
    case EventKind::join_failed: return "join_failed";
    case EventKind::member_joined: return "member_joined";
    case EventKind::member_suspect: return "member_suspect";
    case EventKind::member_down: return "member_down";
    case EventKind::member_alive: return "member_alive";
    case EventKind::member_left: return "member_left";
    case EventKind::member_forgotten: return "member_forgotten";
    case EventKind::member_changed: return "member_changed";
    case EventKind::caller_admitted: return "caller_admitted";
    case EventKind::caller_refused: return "caller_refused";
    case EventKind::address_conflict: return "address_conflict";
    case EventKind::address_moved: return "address_moved";
    case EventKind::invitation_conflict: return "invitation_conflict";
    case EventKind::equivocation: return "equivocation";
    case EventKind::accused: return "accused";
    case EventKind::version_adopted: return "version_adopted";
    case EventKind::paused: return "paused";
    case EventKind::clock_doubtful: return "clock_doubtful";
    case EventKind::clock_trusted: return "clock_trusted";
    case EventKind::record_refused: return "record_refused";
    case EventKind::members_full: return "members_full";
    case EventKind::endpoint_observed: return "endpoint_observed";
    case EventKind::isolated: return "isolated";
    case EventKind::subnet_refused: return "subnet_refused";
  }
  return "";
}

const char* to_string(Health health) {
  switch (health) {
    case Health::alive: return "alive";
    case Health::suspect: return "suspect";
    case Health::dead: return "dead";
    case Health::left: return "left";
  }
  return "";
}

const char* to_string(PathKind kind) {
  switch (kind) {
    case PathKind::self: return "self";
    case PathKind::direct: return "direct";
    case PathKind::relayed: return "relayed";
    case PathKind::none: return "none";
  }
  return "";
}

}  // namespace wigwag
