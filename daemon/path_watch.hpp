#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/time.hpp"
#include "gossip/status.hpp"

namespace wigwag {

struct PathChange {
  NodeId member;
  std::string name;
  PathKind was = PathKind::none;
  PathKind now = PathKind::none;
  std::string detail;  // the relays or the endpoint that it goes by now; may be empty
};

// Notices when a member is reached another way than was last told. Pure. A path that comes
// and goes is told at most once in ten seconds per member, and a look tells 32 changes at
// most: what is left out is told later, if it is still so. Holds one entry a member.
class PathWatch {
 public:
  static constexpr Duration pause = seconds(10);
  static constexpr std::size_t told_at_once = 32;

  // The first look says nothing: how members are reached at the start is no change.
  std::vector<PathChange> look(const NodeStatus& status, Instant now);

 private:
  struct Told {
    PathKind path = PathKind::none;
    std::optional<Instant> at;
  };
  std::map<NodeId, Told> told_;
  bool looked_ = false;
};

}  // namespace wigwag
