#pragma once

#include <cstdint>
#include <algorithm>
#include <functional>
#include <queue>
#include <vector>

#include "gossip/base/time.hpp"

namespace wigwag::sim {

// What happens when, in virtual time. Events of one instant run in the order in which they
// were added, so that a run is the same on every machine.
class EventQueue {
 public:
  using Action = std::function<void()>;

  Instant now() const { return now_; }
  // `when` in the past means now.
  void at(Instant when, Action action) { events_.push({std::max(when, now_), next_++, std::move(action)}); }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  bool empty() const { return events_.empty(); }
  Instant next_time() const { return events_.empty() ? never : events_.top().when; }

  // Runs the earliest event; the queue must not be empty.
  void run_one() {
    Event event = std::move(const_cast<Event&>(events_.top()));  // NOLINT: top() is const only to keep the order, which pop() ends
    events_.pop();
    now_ = event.when;
    event.action();
  }
  void advance_to(Instant when) { now_ = std::max(now_, when); }

 private:
  struct Event {
    Instant when;
    std::uint64_t order;
    Action action;
    bool operator<(const Event& other) const { return when != other.when ? when > other.when : order > other.order; }
  };
  std::priority_queue<Event> events_;
  Instant now_{hours(5)};  // these machines have been up for a while
  std::uint64_t next_ = 0;
};

}  // namespace wigwag::sim
