#include "sim/report/document.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/report/figures.hpp"
#include "sim/report/numbers.hpp"
#include "sim/report/report.hpp"
#include "sim/scenario/write.hpp"

namespace wigwag::sim {
namespace {

using Json = nlohmann::ordered_json;

// Microseconds and millionths are as fine as anything is measured here; more digits would only be noise.
Json number(double value) {
  if (!std::isfinite(value)) {
    return nullptr;
  }
  const double fine = std::round(value * 1e6) / 1e6;
  return std::isfinite(fine) ? fine : value;
}

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

// Seeds use all 64 bits, of which JavaScript and jq keep 53: they are text.
Json seed_text(std::uint64_t seed) { return std::to_string(seed); }

Json scenario_part(const Scenario& scenario, std::uint64_t seed) {
  Json part;
  part["names"] = scenario.names;
  part["summary"] = scenario.summary;
  part["nodes"] = scenario.nodes;
  part["duration"] = duration_text(to_seconds(scenario.duration));
  part["calm"] = duration_text(to_seconds(scenario.calm));
  part["seed"] = seed_text(seed);
  part["loss_percent"] = number(scenario.weather.loss / 1e4);
  part["churn_percent_per_min"] = number(scenario.churn.rate_per_minute / 1e4);
  part["joining"] = scenario.joining.pattern == Joining::Pattern::storm ? "storm" : "converged";
  part["joining_over"] = duration_text(to_seconds(scenario.joining.over));
  part["joining_seeds"] = scenario.joining.seeds;
  part["regions"] = Json::array();
  for (const Region& region : scenario.regions) {
    part["regions"].push_back(region.name);
  }
  part["groups"] = Json::array();
  for (const NodeGroup& group : scenario.groups) {
    part["groups"].push_back(group.name);
  }
  part["toml"] = write_scenario(scenario);
  return part;
}

Json run_part(const RunOutcome& outcome) {
  Json part;
  part["seed"] = seed_text(outcome.seed);
  part["simulated_s"] = number(outcome.simulated_s);
  part["interrupted"] = outcome.interrupted;
  part["wall_s"] = number(outcome.wall_s);
  part["nodes"] = outcome.nodes;
  return part;
}

Json figures_part(const RunOutcome& outcome) {
  Json part;
  for (const Spread& spread : spreads(outcome)) {
    const Figure& figure = spread.figure;
    part[spread.key] = {{"count", figure.count}, {"p50", number(figure.p50)}, {"p90", number(figure.p90)}, {"p99", number(figure.p99)}, {"max", number(figure.max)}};
  }
  for (const Single& single : singles(outcome)) {
    part[single.key] = single.unit == "%" && single.value ? number(*single.value / 100) : number(single.value);
  }
  return part;
}

Json sample_part(const Sample& sample) {
  return {{"at_s", number(sample.at)},
          {"running", sample.running},
          {"joined", sample.joined},
          {"agreeing", number(sample.agreeing)},
          {"true_views", number(sample.true_views)},
          {"reachable", number(sample.reachable)},
          {"bytes_per_node_s", number(sample.bytes_per_node_s)},
          {"handshakes_per_node_min", number(sample.handshakes_per_node_min)},
          {"suspects", sample.suspects},
          {"downs", sample.downs},
          {"false_downs", sample.false_downs}};
}

Json broken_part(const Broken& broken) {
  return {{"at_s", number(broken.at)}, {"invariant", broken.invariant}, {"text", broken.text}, {"node", broken.node ? Json(*broken.node) : Json(nullptr)}};
}

// What the page says of each figure, so that the words stand in one place.
Json cards_part(const RunOutcome& outcome) {
  Json part = Json::array();
  for (const Spread& spread : spreads(outcome)) {
    part.push_back({{"key", spread.key}, {"title", spread.title}, {"meaning", spread.meaning}, {"unit", spread.unit}, {"spread", true},
                    {"p50_most", number(spread.p50_most)}, {"p99_most", number(spread.p99_most)}});
  }
  for (const Single& single : singles(outcome)) {
    part.push_back({{"key", single.key}, {"title", single.title}, {"meaning", single.meaning}, {"unit", single.unit}, {"spread", false},
                    {"target", number(single.target)}, {"at_least", single.at_least}});
  }
  return part;
}

const char* name_of(Moment::What what) {
  switch (what) {
    case Moment::What::started: return "started";
    case Moment::What::joined: return "joined";
    case Moment::What::stopped: return "stopped";
    case Moment::What::paused: return "paused";
    case Moment::What::resumed: return "resumed";
    case Moment::What::cut: return "cut";
    case Moment::What::mended: return "mended";
    case Moment::What::left: return "left";
    case Moment::What::suspected: return "suspected";
    case Moment::What::down: return "down";
    case Moment::What::cleared: return "cleared";
    case Moment::What::moved: return "moved";
    case Moment::What::hostile: return "hostile";
  }
  return "";
}

// Thousands of nodes make hundreds of thousands of moments: milliseconds and short rows keep the page small.
void add_picture(Json& whole, const RunOutcome& outcome) {
  whole["cards"] = cards_part(outcome);
  Json& identities = whole["identities"] = Json::array();
  for (const Identity& identity : outcome.identities) {
    identities.push_back({identity.name, identity.region, identity.group});
  }
  whole["moments_cut"] = outcome.moments_cut;
  Json& moments = whole["moments"] = Json::array();
  for (const Moment& moment : outcome.moments) {
    if (std::isfinite(moment.at)) {
      moments.push_back({std::llround(moment.at * 1000), moment.node, name_of(moment.what), moment.by});
    }
  }
}

Json whole_document(const RunOutcome& outcome) {
  Json whole;
  whole["format"] = 1;
  whole["scenario"] = scenario_part(outcome.scenario, outcome.seed);
  whole["run"] = run_part(outcome);
  whole["figures"] = figures_part(outcome);
  whole["samples"] = Json::array();
  for (const Sample& sample : outcome.samples) {
    whole["samples"].push_back(sample_part(sample));
  }
  whole["played"] = Json::array();
  for (const Played& played : outcome.played) {
    whole["played"].push_back({{"at_s", number(played.at)}, {"until_s", number(played.until)}, {"text", played.text}});
  }
  whole["broken"] = Json::array();
  for (const Broken& broken : outcome.broken) {
    whole["broken"].push_back(broken_part(broken));
  }
  whole["trace_hash"] = to_hex(outcome.trace.view());
  whole["replay"] = outcome.replay;
  return whole;
}

}  // namespace

std::string document(const RunOutcome& outcome, bool for_page) {
  Json whole = whole_document(outcome);
  if (for_page) {
    add_picture(whole, outcome);
  }
  return whole.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json(const RunOutcome& outcome) {
  return whole_document(outcome).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wigwag::sim
