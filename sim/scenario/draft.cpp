#include "sim/scenario/draft.hpp"

#include <algorithm>

#include "sim/scenario/regions.hpp"
#include "sim/scenario/units.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  return names;
}

// An empty name stands for "any".
void need_known(const std::string& name, const std::string& what, const std::vector<std::string>& known, const Place& place,
                const std::string& key, std::vector<Fault>& faults) {
  if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
  std::string text = "there is no " + what + " \"" + name + "\"";
  if (known.empty()) {
    text += "; the scenario names none: add a [[" + what + "]]";
  } else if (const auto meant = nearest(name, known)) {
    text += "; did you mean \"" + *meant + "\"?";
  } else {
    text += "; there is " + quoted_list(known);
  }
  faults.push_back({place, key, text});
}

void check_names(const Draft& draft, std::vector<Fault>& faults) {
  const Scenario& scenario = draft.scenario;
  const auto regions = names_of(scenario.regions), groups = names_of(scenario.groups);
  for (std::size_t i = 0; i < draft.groups.size(); ++i) {
    need_known(scenario.groups[i].region, "region", regions, draft.groups[i], "group.region", faults);
  }
  for (std::size_t i = 0; i < draft.region_links.size(); ++i) {
    need_known(scenario.region_links[i].a, "region", regions, draft.region_links[i], "region_link.between", faults);
    need_known(scenario.region_links[i].b, "region", regions, draft.region_links[i], "region_link.between", faults);
  }
  for (std::size_t i = 0; i < draft.happenings.size(); ++i) {
    const Happening& event = scenario.happenings[i];
    const Place& place = draft.happenings[i];
    need_known(event.who.group, "group", groups, place, "event.who.group", faults);
    need_known(event.who.region, "region", regions, place, "event.who.region", faults);
    need_known(event.other.group, "group", groups, place, "event.other.group", faults);
    need_known(event.other.region, "region", regions, place, "event.other.region", faults);
  }
}

void note_groups(const Scenario& scenario, std::vector<std::string>& notes) {
  std::size_t wanted = 0;
  std::uint64_t shares = 0;
  for (const auto& group : scenario.groups) {
    wanted += group.count.value_or(0);
    shares += group.share.value_or(0);
  }
  const auto seeds = std::min(scenario.joining.seeds, scenario.nodes);
  const auto shared = static_cast<std::size_t>(shares * scenario.nodes / always_ppm);
  // All of the nodes may be shared out: the seeds are then simply not taken.
  if (shares <= always_ppm && (wanted == 0 || wanted + shared + seeds <= scenario.nodes)) return;
  notes.push_back("the groups ask for " + std::to_string(wanted + shared) + " nodes, and there are " + std::to_string(scenario.nodes) +
                  " with the seeds, which are in no group: the last groups get fewer");
}

void note_happenings(const Draft& draft, std::vector<std::string>& notes) {
  const Scenario& scenario = draft.scenario;
  const Duration calm_from = scenario.duration - scenario.calm;
  std::size_t nodes = scenario.nodes;
  for (const auto& event : scenario.happenings) nodes += event.kind == Happening::Kind::join ? event.who.count.value_or(0) : 0;
  for (std::size_t i = 0; i < scenario.happenings.size(); ++i) {
    const auto& event = scenario.happenings[i];
    const auto note = [&](const std::string& text) { notes.push_back(to_string(Fault{draft.happenings[i], "event", text})); };
    if (event.at >= calm_from) {
      note(std::string(word(event.kind)) + " at " + print_duration(event.at) + " does not happen: the calm begins at " + print_duration(calm_from) +
           "; a longer --duration makes room");
    }
    for (const auto* who : {&event.who, &event.other}) {
      const auto most = std::max_element(who->nodes.begin(), who->nodes.end());
      if (most != who->nodes.end() && *most >= nodes) {
        note("there is no node " + std::to_string(*most) + ": the last is " + std::to_string(nodes - 1));
      }
    }
  }
}

void settle_calm(Draft& draft, std::vector<Fault>& faults) {
  Scenario& scenario = draft.scenario;
  if (!draft.calm_said) {
    scenario.calm = std::min<Duration>(minutes(1), scenario.duration / 3);
  } else if (scenario.calm >= scenario.duration) {
    faults.push_back({draft.calm, "calm", print_duration(scenario.calm) + " does not fit into the duration of " + print_duration(scenario.duration) +
                                              (draft.duration.origin.empty() ? "" : " (" + draft.duration.origin + ")") + "; allowed: less than that"});
  }
}

}  // namespace

void put_group(Draft& draft, NodeGroup group, Place place) {
  auto& groups = draft.scenario.groups;
  const auto same = std::find_if(groups.begin(), groups.end(), [&](const NodeGroup& g) { return g.name == group.name; });
  if (same == groups.end()) {
    groups.push_back(std::move(group));
    draft.groups.push_back(std::move(place));
  } else {
    draft.groups[static_cast<std::size_t>(same - groups.begin())] = std::move(place);
    *same = std::move(group);
  }
}

Result<Composed, std::vector<Fault>> finish(Draft draft) {
  std::vector<Fault> faults;
  Composed composed;
  if (draft.bundled_latencies) add_bundled_latencies(draft.scenario);
  settle_calm(draft, faults);
  check_names(draft, faults);
  if (!faults.empty()) return Unexpected{faults};
  note_groups(draft.scenario, composed.notes);
  note_happenings(draft, composed.notes);
  std::stable_sort(draft.scenario.happenings.begin(), draft.scenario.happenings.end(),
                   [](const Happening& a, const Happening& b) { return a.at < b.at; });
  composed.scenario = std::move(draft.scenario);
  return composed;
}

}  // namespace wigwag::sim
