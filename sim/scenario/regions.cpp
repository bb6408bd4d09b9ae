#include "sim/scenario/regions.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace wigwag::sim {
namespace {

constexpr std::size_t regions_count = 12;
constexpr std::array<std::string_view, regions_count> region_names{"us-east",    "us-central", "us-west",  "ca-central",   "sa-east",      "eu-west",
                                                                   "eu-central", "eu-north",   "ap-south", "ap-southeast", "ap-northeast", "au-southeast"};

// Round trips in milliseconds, rounded, as the public tables of inter-region latency of the large clouds
// (AWS's network latency page and cloudping.co, Azure's round-trip statistics) have shown them in recent
// years. They are nobody's promise and no measurement of ours: what counts is that a mesh spans
// distances like these. Virginia, Ohio, Oregon, Montreal, São Paulo, Dublin, Frankfurt, Stockholm, Mumbai,
// Singapore, Tokyo, Sydney.
constexpr std::array<std::array<std::int64_t, regions_count>, regions_count> round_trip_ms{{
    {1, 12, 65, 15, 115, 68, 92, 110, 195, 220, 150, 200},
    {12, 1, 50, 26, 123, 80, 102, 120, 205, 205, 135, 190},
    {65, 50, 1, 60, 175, 120, 142, 155, 220, 165, 98, 140},
    {15, 26, 60, 1, 125, 68, 92, 107, 188, 212, 145, 198},
    {115, 123, 175, 125, 1, 178, 202, 218, 300, 325, 256, 312},
    {68, 80, 120, 68, 178, 1, 25, 40, 122, 175, 200, 255},
    {92, 102, 142, 92, 202, 25, 1, 23, 112, 158, 225, 248},
    {110, 120, 155, 107, 218, 40, 23, 1, 137, 180, 240, 270},
    {195, 205, 220, 188, 300, 122, 112, 137, 1, 58, 125, 150},
    {220, 205, 165, 212, 325, 175, 158, 180, 58, 1, 70, 93},
    {150, 135, 98, 145, 256, 200, 225, 240, 125, 70, 1, 105},
    {200, 190, 140, 198, 312, 255, 248, 270, 150, 93, 105, 1},
}};

constexpr bool symmetric() {
  for (std::size_t a = 0; a < regions_count; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (round_trip_ms[a][b] != round_trip_ms[b][a]) return false;
    }
  }
  return true;
}
static_assert(symmetric(), "a round trip takes as long from either end");

std::optional<std::size_t> number_of(const std::string& name) {
  const auto found = std::find(region_names.begin(), region_names.end(), name);
  return found == region_names.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - region_names.begin()));
}

// Half a round trip each way is what half of the datagrams take; the tables show averages, and a rare
// datagram meets a queue on its way.
Latency one_way(std::size_t a, std::size_t b) {
  const Duration typical = microseconds(round_trip_ms[a][b] * 500);
  return {Latency::Shape::long_tail, typical, 2 * typical + milliseconds(10)};
}

bool named(const Scenario& scenario, const std::string& a, const std::string& b) {
  return std::any_of(scenario.region_links.begin(), scenario.region_links.end(),
                     [&](const RegionLink& l) { return (l.a == a && l.b == b) || (l.a == b && l.b == a); });
}

}  // namespace

std::vector<std::string> bundled_regions() { return {region_names.begin(), region_names.end()}; }

void add_bundled_latencies(Scenario& scenario) {
  if (scenario.regions.empty()) {
    for (const auto name : region_names) scenario.regions.push_back({std::string(name), 1});
  }
  std::vector<RegionLink> bundled;
  for (std::size_t i = 0; i < scenario.regions.size(); ++i) {
    for (std::size_t j = i; j < scenario.regions.size(); ++j) {
      const auto& a = scenario.regions[i].name;
      const auto& b = scenario.regions[j].name;
      const auto from = number_of(a), to = number_of(b);
      if (from && to && !named(scenario, a, b)) bundled.push_back({a, b, one_way(*from, *to)});
    }
  }
  scenario.region_links.insert(scenario.region_links.end(), bundled.begin(), bundled.end());
}

}  // namespace wigwag::sim
