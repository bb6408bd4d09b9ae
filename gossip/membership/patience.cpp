#include "gossip/membership/patience.hpp"

#include <algorithm>

namespace wigwag {

void Patience::Left::fill(Instant now) {
  answers = std::min(Patience::answers, answers + to_seconds(now - counted) / to_seconds(regained));
  counted = now;
}

bool Patience::take(const NodeId& asker, Instant now) {
  if (left_.size() >= askers_max && !left_.contains(asker)) make_room(now);
  auto& left = left_.try_emplace(asker, Left{answers, now}).first->second;
  left.fill(now);
  if (left.answers < 1) return false;
  left.answers -= 1;
  return true;
}

void Patience::make_room(Instant now) {
  for (auto& [id, left] : left_) left.fill(now);
  left_.erase(std::max_element(left_.begin(), left_.end(), [](const auto& a, const auto& b) { return a.second.answers < b.second.answers; }));
}

}  // namespace wigwag
