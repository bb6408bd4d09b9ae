#include "gossip/trust/overlay.hpp"

#include <algorithm>

#include "gossip/base/check.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag {

Prefix overlay_ipv6_prefix(const NetworkId& network) {
  Address address{.family = Family::ipv6};
  address.bytes[0] = 0xfd;
  std::copy_n(network.bytes.begin(), 5, address.bytes.begin() + 1);
  return {address, 48};
}

Address overlay_ipv6(const NetworkId& network, const NodeId& node) {
  Address address = overlay_ipv6_prefix(network).address;
  std::copy_n(node.bytes.begin(), 8, address.bytes.begin() + 8);
  return address;
}

Address overlay_ipv4_candidate(const Prefix& prefix, const NodeId& node, std::uint32_t attempt) {
  check(prefix.address.family == Family::ipv4 && prefix.length <= 30,
        "an overlay prefix has room between its first and last address");
  std::array<std::uint8_t, 40> input{};
  std::copy(node.bytes.begin(), node.bytes.end(), input.begin());
  store_be64(input.data() + 32, attempt);
  const Hash32 hash = blake2b(input, view_of("wigwag.ipv4"));
  const std::uint64_t usable = (std::uint64_t{1} << (32 - prefix.length)) - 2;
  const std::uint64_t offset = 1 + load_be64(hash.bytes.data()) % usable;
  return Address::ipv4(prefix.address.ipv4_number() + static_cast<std::uint32_t>(offset));
}

Prefix default_ipv4_prefix(const NetworkId& network, const std::vector<Prefix>& avoid) {
  const auto pick = [&](std::uint32_t step) {
    const std::uint32_t second = (network.bytes[0] + step) % 256;
    return Prefix{Address::ipv4((10U << 24) | (second << 16)), 16};
  };
  for (std::uint32_t step = 0; step < 256; ++step) {
    const Prefix candidate = pick(step);
    const bool clear = std::none_of(avoid.begin(), avoid.end(), [&](const Prefix& taken) { return taken.overlaps(candidate); });
    if (clear) return candidate;
  }
  // Something wider than 10.0.0.0/8 is routed here; a /16 is more specific and wins over it.
  return pick(0);
}

}  // namespace wigwag
