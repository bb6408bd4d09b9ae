#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "gossip/membership/message.hpp"

namespace wigwag::sim {

// What the hostile members of one world know together, and what they have done. They keep at most
// `loot_max` statements that they heard; when full, one in the middle makes room, so that the oldest, which
// a replayer wants most, and the latest stay.
class Gang {
 public:
  static constexpr std::size_t loot_max = 4096;

  struct Deeds {
    std::uint64_t accusations = 0;   // signed, against somebody honest
    std::uint64_t forgeries = 0;     // statements in others' names
    std::uint64_t replays = 0;       // statements and datagrams said again
    std::uint64_t equivocations = 0; // pairs of records with one version
    std::uint64_t floods = 0;        // datagrams of a flood
    std::uint64_t swallowed = 0;     // datagrams of the own core that never went out
    std::uint64_t mingled = 0;       // things of another network, said in this one
    bool operator==(const Deeds&) const = default;
  };

  void enlist(std::size_t machine);
  bool holds(std::size_t machine) const;
  const std::vector<std::size_t>& machines() const { return machines_; }
  // The lowest number of `size` machines that is not theirs.
  std::optional<std::size_t> first_honest(std::size_t size) const;

  void remember(const Item& item);
  const std::deque<Item>& loot() const { return loot_; }

  Deeds deeds;

 private:
  std::vector<std::size_t> machines_;  // sorted
  std::deque<Item> loot_;
};

}  // namespace wigwag::sim
