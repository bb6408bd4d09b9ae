#include <set>

#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I7. Whoever has heard a goodbye does not take its author back, and at the end nobody does.
class Removals final : public Checker {
 public:
  Removals(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I7", world, facts, found) {}

  void stopped(std::size_t machine) override {
    heard_.erase(heard_.lower_bound({machine, NodeId{}}), heard_.lower_bound({machine + 1, NodeId{}}));
  }
  void raised(std::size_t machine, const Event& event) override {
    const bool back = event.kind == EventKind::member_joined || event.kind == EventKind::member_alive || event.kind == EventKind::member_changed;
    if (event.kind == EventKind::member_left) heard_.insert({machine, event.subject});
    else if (back && honest(machine) && heard_.contains({machine, event.subject})) taken_back(machine, event.subject);
  }

  void look() override {
    if (!turn_.comes(heard_.size())) return;
    for (const auto& [machine, subject] : heard_) {
      if (!world().running(machine) || !honest(machine)) continue;
      const auto health = world().node(machine).health_of(subject);
      if (health == Health::alive || health == Health::suspect) taken_back(machine, subject);
    }
  }
  void calm_ends() override {
    for (std::size_t subject = 0; subject < facts().machines.size(); ++subject) {
      if (!facts_of(subject).removed) continue;
      for (const auto observer : spread_over(world().size(), 64)) {
        if (!honest(observer) || observer == subject || !sound_for(observer, seconds(60))) continue;
        const auto health = world().node(observer).health_of(world().id(subject));
        if (health != Health::alive && health != Health::suspect) continue;
        report(named(observer) + " takes " + named(subject) + " for " + to_string(*health) + ", which is out for good", subject);
      }
    }
  }

 private:
  void taken_back(std::size_t machine, const NodeId& id) {
    const auto subject = machine_of(id);
    report(named(machine) + " took " + (subject ? named(*subject) : std::string("somebody")) + " back after its goodbye", machine);
  }

  Turn turn_{5000};
  std::set<std::pair<std::size_t, NodeId>> heard_;
};

}  // namespace

std::unique_ptr<Checker> check_removals(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Removals>(world, facts, found);
}

}  // namespace wigwag::sim
