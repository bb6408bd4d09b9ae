#include "sim/hostile/gang.hpp"

#include <algorithm>

namespace wigwag::sim {

void Gang::enlist(std::size_t machine) {
  const auto at = std::lower_bound(machines_.begin(), machines_.end(), machine);
  if (at == machines_.end() || *at != machine) machines_.insert(at, machine);
}

bool Gang::holds(std::size_t machine) const { return std::binary_search(machines_.begin(), machines_.end(), machine); }

std::optional<std::size_t> Gang::first_honest(std::size_t size) const {
  for (std::size_t machine = 0; machine < size; ++machine) {
    if (!holds(machine)) return machine;
  }
  return std::nullopt;
}

void Gang::remember(const Item& item) {
  if (loot_.size() >= loot_max) loot_.erase(loot_.begin() + loot_max / 2);
  loot_.push_back(item);
}

}  // namespace wigwag::sim
