#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gossip/base/time.hpp"
#include "sim/world/action.hpp"

namespace wigwag::sim {

// What happens when, in virtual time. Events of one instant run in the order in which they
// were added, so that a run is the same on every machine.
//
// A heap of four branches over small entries; the actions lie still beside it, in places that are
// used again.
class EventQueue {
 public:
  Instant now() const { return now_; }
  // `when` in the past means now.
  void at(Instant when, Action action) {
    std::uint32_t place = 0;
    if (free_.empty()) {
      place = static_cast<std::uint32_t>(actions_.size());
      actions_.push_back(std::move(action));
    } else {
      place = free_.back();
      free_.pop_back();
      actions_[place] = std::move(action);
    }
    heap_.push_back({std::max(when, now_), next_++, place});
    rise(heap_.size() - 1);
  }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  Instant next_time() const { return heap_.empty() ? never : heap_.front().when; }
  std::uint64_t run_so_far() const { return run_; }

  // Runs the earliest event; the queue must not be empty.
  void run_one() {
    const Entry first = heap_.front();
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(last);
    now_ = first.when;
    ++run_;
    // Moved out first: what it does may add events, and these may need the place.
    Action action = std::move(actions_[first.place]);
    free_.push_back(first.place);
    action();
  }
  void advance_to(Instant when) { now_ = std::max(now_, when); }

 private:
  struct Entry {
    Instant when;
    std::uint64_t order;
    std::uint32_t place;
    bool before(const Entry& other) const { return when != other.when ? when < other.when : order < other.order; }
  };
  static constexpr std::size_t branches = 4;

  void rise(std::size_t at) {
    const Entry entry = heap_[at];
    while (at != 0) {
      const std::size_t above = (at - 1) / branches;
      if (!entry.before(heap_[above])) break;
      heap_[at] = heap_[above];
      at = above;
    }
    heap_[at] = entry;
  }
  // Fills the hole at the top with `entry`, as far down as it belongs.
  void sink(const Entry& entry) {
    std::size_t at = 0;
    while (true) {
      const std::size_t first = at * branches + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      const std::size_t end = std::min(first + branches, heap_.size());
      for (std::size_t child = first + 1; child < end; ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = entry;
  }

  std::vector<Entry> heap_;
  std::vector<Action> actions_;
  std::vector<std::uint32_t> free_;
  Instant now_{hours(5)};  // these machines have been up for a while
  std::uint64_t next_ = 0, run_ = 0;
};

}  // namespace wigwag::sim
