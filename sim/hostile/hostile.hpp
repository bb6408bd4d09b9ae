#pragma once

#include <memory>

#include "sim/hostile/behaviour.hpp"
#include "sim/hostile/gang.hpp"
#include "sim/world/meddler.hpp"

namespace wigwag::sim {

struct HostileFacts {
  std::shared_ptr<Gang> gang;            // one for all hostile members of a world
  std::uint64_t seed = 0;
  std::uint32_t datagrams_per_second = 200;  // of one that floods
};

// A member that was properly admitted and now does as it likes. Its core goes on beneath, so that it
// keeps its place; what it signs it signs with its own identity.
std::unique_ptr<Meddler> make_hostile(Behaviour behaviour, const HostileFacts& facts);

}  // namespace wigwag::sim
