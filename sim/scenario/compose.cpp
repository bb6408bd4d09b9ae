#include "sim/scenario/compose.hpp"

namespace wigwag::sim {
namespace {

void override_links(Draft& draft, const Overrides& overrides) {
  Scenario& scenario = draft.scenario;
  if (overrides.loss) {
    scenario.weather.loss = *overrides.loss;
    for (auto& group : scenario.groups) {
      if (group.weather) group.weather->loss = *overrides.loss;
    }
  }
  if (overrides.latency) {
    scenario.weather.latency = *overrides.latency;
    for (auto& group : scenario.groups) {
      if (group.weather) group.weather->latency = *overrides.latency;
    }
    scenario.region_links.clear();
    draft.region_links.clear();
    draft.bundled_latencies = false;
  }
  if (overrides.bundled_latencies) draft.bundled_latencies = true;
}

void override_nat(Draft& draft, const std::vector<NatShare>& mix) {
  for (auto& group : draft.scenario.groups) {
    group.nat.reset();
    group.behind_one = 1;
  }
  for (const auto& one : mix) {
    NodeGroup group;
    group.name = "nat-" + std::to_string(&one - mix.data() + 1);
    group.share = one.share;
    group.nat = one.nat;
    group.behind_one = one.behind_one;
    put_group(draft, std::move(group), {"--nat", 0});
  }
}

}  // namespace

Result<Composed, std::vector<Fault>> compose(const std::vector<Source>& sources, const Overrides& overrides) {
  Draft draft;
  std::vector<Fault> faults;
  for (const auto& source : sources) {
    const auto found = lay_over(draft, source.text, source.path, source.name);
    faults.insert(faults.end(), found.begin(), found.end());
  }
  if (!faults.empty()) return Unexpected{faults};
  Scenario& scenario = draft.scenario;
  if (overrides.nodes) scenario.nodes = *overrides.nodes;
  if (overrides.duration) {
    scenario.duration = *overrides.duration;
    draft.duration = {"--duration", 0};
  }
  if (overrides.seed) scenario.seed = overrides.seed;
  if (overrides.churn) scenario.churn.rate_per_minute = *overrides.churn;
  override_links(draft, overrides);
  if (overrides.nat) override_nat(draft, *overrides.nat);
  for (const auto& partition : overrides.partitions) {
    scenario.happenings.push_back(partition);
    draft.happenings.push_back({"--partition", 0});
  }
  return finish(std::move(draft));
}

}  // namespace wigwag::sim
