#pragma once

#include <array>
#include <cstdint>

#include "gossip/base/check.hpp"
#include "gossip/base/time.hpp"

namespace wigwag {

// xoshiro256** 1.0 (Blackman and Vigna), seeded through splitmix64: the core's
// only randomness. Not for secrets. Its first outputs are pinned by a test,
// because a seed must give the same run on every machine and compiler.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0. Without modulo bias (Lemire's method).
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, span); zero for an empty span.
  Duration below(Duration span);
  // True with probability permille/1000.
  bool chance(std::uint32_t permille) { return below(1000) < permille; }

  // Fisher-Yates over anything indexable.
  template <class Sequence>
  void shuffle(Sequence& items) {
    for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[below(left)]);
  }
  template <class Sequence>
  auto& pick(Sequence& items) {
    check(!items.empty(), "Rng::pick from nothing");
    return items[below(items.size())];
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace wigwag
