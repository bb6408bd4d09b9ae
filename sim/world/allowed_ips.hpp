#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gossip/base/ip.hpp"

namespace wigwag::sim {

// Which peer of a device holds which prefix: each prefix one peer, the longest match decides. A
// single address is found at once; only ranges are gone through.
class AllowedIps {
 public:
  // The peer that held it before, when that was another.
  std::optional<std::uint32_t> give(const Prefix& prefix, std::uint32_t peer);
  void take(const Prefix& prefix);
  std::optional<std::uint32_t> holder(const Prefix& prefix) const;
  std::optional<std::uint32_t> owner_of(const Address& address) const;
  void clear();

 private:
  struct Hash {
    std::size_t operator()(const Prefix& prefix) const {
      const auto& bytes = prefix.address.bytes;
      const std::uint64_t mixed = (load_be64(bytes.data()) ^ (load_be64(bytes.data() + 8) + prefix.length) * 0x9E3779B97F4A7C15U) * 0xD6E8FEB86659FD93U;
      return static_cast<std::size_t>(mixed ^ mixed >> 32);
    }
  };
  std::unordered_map<Prefix, std::uint32_t, Hash> holders_;
  std::vector<Prefix> ranges_;           // those that are more than one address, longest first
};

}  // namespace wigwag::sim
