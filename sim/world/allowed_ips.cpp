#include "sim/world/allowed_ips.hpp"

#include <algorithm>
#include <utility>

namespace wigwag::sim {

std::optional<std::uint32_t> AllowedIps::give(const Prefix& prefix, std::uint32_t peer) {
  const auto [at, fresh] = holders_.try_emplace(prefix, peer);
  if (fresh) {
    if (prefix.length != prefix.address.bits()) {
      const auto place = std::find_if(ranges_.begin(), ranges_.end(), [&](const Prefix& one) { return one.length < prefix.length; });
      ranges_.insert(place, prefix);
    }
    return std::nullopt;
  }
  const auto before = std::exchange(at->second, peer);
  return before == peer ? std::nullopt : std::optional(before);
}

void AllowedIps::take(const Prefix& prefix) {
  holders_.erase(prefix);
  if (prefix.length != prefix.address.bits()) std::erase(ranges_, prefix);
}

std::optional<std::uint32_t> AllowedIps::holder(const Prefix& prefix) const {
  const auto found = holders_.find(prefix);
  return found == holders_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> AllowedIps::owner_of(const Address& address) const {
  if (const auto exact = holder(Prefix::host(address))) return exact;
  for (const Prefix& range : ranges_) {
    if (range.contains(address)) return holders_.at(range);
  }
  return std::nullopt;
}

void AllowedIps::clear() {
  holders_.clear();
  ranges_.clear();
}

}  // namespace wigwag::sim
