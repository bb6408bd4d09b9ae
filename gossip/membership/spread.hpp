#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "gossip/base/time.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/record.hpp"

namespace wigwag {

// What a statement is about decides who goes first when the budget is short.
enum class Urgency : std::uint8_t { liveness, records };

// Spreads new statements over sticky, warm edges (after Plumtree, Leitão et al. 2007): in
// full to the eager edges, by id to the lazy ones, which ask for what they lack. Batches of
// 50 ms; a budget of bytes for each urgency. There is no retransmission: what spreading
// misses, anti-entropy finds. Holds at most queue_max statements on their way (of the least
// urgent the oldest is left to anti-entropy), held_max ids known (the oldest is forgotten, and
// asked for when announced again), kept_max statements for askers (the oldest makes room) and
// awaited_max ids asked for, announced_max of them on one member's word (further ones are left
// to anti-entropy).
class Spread {
 public:
  static constexpr Duration batch = milliseconds(50);

  struct Edges {
    std::vector<NodeId> eager;
    std::vector<NodeId> lazy;
  };

  // A statement that is news to us. `from`: who told us; it is not told again.
  void add(Item item, Urgency urgency, std::optional<NodeId> from);
  // Accusations that wait and are none of anybody's business any more: what they are about has been answered,
  // or their accuser has ceased to count. Otherwise those of a few liars would keep the true ones waiting.
  template <class Moot>
  void retract(Moot moot) {
    auto& queue = queues_[static_cast<std::size_t>(Urgency::liveness)];
    std::erase_if(queue, [&](const Queued& queued) { return queued.accusation && moot(*queued.accusation); });
  }
  // We hold it, however it came: later announcements of it need no question.
  bool holds(std::uint64_t id) const { return held_.contains(id); }
  void note_held(std::uint64_t id);

  void on_have(const NodeId& from, const Have& have, Instant now);
  // Statements asked for that were spread lately.
  void on_want(const NodeId& from, const Want& want, Outbox& out);

  void tick(Instant now, const Edges& edges, Outbox& out);
  Instant next_wakeup() const;
  // Something that somebody holds is on its way to us. Whoever announced what it then did not
  // deliver is not believed about that for a minute: its word alone keeps nobody waiting.
  bool awaiting(Instant now) const;

 private:
  struct Queued {
    Item item;
    std::uint64_t id = 0;
    std::optional<NodeId> from;
    std::optional<Accusation> accusation;  // what it says, where it is one
  };
  struct Awaited {
    std::vector<NodeId> holders;  // who announced it, the first one first; asked in turn
    Instant due{};
    std::size_t asked = 0;
  };
  struct Bucket {
    double rate;                  // bytes a second
    double burst;
    double level;
    Instant filled{};
    void fill(Instant now);
    bool take(std::size_t bytes);
  };

  static constexpr std::size_t queue_max = 2048;
  static constexpr std::size_t held_max = 16384;
  static constexpr std::size_t kept_max = 512;      // full statements kept for askers
  static constexpr std::size_t awaited_max = 1024;
  static constexpr std::size_t announced_max = 128;  // awaited on the word of one member first
  static constexpr std::size_t doubted_max = 256;    // the one doubted for the shortest time from now on makes room
  static constexpr std::size_t holders_max = 3;
  static constexpr Duration ask_after = milliseconds(100);   // the eager copy may be on its way
  static constexpr Duration ask_again = milliseconds(600);
  static constexpr Duration doubted_for = minutes(1);

  using AwaitedPlace = std::map<std::uint64_t, Awaited>::iterator;
  AwaitedPlace stop_awaiting(AwaitedPlace at);
  void flush(Instant now, const Edges& edges, Outbox& out);
  void ask(Instant now, Outbox& out);
  std::vector<Queued> affordable(Instant now, std::size_t eager);
  void keep(const Queued& sent);
  void doubt(const NodeId& holder, Instant now);
  bool waiting() const { return std::any_of(queues_.begin(), queues_.end(), [](const auto& queue) { return !queue.empty(); }); }

  std::array<std::deque<Queued>, 2> queues_;  // by urgency
  Instant last_flush_{};
  bool flushed_once_ = false;
  std::unordered_set<std::uint64_t> held_;
  std::deque<std::uint64_t> held_order_;
  std::map<std::uint64_t, Item> kept_;
  std::deque<std::uint64_t> kept_order_;
  std::map<std::uint64_t, Awaited> awaited_;
  std::map<NodeId, std::size_t> announced_;  // so many of these on its word first
  Instant ask_due_ = never;             // nothing awaited is due before
  std::map<NodeId, Instant> doubted_;   // who announced what it did not deliver: until then
  std::array<Bucket, 2> buckets_{Bucket{16'000, 64'000, 64'000}, Bucket{48'000, 256'000, 256'000}};
};

}  // namespace wigwag
