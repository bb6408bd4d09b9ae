#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "sim/check/bounds_of_time.hpp"
#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I6. Once a daemon has been silent for the bound, a sample of the nodes is asked, each when it has seen most
// of the others for as long: whoever was cut off may hear only then that the fallen had ever come back. In
// heavy loss, or when many fell together, votes come together more slowly: then only the end of the calm counts.
class Detection final : public Checker {
 public:
  Detection(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I6", world, facts, found) {}

  void started(std::size_t machine) override { fallen_.erase(machine); }
  void stopped(std::size_t machine) override { fallen_.try_emplace(machine, Fallen{now(), false, {}}); }

  void look() override {
    const auto observers = spread_over(world().size(), 12);
    const bool pending = std::any_of(fallen_.begin(), fallen_.end(), [](const auto& entry) { return !entry.second.looked; });
    for (const auto observer : observers) {
      if (pending && !sees_most(observer)) apart_[observer] = now();
    }
    for (auto& [machine, fallen] : fallen_) {
      if (fallen.looked || fallen.at + detection_bound > now()) continue;
      fallen.looked = facts().loss > detection_bound_loss || facts().began + detection_bound > fallen.at || !alone_in_falling(fallen.at);
      if (!fallen.looked) look_at(machine, fallen, observers);
    }
  }
  void calm_ends() override {
    for (const auto& [machine, fallen] : fallen_) {
      if (fallen.at + detection_bound > now()) continue;
      for (const auto observer : spread_over(world().size(), 64)) {
        if (sound_for(observer, seconds(60))) ask(observer, machine, fallen.at);
      }
    }
  }

 private:
  struct Fallen {
    Instant at;
    bool looked;
    std::set<std::size_t> asked;
  };

  void look_at(std::size_t machine, Fallen& fallen, const std::vector<std::size_t>& observers) {
    fallen.looked = true;
    for (const auto observer : observers) {
      if (fallen.asked.contains(observer)) continue;
      const auto apart = apart_.find(observer);
      const Instant since = apart == apart_.end() ? fallen.at : std::max(fallen.at, apart->second);
      if (since + detection_bound > now()) {
        fallen.looked = false;
        continue;
      }
      fallen.asked.insert(observer);
      if (sound_for(observer, now() - fallen.at)) ask(observer, machine, fallen.at);
    }
  }

  bool alone_in_falling(Instant at) const {
    const auto together = std::count_if(fallen_.begin(), fallen_.end(), [&](const auto& other) {
      return other.second.at + minutes(1) > at && at + detection_bound > other.second.at;
    });
    return static_cast<std::size_t>(together) * 5 <= world().size() || world().size() - fallen_.size() <= 1;
  }
  bool sees_most(std::size_t observer) const {
    std::size_t asked = 0, seen = 0;
    for (const auto other : spread_over(world().size(), 32)) {
      if (other == observer || !world().running(other)) continue;
      ++asked;
      if (facts_of(other).sound && has_path(observer, other)) ++seen;
    }
    return seen * 10 >= asked * 9;
  }
  void ask(std::size_t observer, std::size_t subject, Instant fell) {
    if (observer == subject || !honest(observer) || !world().running(observer)) return;
    const auto health = world().node(observer).health_of(world().id(subject));
    if (health != Health::alive && health != Health::suspect) return;
    report(named(observer) + " still takes " + named(subject) + " for " + to_string(*health) + " " + std::to_string(static_cast<int>(to_seconds(now() - fell))) +
               " s after its end",
           subject);
  }

  std::map<std::size_t, Fallen> fallen_;
  std::map<std::size_t, Instant> apart_;   // when an observer last saw fewer than most
};

}  // namespace

std::unique_ptr<Checker> check_detection(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Detection>(world, facts, found);
}

}  // namespace wigwag::sim
