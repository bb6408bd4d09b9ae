#pragma once

#include <algorithm>

#include "gossip/base/time.hpp"

namespace wigwag {

// How far this node should trust its own failures (after Lifeguard, Dadgar et al. 2018): a
// node that misses many answers, or that stood still, doubts itself before it blames others.
class LocalHealth {
 public:
  void answered() { score_ = std::max(score_ - 1, 0); }
  void missed() { score_ = std::min(score_ + 1, most); }
  // This process or machine stood still: what we believe about others is old.
  void paused(Instant now) {
    frozen_until_ = now + thaw;
    score_ = most;
  }

  // What probe timeouts are multiplied with: 1 when well.
  int multiplier() const { return score_ + 1; }
  // While frozen nobody is accused and no verdict falls.
  bool frozen(Instant now) const { return now < frozen_until_; }
  Instant frozen_until() const { return frozen_until_; }

  // A wakeup that comes this much late was a pause.
  static constexpr Duration pause_threshold = seconds(1);

 private:
  static constexpr int most = 2;
  static constexpr Duration thaw = seconds(5);
  int score_ = 0;
  Instant frozen_until_{};
};

}  // namespace wigwag
