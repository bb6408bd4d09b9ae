#include "sim/report/figures.hpp"

#include <algorithm>
#include <cmath>

namespace wigwag::sim {
namespace {

// Nothing is wrong with such a run, so that what it costs is what wigwag costs at rest.
bool idle(const Scenario& scenario) {
  return scenario.churn.rate_per_minute == 0 && scenario.happenings.empty() &&
         std::none_of(scenario.groups.begin(), scenario.groups.end(), [](const NodeGroup& group) { return group.hostile.has_value(); });
}

std::optional<double> bytes_target(const Scenario& scenario) {
  if (idle(scenario)) {
    return 400;
  }
  return scenario.churn.rate_per_minute > 0 ? std::optional<double>(4000) : std::nullopt;
}

std::optional<double> speed_target(const Scenario& scenario) {
  if (idle(scenario) && scenario.joining.pattern == Joining::Pattern::converged) {
    return 500'000;
  }
  return scenario.churn.rate_per_minute > 0 ? std::optional<double>(100'000) : std::nullopt;
}

std::optional<double> measured(bool there, double value) {
  return there && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::vector<Spread> spreads(const RunOutcome& outcome) {
  return {
      {"join_s", "join", "daemon's start to admission", "s", outcome.join, {}, {}},
      {"convergence_s", "convergence", "lasting change to right views", "s", outcome.convergence, {}, {}},
      {"update_s", "update", "new record to 99 % holding it", "s", outcome.update, 0.5, {}},
      {"detection_s", "detection", "crash to 99 % seeing it Down", "s", outcome.detection, 4, 7},
      {"detection_half_s", "first half", "crash to 50 % seeing it Down", "s", outcome.detection_half, {}, {}},
      {"detection_all_s", "last of all", "crash to all seeing it Down", "s", outcome.detection_all, {}, {}},
      {"failover_s", "failover", "home lost to the next in use", "s", outcome.failover, {}, 2},
      {"healing_s", "healing", "partition's end to agreement", "s", outcome.healing, {}, 15},
      {"bytes_per_node_s", "bytes", "sent per node, once joined", "B/s", outcome.bytes_per_node_s, bytes_target(outcome.scenario), {}},
  };
}

std::vector<Single> singles(const RunOutcome& outcome) {
  const bool sampled = !outcome.samples.empty();
  const bool storm = outcome.scenario.joining.pattern == Joining::Pattern::storm && outcome.scenario.joining.over == Duration{};
  const bool through_one = storm && outcome.scenario.joining.seeds == 1;
  const double node_seconds = outcome.node_hours * 3600;
  return {
      {"all_joined_s", "all joined", "every daemon a member", "s", outcome.all_joined, through_one ? std::optional<double>(15) : std::nullopt},
      {"all_agreed_s", "all agreed", "everybody first knew everybody", "s", outcome.all_agreed, {}},
      {"false_downs", "false deaths", "Down said of nodes that ran within reach", "", measured(outcome.node_hours > 0, static_cast<double>(outcome.false_downs)), 0, false, true},
      {"node_hours", "observed", "running time of all daemons", "node-hours", measured(outcome.node_hours > 0, outcome.node_hours), {}},
      {"reachable", "reachable", "random pairs, mean once all had joined", "%", measured(sampled && outcome.all_joined, outcome.reachable * 100), {}},
      {"handshakes_per_node_min", "handshakes", "per node per minute", "/min", measured(sampled, outcome.handshakes_per_node_min), {}},
      {"seed_bytes_per_joiner", "first node", "sent per joiner until all had joined", "B", measured(sampled && outcome.seed_bytes_per_joiner > 0, outcome.seed_bytes_per_joiner),
       through_one ? std::optional<double>(12'000) : std::nullopt},
      {"node_seconds_per_s", "speed", "node-seconds simulated per second", "/s", measured(outcome.wall_s > 0, node_seconds / outcome.wall_s), speed_target(outcome.scenario), true},
  };
}

}  // namespace wigwag::sim
