#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/reconciler.hpp"
#include "netlink/tunnel_diff.hpp"

namespace wigwag {

// Turns what the reconciler sees, run by run, into what an operator should read: each
// cause once, not once a run. Pure. Remembers the interface as the last good run left
// it, the conflicts and the failure already told.
class TunnelWatch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TunnelWatch(std::string interface) : interface_(std::move(interface)) {}

  // Before a run changes anything. `same_wish`: nothing was newly wished since the last
  // good run, so every difference is somebody else's doing.
  void look(const ActualTunnel& actual, const TunnelDiff& diff, bool same_wish, Clock::time_point now);
  // After a run that left the kernel as wanted.
  std::vector<TunnelEvent> good(const ActualTunnel& actual);
  std::vector<TunnelEvent> conflicts(const std::vector<TunnelConflict>& found);
  std::vector<TunnelEvent> failed(const std::string& why);

  // The interface of the last good run; 0 before it.
  std::uint32_t index() const { return index_; }
  void forget() { index_ = 0; }

 private:
  std::string interface_;
  std::uint32_t index_ = 0;
  std::vector<TunnelEvent> seen_;  // told once the repair has worked
  std::set<TunnelConflict> conflicts_;
  std::string failure_;
  std::optional<Clock::time_point> changed_told_;
};

}  // namespace wigwag
