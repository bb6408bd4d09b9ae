#include <set>

#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I13. In an honest kernel no prefix stands with two peers, none of the machine's own stands with any, and an
// honest member's IPv6 address, which follows from its identity, stands with its own key or with none. When
// the calm ends that holds of its IPv4 address too. Packets of this plane go from one end to the other
// and are never passed on, so with that they cannot go in circles either.
class Owners final : public Checker {
 public:
  Owners(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I13", world, facts, found) {}

  void look() override {
    if (!turn_.comes(world().size())) return;
    look_at(next_++ % world().size());
  }
  void calm_ends() override {
    for (const auto observer : spread_over(world().size(), 16)) {
      look_at(observer);
      if (!sound_for(observer, seconds(60)) || !honest(observer) || !facts_of(observer).expected) continue;
      for (const auto subject : spread_over(world().size(), 256)) look_for_ipv4(observer, subject);
    }
  }

 private:
  void look_at(std::size_t observer) {
    if (!honest(observer)) return;
    std::set<Prefix> seen;
    for (const auto& peer : world().kernel(observer).peers()) {
      for (const auto& prefix : peer.allowed_ips) {
        if (!seen.insert(prefix).second) report(named(observer) + " has " + to_string(prefix) + " with two peers", observer);
        if (world().kernel(observer).has_address(prefix.address)) report(named(observer) + " has its own " + to_string(prefix) + " with a peer", observer);
      }
    }
    for (const auto subject : spread_over(world().size(), 256)) {
      if (honest(subject) && subject != observer) belongs(observer, subject, Prefix::host(world().overlay_address(subject)));
    }
  }
  void belongs(std::size_t observer, std::size_t subject, const Prefix& prefix) {
    const auto* holder = world().kernel(observer).holder(prefix);
    if (holder == nullptr || *holder == world().tunnel_key(subject)) return;
    report(named(observer) + " sends what is meant for " + named(subject) + " (" + to_string(prefix) + ") to another's key", subject);
  }
  void look_for_ipv4(std::size_t observer, std::size_t subject) {
    if (!honest(subject) || subject == observer || !sound_for(subject, seconds(60)) || world().desired(subject) == nullptr) return;
    for (const auto& prefix : world().desired(subject)->addresses) {
      if (prefix.address.family == Family::ipv4) belongs(observer, subject, prefix);
    }
  }

  Turn turn_{100};
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Checker> check_owners(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Owners>(world, facts, found);
}

}  // namespace wigwag::sim
