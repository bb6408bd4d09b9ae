#include <algorithm>

#include "sim/run/stage.hpp"

// What happens between machines: cables, partitions, one-way cuts, weather.
namespace wigwag::sim {
namespace {

// The most partitions that can be on at one time; a side is a set of them, and the world counts in int.
constexpr int partitions_max = 30;

bool everybody(const Selection& who) { return who.nodes.empty() && who.group.empty() && who.region.empty() && !who.count && !who.share; }

}  // namespace

void Stage::cut(std::size_t node) {
  disturbed();
  if (++plights_[node].cuts > 1) return;
  tell(node);
  world_.set_cable(node, false);
}

void Stage::mend(std::size_t node) {
  disturbed();
  if (--plights_[node].cuts > 0) return;
  tell(node);
  world_.set_cable(node, true);
}

// Out and in, each for `amount`, until it is undone or the calm begins.
void Stage::flap(std::size_t node, const Happening& happening, std::uint64_t flap) {
  flaps_.insert(flap);
  put_undo(happening, [this, flap] { flaps_.erase(flap); });
  flap_again(node, happening.amount, flap, true);
}

void Stage::flap_again(std::size_t node, Duration span, std::uint64_t flap, bool out) {
  if (!out) mend(node);
  if (!flaps_.contains(flap)) return;
  if (out) cut(node);
  // What puts the cable back is the undoing of what pulled it out, so that no calm begins without it.
  put(world_.instant() + span, out ? Sort::undo : Sort::play, [this, node, span, flap, out] { flap_again(node, span, flap, !out); });
}

// Each partition is one bit of a side, so that several of them cross as they do in reality.
void Stage::part(const Happening& happening, const Nodes& nodes) {
  int free = 0;
  while (free < partitions_max && (sides_ >> free & 1) != 0) ++free;
  if (free == partitions_max || nodes.empty()) return;
  const std::uint64_t bit = std::uint64_t{1} << free;
  sides_ |= bit;
  for (const auto node : nodes) {
    plights_[node].condition.side |= bit;
    world_.set_group(node, static_cast<int>(plights_[node].condition.side));
    tell(node);
  }
  put_undo(happening, [this, bit] {
    disturbed();
    sides_ &= ~bit;
    for (std::size_t node = 0; node < plights_.size(); ++node) {
      auto& side = plights_[node].condition.side;
      if ((side & bit) == 0) continue;
      side &= ~bit;
      world_.set_group(node, static_cast<int>(side));
      tell(node);
    }
    audience_.healed();
  });
}

void Stage::deafen(const Happening& happening, const Nodes& nodes, const Nodes& others) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (const auto deaf : nodes) {
    for (const auto other : others) {
      if (other != deaf) pairs.emplace_back(other, deaf);
    }
  }
  for (const auto& [from, to] : pairs) set_one_way(from, to, true);
  for (const auto node : nodes) tell(node);
  put_undo(happening, [this, pairs, nodes] {
    disturbed();
    for (const auto& [from, to] : pairs) set_one_way(from, to, false);
    for (const auto node : nodes) tell(node);
  });
}

void Stage::set_one_way(std::size_t from, std::size_t to, bool cut) {
  auto& count = one_way_[{from, to}];
  if (cut && count++ > 0) return;
  if (!cut && --count > 0) return;
  if (!cut) one_way_.erase({from, to});
  cut ? ++plights_[to].deaf_to : --plights_[to].deaf_to;
  world_.set_one_way(from, to, cut);
}

// The latest weather rules; when it is undone, what was there before does again.
void Stage::set_weather(const Happening& happening, const Nodes& nodes) {
  const auto drop = [](std::vector<Weather>& weathers, const Weather& weather) {
    const auto found = std::find(weathers.rbegin(), weathers.rend(), weather);
    if (found != weathers.rend()) weathers.erase(std::prev(found.base()));
  };
  const Weather weather = *happening.weather;
  if (everybody(happening.who)) {
    weathers_.push_back(weather);
    world_.set_weather(weather);
    weigh_loss();
    put_undo(happening, [this, weather, drop] {
      disturbed();
      drop(weathers_, weather);
      world_.set_weather(weathers_.back());
      weigh_loss();
    });
    return;
  }
  for (const auto node : nodes) {
    plights_[node].weathers.push_back(weather);
    world_.set_weather_of(node, weather);
  }
  weigh_loss();
  put_undo(happening, [this, weather, nodes, drop] {
    disturbed();
    for (const auto node : nodes) {
      auto& weathers = plights_[node].weathers;
      drop(weathers, weather);
      const NodeGroup* group = cast_.group(node);
      world_.set_weather_of(node, !weathers.empty() ? std::optional(weathers.back()) : group != nullptr ? group->weather : std::nullopt);
    }
    weigh_loss();
  });
}

void Stage::weigh_loss() {
  facts_.loss = worst_loss(weathers_.back());
  for (std::size_t node = 0; node < plights_.size(); ++node) {
    const NodeGroup* group = cast_.group(node);
    if (group != nullptr && group->weather) facts_.loss = std::max(facts_.loss, worst_loss(*group->weather));
    for (const auto& weather : plights_[node].weathers) facts_.loss = std::max(facts_.loss, worst_loss(weather));
  }
}

// As leases that run out are given to others. The first waits at an address of its own until the last has
// left its own, for two cannot be at one. Who is behind a router keeps what its router gave it.
void Stage::swap_addresses(const Nodes& nodes) {
  Nodes open;
  for (const auto node : nodes) {
    const auto& options = world_.options(node);
    if (!options.nat && !options.beside) open.push_back(node);
  }
  if (open.size() < 2) return;
  Address free = world_.address(open.front());
  world_.move(open.front());
  for (std::size_t i = open.size() - 1; i > 0; --i) {
    const Address next = world_.address(open[i]);
    world_.move(open[i], free);
    free = next;
  }
  world_.move(open.front(), free);
  for (const auto node : open) audience_.moved(node);
}

}  // namespace wigwag::sim
