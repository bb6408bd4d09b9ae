#include "sim/run/cast.hpp"

#include <algorithm>

#include "gossip/trust/crypto.hpp"

namespace wigwag::sim {

Rng rng_for(std::uint64_t seed, const std::string& name) {
  Bytes bytes(8);
  store_be64(bytes.data(), seed);
  bytes.insert(bytes.end(), name.begin(), name.end());
  return Rng(load_be64(blake2b(bytes).bytes.data()));
}

std::size_t share_of(Ppm share, std::size_t all) {
  const auto part = static_cast<std::size_t>(std::uint64_t{share} * all / always_ppm);
  return std::min(std::max<std::size_t>(part, share > 0 ? 1 : 0), all);
}

Cast::Cast(const Scenario& scenario, std::uint64_t seed)
    : scenario_(&scenario), roles_(scenario.nodes), turns_(scenario.regions.size(), 0), routers_(scenario.groups.size()) {
  share_out_groups(seed);
  for (std::size_t node = 0; node < roles_.size(); ++node) settle(node);
}

// Groups draw their nodes in the order in which they are written; what is left stays ordinary.
void Cast::share_out_groups(std::uint64_t seed) {
  std::vector<std::size_t> free;
  for (std::size_t node = scenario_->joining.seeds; node < roles_.size(); ++node) free.push_back(node);
  rng_for(seed, "groups").shuffle(free);
  std::size_t next = 0;
  for (std::size_t group = 0; group < scenario_->groups.size(); ++group) {
    const NodeGroup& wanted = scenario_->groups[group];
    const std::size_t number = wanted.count ? *wanted.count : share_of(wanted.share.value_or(0), roles_.size());
    for (std::size_t taken = 0; taken < number && next < free.size(); ++taken) roles_[free[next++]].group = group;
  }
}

void Cast::settle(std::size_t node) {
  Role& role = roles_[node];
  if (!role.region && !scenario_->regions.empty()) {
    const NodeGroup* own = group(node);
    const auto named = own == nullptr ? scenario_->regions.end()
                                      : std::find_if(scenario_->regions.begin(), scenario_->regions.end(),
                                                     [&](const Region& region) { return region.name == own->region; });
    role.region = named != scenario_->regions.end() ? static_cast<std::size_t>(named - scenario_->regions.begin()) : next_region();
  }
  find_router(node);
}

// Each turn every region gains its weight and the richest pays for all: nodes come to be spread by
// weight at every number of them, and nothing is left to chance.
std::size_t Cast::next_region() {
  std::int64_t all = 0;
  std::size_t richest = 0;
  for (std::size_t region = 0; region < turns_.size(); ++region) {
    all += scenario_->regions[region].weight;
    turns_[region] += scenario_->regions[region].weight;
    if (turns_[region] > turns_[richest]) richest = region;
  }
  turns_[richest] -= all;
  return richest;
}

void Cast::find_router(std::size_t node) {
  Role& role = roles_[node];
  const NodeGroup* own = group(node);
  if (own == nullptr || !own->nat || own->behind_one <= 1) return;
  auto& router = routers_[*role.group];
  if (router && router->behind < own->behind_one) {
    role.beside = router->first;
    role.region = roles_[router->first].region;
    ++router->behind;
  } else {
    router = Router{node, 1};
  }
}

const NodeGroup* Cast::group(std::size_t node) const {
  const auto& group = roles_[node].group;
  return group ? &scenario_->groups[*group] : nullptr;
}

std::string Cast::group_name(std::size_t node) const { return roles_[node].group ? scenario_->groups[*roles_[node].group].name : std::string(); }
std::string Cast::region_name(std::size_t node) const { return roles_[node].region ? scenario_->regions[*roles_[node].region].name : std::string(); }

std::size_t Cast::add(const std::string& group, const std::string& region) {
  const std::size_t node = roles_.size();
  Role role;
  for (std::size_t index = 0; index < scenario_->groups.size(); ++index) {
    if (!group.empty() && scenario_->groups[index].name == group) role.group = index;
  }
  for (std::size_t index = 0; index < scenario_->regions.size(); ++index) {
    if (!region.empty() && scenario_->regions[index].name == region) role.region = index;
  }
  roles_.push_back(role);
  settle(node);
  return node;
}

bool Cast::fits(std::size_t node, const Selection& selection) const {
  return (selection.group.empty() || group_name(node) == selection.group) && (selection.region.empty() || region_name(node) == selection.region);
}

std::vector<std::size_t> Cast::choose(const Selection& selection, Rng& rng, const std::function<bool(std::size_t)>& present) const {
  std::vector<std::size_t> chosen;
  if (!selection.nodes.empty()) {
    for (const auto node : selection.nodes) {
      if (node < size()) chosen.push_back(node);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
  }
  std::size_t fitting = 0;
  for (std::size_t node = 0; node < size(); ++node) {
    if (!fits(node, selection)) continue;
    ++fitting;
    if (present(node)) chosen.push_back(node);
  }
  if (!selection.count && !selection.share) return chosen;
  const std::size_t number = selection.count ? *selection.count : share_of(*selection.share, fitting);
  if (number >= chosen.size()) return chosen;
  rng.shuffle(chosen);
  chosen.resize(number);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace wigwag::sim
