#pragma once

#include <functional>
#include <set>
#include <vector>

#include "netlink/tunnel_diff.hpp"
#include "sim/world/fake_kernel.hpp"

namespace wigwag::sim {

// Makes a kernel equal to a wish as the daemon does: the difference engine's operations between what
// is wished for, what was last applied and what is there, carried out in their order, then looked at
// again. In large meshes only the peers that anything can have changed about are handed to the engine;
// whole() hands it all, and must then find nothing to do.
class Reconciler {
 public:
  using IsDown = std::function<bool(const TunnelKey&)>;

  // The wish is another than it was.
  void note(const Desire& desire);
  // True: the kernel equals the wish.
  bool run(FakeKernel& kernel, const TunnelDevice& device, const Tunnel& wish, const IsDown& is_down);
  // Whether there is anything to do though the wish is the one that was fulfilled last.
  bool wants_look(FakeKernel& kernel, const Tunnel& wish, const IsDown& is_down);
  // What run() over everything would do now.
  TunnelDiff whole(const FakeKernel& kernel, const TunnelDevice& device, const Tunnel& wish, const IsDown& is_down) const;
  const AppliedTunnel& applied() const { return applied_; }
  // The disk is lost, and with it the memory of what is ours.
  void forget();
  // The kernel has rebooted.
  void start_over() { all_stale_ = true; }

 private:
  std::vector<TunnelKey> to_look_at(const FakeKernel& kernel, const Tunnel& wish) const;
  void merge(AppliedTunnel settled, const std::vector<TunnelKey>& looked_at, const std::vector<Prefix>& destinations);

  AppliedTunnel applied_;
  bool all_stale_ = true;                // what is in the kernel may differ from the wish anywhere; else
  std::set<TunnelKey> stale_;            // about these peers,
  std::set<TunnelKey> astray_;           // and these: the kernel's endpoint is not the wished one. They roamed, and stay while it works
};

}  // namespace wigwag::sim
