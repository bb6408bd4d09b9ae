#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/draft.hpp"
#include "sim/scenario/units.hpp"

namespace wigwag::sim {

// A scenario as it was named on the command line, and its text.
struct Source {
  std::string name;                      // what it is called in reports
  std::string path;                      // what faults call it
  std::string text;
};

// What the command line says itself: it comes last and wins.
struct Overrides {
  std::optional<std::size_t> nodes;
  std::optional<Duration> duration;
  std::optional<std::uint64_t> seed;
  std::optional<Ppm> churn;              // of all nodes a minute
  std::optional<Ppm> loss;               // of all links, those of groups too
  std::optional<Latency> latency;        // between all nodes: regions' latencies no longer count
  bool bundled_latencies = false;        // or the bundled ones between regions
  std::optional<std::vector<NatShare>> nat;  // instead of the routers of groups
  std::vector<Happening> partitions;     // beside the events of the scenarios
};

// Several scenarios as one: each is laid over those before it, the command line over all of them. None
// is the default one: 20 nodes that join at once and stay.
Result<Composed, std::vector<Fault>> compose(const std::vector<Source>& sources, const Overrides& overrides);

}  // namespace wigwag::sim
