#pragma once

#include <unordered_map>
#include <vector>

#include "gossip/base/key.hpp"
#include "sim/world/packet.hpp"

namespace wigwag::sim {

// Numbers the WireGuard keys of one world, in the order in which they are first met.
class KeyNumbers {
 public:
  KeyNumber number(const TunnelKey& key) {
    const auto [at, fresh] = numbers_.try_emplace(key, static_cast<KeyNumber>(keys_.size()));
    if (fresh) keys_.push_back(key);
    return at->second;
  }
  const TunnelKey& key(KeyNumber number) const { return keys_[number]; }

 private:
  std::unordered_map<TunnelKey, KeyNumber, KeyHash> numbers_;
  std::vector<TunnelKey> keys_;
};

}  // namespace wigwag::sim
