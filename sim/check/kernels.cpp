#include <algorithm>

#include "netlink/tunnel_diff.hpp"
#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I9. Asked whenever a reconciler says that it is done, as often as comparing so many peers a look allows. Nothing foreign is in
// a simulated kernel, so it must hold exactly the wish; and the difference engine must find nothing to do.
class Kernels final : public Checker {
 public:
  Kernels(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I9", world, facts, found) {}

  void applied(std::size_t machine) override {
    if (peers_left_ < world().size()) return;
    peers_left_ -= world().size();
    compare(machine);
  }
  void look() override { peers_left_ = std::min(peers_left_ + peers_a_look, std::max(peers_a_look, world().size())); }

 private:
  void compare(std::size_t machine) {
    const Tunnel* wish = world().desired(machine);
    if (wish == nullptr) return;
    const auto& kernel = world().kernel(machine);
    const auto actual = kernel.read();
    differ(machine, *wish, actual);
    // What is applied is taken from the kernel itself: a reconciler that starts anew must find peace too.
    DesiredTunnel desired{*wish, {}};
    desired.device.public_key = actual.public_key.value_or(TunnelKey{});
    const auto applied = settle(desired, claim(desired, {}), actual);
    const auto again = diff_tunnel(desired, applied, actual, {.down = {}, .removes_allowed_ip = kernel.removes_allowed_ip()});
    if (!again.empty()) report(named(machine) + " would change its kernel once more: " + to_string(again.changes.front()), machine);
    for (const auto& conflict : again.conflicts) report(named(machine) + " wishes what cannot be had: " + to_string(conflict), machine);
  }

  void differ(std::size_t machine, const Tunnel& wish, const ActualTunnel& actual) {
    // What an earlier life put there is nobody's any more once its disk has gone: it stays, as if foreign.
    const bool forgot = facts_of(machine).disks != 0;
    const auto right = [&](std::size_t held, std::size_t wanted) { return held == wanted || (forgot && held > wanted); };
    if (!right(actual.peers.size(), wish.peers.size())) {
      report(named(machine) + " has " + std::to_string(actual.peers.size()) + " peers in its kernel and planned " + std::to_string(wish.peers.size()), machine);
      return;
    }
    for (const auto& peer : wish.peers) {
      const auto* held = world().kernel(machine).peer(peer.key);
      if (held == nullptr) {
        report(named(machine) + " lacks a planned peer in its kernel: " + to_base64(peer.key), machine);
      } else if (sorted(held->allowed_ips) != peer.allowed_ips || held->keepalive != peer.keepalive) {
        report(named(machine) + " has a peer in its kernel with other allowed IPs or keepalives than planned: " + to_base64(peer.key), machine);
      }
    }
    if (!forgot && sorted(actual.addresses) != wish.addresses) report(named(machine) + " has other addresses than planned", machine);
    if (!right(actual.routes.size(), wish.routes.size())) {
      report(named(machine) + " has " + std::to_string(actual.routes.size()) + " routes and planned " + std::to_string(wish.routes.size()), machine);
    }
  }
  static std::vector<Prefix> sorted(std::vector<Prefix> prefixes) {
    std::sort(prefixes.begin(), prefixes.end());
    return prefixes;
  }

  static constexpr std::size_t peers_a_look = 300;
  std::size_t peers_left_ = peers_a_look;
};

}  // namespace

std::unique_ptr<Checker> check_kernels(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Kernels>(world, facts, found);
}

}  // namespace wigwag::sim
