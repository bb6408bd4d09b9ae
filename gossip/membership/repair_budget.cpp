#include "gossip/membership/repair_budget.hpp"

#include <algorithm>

namespace wigwag {

void RepairBudget::Bucket::fill(Instant now, double part) {
  level = std::min(part * burst, level + part * rate * to_seconds(now - filled));
  filled = now;
}

RepairBudget::Bucket& RepairBudget::share_of(const NodeId& asker, Instant now) {
  auto found = shares_.find(asker);
  if (found == shares_.end()) {
    if (shares_.size() >= askers_max) {
      for (auto& [id, bucket] : shares_) bucket.fill(now, share);
      shares_.erase(std::max_element(shares_.begin(), shares_.end(), [](const auto& a, const auto& b) { return a.second.level < b.second.level; }));
    }
    found = shares_.emplace(asker, Bucket{share * burst, now}).first;
  }
  found->second.fill(now, share);
  return found->second;
}

bool RepairBudget::allows(const NodeId& asker, Instant now) {
  all_.fill(now, 1);
  return all_.level > burst / 2 || (all_.level > 0 && share_of(asker, now).level > 0);
}

// What is taken beyond a share is a debt, but none that outlasts a few seconds.
void RepairBudget::spend(const NodeId& asker, std::size_t bytes, Instant now) {
  auto& own = share_of(asker, now);
  own.level = std::max(own.level - static_cast<double>(bytes), -share * burst);
  all_.level -= static_cast<double>(bytes);
}

}  // namespace wigwag
