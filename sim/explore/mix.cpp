#include "sim/explore/mix.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "gossip/base/rng.hpp"

namespace wigwag::sim {
namespace {

using Kind = Happening::Kind;

constexpr std::size_t rings = 8;
constexpr std::uint64_t stream = 0x6d69786564;  // apart from what the run itself draws from the same seed

// How many observers have to agree on a verdict in a network of this size.
std::size_t votes(std::size_t nodes) { return std::min(rings, nodes - 1) / 2 + 1; }

// In whole milliseconds where that is fine enough: a person reads what breaks.
Duration between(Rng& rng, Duration least, Duration most) {
  const Duration drawn = least + rng.below(most - least + microseconds(1));
  return drawn < seconds(1) ? drawn : drawn - drawn % milliseconds(1);
}

Latency random_latency(Rng& rng) {
  switch (rng.below(4)) {
    case 0: return {Latency::Shape::fixed, between(rng, milliseconds(1), milliseconds(150)), {}};
    case 1: {
      const auto typical = between(rng, milliseconds(2), milliseconds(60));
      return {Latency::Shape::long_tail, typical, typical * static_cast<std::int64_t>(3 + rng.below(8))};
    }
    default: {
      const auto least = between(rng, milliseconds(1), milliseconds(80));
      return {Latency::Shape::uniform, least, least + between(rng, milliseconds(1), milliseconds(80))};
    }
  }
}

Weather random_weather(Rng& rng) {
  Weather weather;
  weather.latency = random_latency(rng);
  if (rng.chance(500)) weather.loss = static_cast<Ppm>(rng.below(rng.chance(300) ? 200'000 : 50'000));
  if (rng.chance(250)) {
    weather.bursts.loss = static_cast<Ppm>(200'000 + rng.below(800'000));
    weather.bursts.lasting = between(rng, milliseconds(50), seconds(2));
    weather.bursts.between = between(rng, seconds(10), seconds(90));
  }
  if (rng.chance(250)) weather.duplication = static_cast<Ppm>(rng.below(100'000));
  if (rng.chance(250)) weather.reordering = static_cast<Ppm>(rng.below(200'000));
  if (rng.chance(150)) weather.bandwidth = 20'000 + rng.below(1'000'000);
  return weather;
}

NatKind random_nat(Rng& rng) {
  NatKind nat;
  nat.filter = static_cast<NatKind::Filter>(rng.below(3));
  nat.symmetric = rng.chance(250);
  nat.hairpin = rng.chance(500);
  nat.idle = between(rng, seconds(30), minutes(5));
  return nat;
}

void add_groups(Scenario& scenario, Rng& rng) {
  const auto some = [&](std::size_t most) { return 1 + rng.below(std::max<std::size_t>(1, std::min(most, scenario.nodes / 4))); };
  const auto group = [&](const char* name, std::size_t count) -> NodeGroup& {
    NodeGroup& added = scenario.groups.emplace_back();
    added.name = name;
    added.count = count;
    return added;
  };
  if (rng.chance(350)) {
    NodeGroup& hidden = group("hidden", 1 + rng.below(std::min<std::size_t>(4, votes(scenario.nodes))));
    hidden.nat = random_nat(rng);
    if (rng.chance(300)) hidden.behind_one = 2;
  }
  if (rng.chance(200)) group("astray", some(3)).clock_s = static_cast<std::int64_t>(rng.below(2 * 366 * 86400)) - 366 * 86400;
  if (rng.chance(200)) group("slow", some(3)).cpu = between(rng, microseconds(200), milliseconds(8));
  if (rng.chance(200)) group("newer", some(8)).newer = true;
  if (rng.chance(250) && scenario.nodes >= 5) {
    const auto liars = 1 + rng.below(std::max<std::size_t>(1, std::min(votes(scenario.nodes) - 1, scenario.nodes / 8)));
    group("hostile", liars).hostile = static_cast<Behaviour>(rng.below(7));
  }
}

Selection random_selection(Rng& rng) {
  Selection who;
  switch (rng.below(4)) {
    case 0: who.share = static_cast<Ppm>(50'000 + rng.below(500'000)); break;
    case 1: who.count = 1 + rng.below(5); break;
    default: who.count = 1; break;
  }
  return who;
}

// One of those that are no seeds: where the only address that joiners were told is nobody's any more, and where
// two who know nobody else have moved at once, nobody can find the others.
Selection random_follower(Rng& rng, const Scenario& scenario) {
  Selection who;
  const auto seeds = std::min(scenario.joining.seeds, scenario.nodes - 1);
  who.nodes = {seeds + rng.below(scenario.nodes - seeds)};
  return who;
}

// How much of what, and for how long, where the kind asks for it.
void fill_in(Happening& event, Rng& rng, Duration storm) {
  const auto left = storm - event.at;
  const auto for_a_while = [&](Duration least, Duration most) { event.lasting = between(rng, least, std::max(least, std::min(most, left))); };
  switch (event.kind) {
    case Kind::crash: for_a_while(seconds(1), minutes(2)); break;
    case Kind::reboot: for_a_while(seconds(5), minutes(2)); break;
    case Kind::restart:
    case Kind::upgrade:
      if (rng.chance(500)) event.spread = between(rng, milliseconds(100), seconds(30));
      break;
    case Kind::pause: for_a_while(seconds(1), minutes(2)); break;
    case Kind::busy:
      event.amount = between(rng, milliseconds(1), milliseconds(20));
      for_a_while(seconds(5), minutes(1));
      break;
    case Kind::cut:
    case Kind::partition: for_a_while(seconds(1), minutes(3)); break;
    case Kind::one_way:
      event.other = random_selection(rng);
      for_a_while(seconds(5), minutes(2));
      break;
    case Kind::weather:
      event.weather = random_weather(rng);
      for_a_while(seconds(5), minutes(1));
      break;
    case Kind::clock: event.amount = seconds(static_cast<std::int64_t>(rng.below(2 * 86400)) - 86400); break;
    case Kind::disk_fails: for_a_while(seconds(5), minutes(1)); break;
    case Kind::flap:
      event.amount = between(rng, milliseconds(500), seconds(10));
      for_a_while(seconds(10), minutes(2));
      break;
    case Kind::join: event.who = Selection{.nodes = {}, .group = {}, .region = {}, .count = 1 + rng.below(4), .share = {}}; break;
    case Kind::leave:
    case Kind::move:
    case Kind::rebind:
    case Kind::turn_hostile:
    case Kind::swap: break;
  }
  if (event.kind == Kind::reboot || event.kind == Kind::restart) event.disk = static_cast<DiskFate>(rng.below(3));
}

void add_happenings(Scenario& scenario, Rng& rng, const MixBounds& bounds) {
  std::vector<Kind> kinds;
  for (auto kind = 0; kind < static_cast<int>(Kind::turn_hostile); ++kind) {
    if (rng.chance(350)) kinds.push_back(static_cast<Kind>(kind));
  }
  if (kinds.empty()) return;
  const Duration storm = scenario.duration - scenario.calm;
  const auto count = rng.below(bounds.happenings_most + 1);
  for (std::size_t i = 0; i < count; ++i) {
    Happening event;
    event.kind = rng.pick(kinds);
    event.at = between(rng, seconds(5), std::max<Duration>(seconds(6), storm - seconds(10)));
    event.who = random_selection(rng);
    if (event.kind == Kind::leave || event.kind == Kind::move) event.who = random_follower(rng, scenario);
    fill_in(event, rng, storm);
    scenario.happenings.push_back(std::move(event));
  }
  std::stable_sort(scenario.happenings.begin(), scenario.happenings.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
}

}  // namespace

Scenario random_scenario(std::uint64_t seed, const MixBounds& bounds) {
  Rng rng(seed ^ stream);
  Scenario scenario;
  scenario.names = {"explored"};
  scenario.seed = seed;
  // Small networks find most faults and run fast; some have more members than rings.
  const auto sizes = rng.chance(600) ? std::min<std::size_t>(12, bounds.nodes_most) : bounds.nodes_most;
  scenario.nodes = 2 + rng.below(sizes - 1);
  scenario.calm = seconds(90);
  scenario.duration = scenario.calm + between(rng, seconds(30), std::max<Duration>(seconds(30), bounds.duration_most - scenario.calm));
  scenario.joining.pattern = rng.chance(700) ? Joining::Pattern::storm : Joining::Pattern::converged;
  if (scenario.joining.pattern == Joining::Pattern::storm) scenario.joining.over = rng.below(seconds(30));
  scenario.joining.seeds = 1 + rng.below(3);
  scenario.joining.certify_themselves = rng.chance(300);
  if (rng.chance(700)) scenario.weather = random_weather(rng);
  add_groups(scenario, rng);
  if (rng.chance(300)) {
    scenario.churn.rate_per_minute = static_cast<Ppm>(10'000 + rng.below(300'000));
    scenario.churn.away = between(rng, seconds(2), minutes(2));
    scenario.churn.disk = static_cast<DiskFate>(rng.below(3));
    if (rng.chance(300)) scenario.churn.fresh = static_cast<Ppm>(rng.below(500'000));
  }
  add_happenings(scenario, rng, bounds);
  return scenario;
}

}  // namespace wigwag::sim
