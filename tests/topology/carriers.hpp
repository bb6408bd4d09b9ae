#pragma once

#include <map>

#include "gossip/topology/subnets.hpp"

namespace wigwag {

// Who carries what, of all that anybody announces.
inline std::map<Prefix, NodeId> carriers_of(const Roster& roster) {
  std::map<Prefix, NodeId> carriers;
  for (const auto& [subnet, announcers] : roster.subnets()) {
    if (const auto carrier = carrier_of(roster, subnet)) carriers.emplace(subnet, *carrier);
  }
  return carriers;
}

}  // namespace wigwag
