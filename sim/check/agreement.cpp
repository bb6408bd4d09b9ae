#include <algorithm>

#include "sim/check/bounds_of_time.hpp"
#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I5. When the calm ends every honest node that is sound and meant to be there is joined, takes all such
// for live, and holds the same version of them as everybody; where nothing at all was said of late,
// the digests are equal too. What somebody said a moment ago about a member excuses that member.
class Agreement final : public Checker {
 public:
  Agreement(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I5", world, facts, found) {}

  void raised(std::size_t, const Event& event) override {
    if (event.subject == NodeId{}) return;
    if (const auto subject = machine_of(event.subject)) {
      said_.resize(std::max(said_.size(), *subject + 1));
      said_[*subject] = last_ = now();
    }
  }

  void calm_ends() override {
    std::vector<std::size_t> members;
    for (std::size_t machine = 0; machine < world().size(); ++machine) {
      if (facts_of(machine).expected && honest(machine) && sound_for(machine, seconds(30))) members.push_back(machine);
    }
    std::optional<std::size_t> first;
    for (const auto machine : members) {
      if (!world().node(machine).joined()) {
        report(named(machine) + " is not a member yet", machine);
        continue;
      }
      if (!first) first = machine;
      if (last_ + news_takes < now() && world().node(machine).view().digest != world().node(*first).view().digest && joined_by_paths(machine, members)) {
        report(named(machine) + " and " + named(*first) + " hold different digests, and nobody has said anything for long", machine);
      }
    }
    for (const auto i : spread_over(members.size(), 48)) compare(members[i], first.value_or(members[i]), members);
  }

 private:
  bool quiet(std::size_t subject) const { return subject >= said_.size() || said_[subject] + news_takes < now(); }
  bool joined_by_paths(std::size_t machine, const std::vector<std::size_t>& members) const {
    std::size_t paths = 0, asked = 0;
    for (const auto i : spread_over(members.size(), 32)) {
      if (members[i] == machine) continue;
      ++asked;
      if (has_path(machine, members[i])) ++paths;
    }
    return paths * 2 >= asked;
  }

  void compare(std::size_t observer, std::size_t reference, const std::vector<std::size_t>& members) {
    if (!world().node(observer).joined() || !joined_by_paths(observer, members)) return;
    for (const auto subject : members) {
      if (!quiet(subject) || !joined_by_paths(subject, members)) continue;
      const auto& id = world().id(subject);
      const auto health = world().node(observer).health_of(id);
      if (health != Health::alive && health != Health::suspect) {
        report(named(observer) + (health ? std::string(" takes ") + named(subject) + " for " + to_string(*health) : " does not know " + named(subject)) +
                   " at the end of the calm",
               observer);
      } else if (world().node(observer).version_of(id) != world().node(reference).version_of(id)) {
        report(named(observer) + " and " + named(reference) + " hold different versions of " + named(subject) + " at the end of the calm", observer);
      }
    }
  }

  std::vector<Instant> said_;  // by subject: when anybody last raised an event about it
  Instant last_{};
};

}  // namespace

std::unique_ptr<Checker> check_agreement(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Agreement>(world, facts, found);
}

}  // namespace wigwag::sim
