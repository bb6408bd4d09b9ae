#pragma once

#include <functional>
#include <memory>
#include <set>

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

  // True: the kernel equals the wish.
  bool run(FakeKernel& kernel, const TunnelDevice& device, const std::shared_ptr<const Tunnel>& wish, const IsDown& is_down);
  // Whether there is anything to do for the wish that was fulfilled last.
  bool wants_look(FakeKernel& kernel, const IsDown& is_down);
  // What run() over everything would do now.
  TunnelDiff whole(const FakeKernel& kernel, const TunnelDevice& device, const Tunnel& wish, const IsDown& is_down) const;
  const AppliedTunnel& applied() const { return applied_; }
  // The disk is lost, and with it the memory of what is ours.
  void forget();
  // The kernel has rebooted.
  void start_over() { fulfilled_.reset(); }

 private:
  std::vector<TunnelKey> to_look_at(const FakeKernel& kernel, const Tunnel& wish) const;
  void merge(const AppliedTunnel& settled, const std::vector<TunnelKey>& looked_at);

  AppliedTunnel applied_;
  std::shared_ptr<const Tunnel> fulfilled_;
  std::set<TunnelKey> astray_;           // the kernel's endpoint is not the wished one: it roamed, and stays while it works
};

}  // namespace wigwag::sim
