#include "sim/check/checker.hpp"

#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {

void Checker::report(std::string text, std::optional<std::size_t> node) { report_as(name_, std::move(text), node); }

void Checker::report_as(const std::string& invariant, std::string text, std::optional<std::size_t> node) {
  if (full()) return;
  ++reports_;
  found_.push_back({to_seconds(now() - facts_.began), invariant, std::move(text), node});
}

Instant Checker::now() const { return world_.now().at; }

const CheckFacts::Machine& Checker::facts_of(std::size_t machine) const {
  static const CheckFacts::Machine ordinary;
  return machine < facts_.machines.size() ? facts_.machines[machine] : ordinary;
}

bool Checker::sound_for(std::size_t machine, Duration span) const {
  const auto& facts = facts_of(machine);
  return facts.sound && world_.running(machine) && facts.sound_since + span <= now();
}

bool Checker::has_path(std::size_t a, std::size_t b) const { return facts_.path ? facts_.path(a, b) : world_.has_physical_path(a, b); }

std::optional<std::size_t> Checker::machine_of(const NodeId& id) const { return world_.machine_of(id); }

std::vector<std::unique_ptr<Checker>> all_checkers(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  std::vector<std::unique_ptr<Checker>> checkers;
  for (const auto make : {check_versions, check_signatures, check_verdicts, check_refutations, check_agreement, check_detection, check_removals,
                          check_bounds, check_kernels, check_traffic, check_owners, check_reach, check_conservation}) {
    checkers.push_back(make(world, facts, found));
  }
  return checkers;
}

}  // namespace wigwag::sim
