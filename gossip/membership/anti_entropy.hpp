#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/roster.hpp"

namespace wigwag {

// Finds what two members' rosters differ in, at the cost of the difference: ranges of the key
// space are compared by fingerprint and split until they are short enough to list. One small
// packet when equal. Stateless: every message is answered from the roster alone, so a lost
// one costs nothing but the round, and no one can make us hold anything.
class AntiEntropy {
 public:
  explicit AntiEntropy(std::uint64_t seed) : rng_(seed) {}

  // The opening of a round: one fingerprint over everything.
  static Compare opening(const Roster& roster);

  struct Difference {
    bool equal = false;           // the whole of what was compared is the same on both sides
    std::vector<Range> ranges;    // to go on with, in a Compare back
    std::vector<NodeId> send;     // members they lack
    std::vector<NodeId> newer;    // members of whom they hold an older version: they know who that is
    std::vector<std::uint64_t> extras;  // keys whose version agrees and whose surroundings do not: send all we hold there
    std::vector<std::uint64_t> need;    // keys that we lack or hold an older version of
  };
  // Bounded by items_max members to send, as many of the newer ones, and message_limits for the rest; what does not fit is
  // found again in the next round, in a different order.
  Difference compare(const Compare& theirs, const Roster& roster);

  static constexpr std::size_t items_max = 24;

 private:
  void compare_fingerprint(const Range& theirs, const Roster& roster, Difference& found) const;
  void compare_list(const Range& theirs, const Roster& roster, Difference& found) const;

  Rng rng_;
};

}  // namespace wigwag
