#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "gossip/base/time.hpp"
#include "gossip/membership/message.hpp"

namespace wigwag {

// What a statement is about decides who goes first when the budget is short.
enum class Urgency : std::uint8_t { liveness, records };

// Spreads new statements over sticky, warm edges (after Plumtree, Leitão et al. 2007): in
// full to the eager edges, by id to the lazy ones, which ask for what they lack. Batches of
// 50 ms; a budget of bytes for each urgency. There is no retransmission: what spreading
// misses, anti-entropy finds. Holds at most queue_max statements on their way (the first of
// the queue is left to anti-entropy), held_max ids known (the oldest is forgotten, and asked
// for when announced again), kept_max statements for askers (the oldest makes room) and
// awaited_max ids asked for (further ones are left to anti-entropy).
class Spread {
 public:
  static constexpr Duration batch = milliseconds(50);

  struct Edges {
    std::vector<NodeId> eager;
    std::vector<NodeId> lazy;
  };

  // A statement that is news to us. `from`: who told us; it is not told again.
  void add(Item item, Urgency urgency, std::optional<NodeId> from);
  // We hold it, however it came: later announcements of it need no question.
  bool holds(std::uint64_t id) const { return held_.contains(id); }
  void note_held(std::uint64_t id);

  void on_have(const NodeId& from, const Have& have, Instant now);
  // Statements asked for that were spread lately.
  void on_want(const NodeId& from, const Want& want, Outbox& out);

  void tick(Instant now, const Edges& edges, Outbox& out);
  Instant next_wakeup() const;
  bool awaiting() const { return !awaited_.empty(); }

 private:
  struct Queued {
    Item item;
    std::uint64_t id = 0;
    Urgency urgency = Urgency::records;
    std::optional<NodeId> from;
  };
  struct Awaited {
    std::vector<NodeId> holders;  // who announced it; asked in turn
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
  static constexpr std::size_t holders_max = 3;
  static constexpr Duration ask_after = milliseconds(100);   // the eager copy may be on its way
  static constexpr Duration ask_again = milliseconds(600);

  void flush(Instant now, const Edges& edges, Outbox& out);
  void ask(Instant now, Outbox& out);
  std::vector<Queued> affordable(Instant now, std::size_t eager);
  void keep(const Queued& sent);

  std::deque<Queued> queue_;
  Instant last_flush_{};
  bool flushed_once_ = false;
  std::unordered_set<std::uint64_t> held_;
  std::deque<std::uint64_t> held_order_;
  std::map<std::uint64_t, Item> kept_;
  std::deque<std::uint64_t> kept_order_;
  std::map<std::uint64_t, Awaited> awaited_;
  std::array<Bucket, 2> buckets_{Bucket{16'000, 64'000, 64'000}, Bucket{48'000, 256'000, 256'000}};
};

}  // namespace wigwag
