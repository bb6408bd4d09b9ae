#pragma once

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"

namespace wigwag {

// How our wall clock compares with our peers': expiry is judged only while we are within two
// hours of the median. Without any peer's word the own clock is all there is, and is trusted; against a
// single one it says nothing; from two on it has a vote like theirs, and the last where they are evenly split:
// who hears two strays first must not date what it signs by them.
class PeerClock {
 public:
  static constexpr std::int64_t tolerance_s = 2 * 3600;

  void heard(const NodeId& peer, UnixTime theirs, UnixTime ours) {
    forget(peer);
    if (offsets_.size() >= peers_max) offsets_.erase(offsets_.begin());
    offsets_.emplace_back(peer, theirs.seconds - ours.seconds);
    reckon();
  }
  void forget(const NodeId& peer) {
    std::erase_if(offsets_, [&](const auto& held) { return held.first == peer; });
    reckon();
  }
  // Our wall clock was set forward by so much (back when negative): the peers' were not.
  void shift(std::int64_t by_s) {
    for (auto& [peer, offset] : offsets_) offset -= by_s;
    reckon();
  }

  bool heard_any() const { return heard() != 0; }
  std::size_t heard() const { return offsets_.size(); }
  // Seconds that the median is ahead of us.
  std::int64_t median_offset_s() const { return median_s_; }
  // The time as the network has it: ours while it is trusted, else our peers'.
  UnixTime corrected(UnixTime ours) const { return trusted() ? ours : UnixTime{ours.seconds + median_offset_s()}; }
  bool trusted() const { return median_s_ <= tolerance_s && median_s_ >= -tolerance_s; }

 private:
  static constexpr std::size_t peers_max = 16;
  // Asked for at every step, and changed every few seconds.
  void reckon() {
    std::vector<std::int64_t> sorted;
    for (const auto& [peer, offset] : offsets_) sorted.push_back(offset);
    if (sorted.size() >= 2) sorted.push_back(0);
    std::sort(sorted.begin(), sorted.end());
    if (sorted.empty()) {
      median_s_ = 0;
      return;
    }
    const auto upper = sorted[sorted.size() / 2], lower = sorted[(sorted.size() - 1) / 2];
    median_s_ = std::abs(lower) < std::abs(upper) ? lower : upper;
  }
  std::vector<std::pair<NodeId, std::int64_t>> offsets_;  // the one longest not heard first
  std::int64_t median_s_ = 0;
};

}  // namespace wigwag
