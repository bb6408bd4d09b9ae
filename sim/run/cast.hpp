#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/rng.hpp"
#include "sim/scenario/scenario.hpp"

namespace wigwag::sim {

// A generator of its own for everything that is drawn in a run. What it yields depends on the run's
// seed and on its name alone, so that taking one happening out of a scenario, as shrinking does, leaves
// the choices of all others as they were.
Rng rng_for(std::uint64_t seed, const std::string& name);

// Who is who in a run: which nodes form which group, where they are, and who shares a router. Numbers
// are those of the world's machines, in the order in which they come to be there.
class Cast {
 public:
  struct Role {
    std::optional<std::size_t> group;    // of Scenario::groups
    std::optional<std::size_t> region;   // of Scenario::regions
    std::optional<std::size_t> beside;   // behind the same router as this node, which came earlier
  };

  Cast(const Scenario& scenario, std::uint64_t seed);

  std::size_t size() const { return roles_.size(); }
  const Role& role(std::size_t node) const { return roles_[node]; }
  const NodeGroup* group(std::size_t node) const;
  std::string group_name(std::size_t node) const;
  std::string region_name(std::size_t node) const;

  // One more node, of the group and in the region that are named; returns its number.
  std::size_t add(const std::string& group, const std::string& region);

  // Whom a selection means, in the order of their numbers. Those who are named are taken as they are;
  // the others are drawn from all who fit and are `present`.
  std::vector<std::size_t> choose(const Selection& selection, Rng& rng, const std::function<bool(std::size_t)>& present) const;

 private:
  void share_out_groups(std::uint64_t seed);
  void settle(std::size_t node);
  std::size_t next_region();
  void find_router(std::size_t node);
  bool fits(std::size_t node, const Selection& selection) const;

  const Scenario* scenario_;
  std::vector<Role> roles_;
  std::vector<std::int64_t> turns_;      // by region, for sharing out nodes by weight
  struct Router {
    std::size_t first = 0;               // the node that came with it
    std::size_t behind = 0;              // how many are behind it
  };
  std::vector<std::optional<Router>> routers_;  // by group: the one with room left
};

// `share` of `all`, at least one where there is any.
std::size_t share_of(Ppm share, std::size_t all);

}  // namespace wigwag::sim
