#pragma once

#include <cstddef>
#include <map>

#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"

namespace wigwag {

// How many bytes answers to others' differences may take: so many a second for all, and a quarter
// of that for each asker. Beyond its share an asker is answered from what nobody else needs: only
// while more than half of the common burst is left. So one who never stops asking takes nothing
// from the others. Holds the shares of at most askers_max; when full the one with most of its
// share left makes room, because it loses least.
class RepairBudget {
 public:
  bool allows(const NodeId& asker, Instant now);
  void spend(const NodeId& asker, std::size_t bytes, Instant now);

  static constexpr double rate = 128'000;  // bytes a second
  static constexpr double burst = 512'000;
  static constexpr double share = 0.25;    // of both
  static constexpr std::size_t askers_max = 256;

 private:
  struct Bucket {
    double level;
    Instant filled;
    void fill(Instant now, double part);
  };
  Bucket& share_of(const NodeId& asker, Instant now);

  Bucket all_{burst, {}};
  std::map<NodeId, Bucket> shares_;
};

}  // namespace wigwag
