#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"

namespace wigwag {

// How our wall clock compares with our peers': expiry is judged only while we are within two
// hours of their median. Without any peer's word the own clock is all there is, and is trusted.
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

  bool heard_any() const { return !offsets_.empty(); }
  // Seconds that the peers' median is ahead of us.
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
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    median_s_ = sorted.empty() ? 0 : *middle;
  }
  std::vector<std::pair<NodeId, std::int64_t>> offsets_;  // the one longest not heard first
  std::int64_t median_s_ = 0;
};

}  // namespace wigwag
