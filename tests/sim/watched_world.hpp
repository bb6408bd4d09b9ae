#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sim/check/checkers.hpp"
#include "sim/hostile/hostile.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {

// A small world whose members know one another, all checkers at work.
class WatchedWorld {
 public:
  explicit WatchedWorld(std::size_t size, std::uint64_t seed, bool watch_all = true) : world(seed), seed_(seed) {
    facts.machines.resize(size);
    world.found();
    while (world.size() < size) world.add();
    facts.began = world.now().at;
    for (auto& machine : facts.machines) machine.sound_since = facts.began;
    if (watch_all) watch(all_checkers(world, facts, found));
  }

  void watch(std::vector<std::unique_ptr<Checker>> more) {
    for (auto& checker : more) {
      world.watch(checker.get());
      checkers.push_back(std::move(checker));
    }
  }
  void watch(std::unique_ptr<Checker> (*make)(World&, const CheckFacts&, std::vector<Broken>&)) {
    std::vector<std::unique_ptr<Checker>> one;
    one.push_back(make(world, facts, found));
    watch(std::move(one));
  }

  // Whole seconds, with a look after each.
  void pass(int seconds_) {
    for (int i = 0; i < seconds_; ++i) {
      world.run_for(seconds(1));
      look();
    }
  }
  void look() {
    for (auto& checker : checkers) checker->look();
  }
  void end_calm() {
    for (auto& checker : checkers) checker->calm_ends();
  }
  bool settle(Duration within = seconds(60)) {
    std::vector<std::size_t> all(world.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return world.run_until(within, [&] { return world.agreed(all); });
  }

  std::shared_ptr<Gang> turn_hostile(Behaviour behaviour, std::vector<std::size_t> machines) {
    if (!gang) gang = std::make_shared<Gang>();
    for (const auto machine : machines) {
      facts.machines[machine].hostile = true;
      world.set_meddler(machine, make_hostile(behaviour, {.gang = gang, .seed = seed_ + machine}));
    }
    return gang;
  }
  void fall(std::size_t machine) {
    facts.machines[machine].sound = facts.machines[machine].expected = false;
    world.kill(machine);
  }
  void rise(std::size_t machine) {
    world.start(machine);
    facts.machines[machine].sound = facts.machines[machine].expected = true;
    facts.machines[machine].sound_since = world.now().at;
  }

  std::size_t count(EventKind kind, bool only_about_honest) const {
    std::size_t sum = 0;
    for (std::size_t machine = 0; machine < world.size(); ++machine) {
      if (facts.machines[machine].hostile) continue;
      for (const auto& event : world.events_of(machine)) {
        const auto subject = world.machine_of(event.subject);
        if (event.kind == kind && (!only_about_honest || (subject && !facts.machines[*subject].hostile))) ++sum;
      }
    }
    return sum;
  }
  std::uint64_t sum(std::uint64_t NodeCounters::*counter) const {
    std::uint64_t sum = 0;
    for (std::size_t machine = 0; machine < world.size(); ++machine) {
      if (!facts.machines[machine].hostile && world.running(machine)) sum += world.node(machine).counters().*counter;
    }
    return sum;
  }
  bool found_any(const std::string& invariant) const {
    return std::any_of(found.begin(), found.end(), [&](const Broken& broken) { return broken.invariant == invariant; });
  }
  std::string told() const {
    std::string text = "seed " + std::to_string(seed_);
    for (const auto& broken : found) text += "\n" + std::to_string(broken.at) + " s: " + broken.invariant + ": " + broken.text;
    return text;
  }

  World world;
  CheckFacts facts;
  std::vector<Broken> found;
  std::vector<std::unique_ptr<Checker>> checkers;
  std::shared_ptr<Gang> gang;

 private:
  std::uint64_t seed_;
};

}  // namespace wigwag::sim
