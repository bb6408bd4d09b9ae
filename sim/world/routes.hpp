#pragma once

#include <vector>

#include "netlink/tunnel_diff.hpp"

namespace wigwag::sim {

// The main routing table of one host, as far as it concerns the tunnel. Routes to single addresses are
// found by a search; only the few to ranges are gone through.
class Routes {
 public:
  // The kernel has one route a place, which is destination and metric: a second is refused as existing.
  void add(const TunnelRoute& route);
  void remove(const TunnelRoute& route);
  void clear() { hosts_.clear(), ranges_.clear(); }
  void clear_through_tunnel();
  // The longest prefix decides, then the lowest metric.
  bool lead_into_tunnel(const Address& to) const;

  std::size_t size() const { return hosts_.size() + ranges_.size(); }
  std::vector<ActualRoute> all() const;
  std::vector<ActualRoute> to(const std::vector<Prefix>& destinations) const;

 private:
  static bool is_host(const Prefix& prefix) { return prefix.length == prefix.address.bits(); }
  std::vector<ActualRoute>& table(const Prefix& prefix) { return is_host(prefix) ? hosts_ : ranges_; }
  std::vector<ActualRoute> hosts_, ranges_;  // sorted
};

}  // namespace wigwag::sim
