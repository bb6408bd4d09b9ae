#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/membership/local_health.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/roster.hpp"

namespace wigwag {

// Smoothed round trip of one path: RFC 6298's estimator, begun with the best of the first few
// samples, because on a new path the first ones wait for handshakes.
struct RoundTrip {
  Duration smoothed{};
  Duration variation{};
  int samples = 0;              // up to first_few
  static constexpr int first_few = 4;
  void sample(Duration measured);
};

// What a probe came to.
struct ProbeResult {
  NodeId subject;
  bool answered = false;
  bool indirect = false;    // answered only to somebody we asked
  bool on_schedule = false; // we watch this subject, over an edge that is warm: a miss is evidence
};

// Failure probing over warm edges (after SWIM, Das et al. 2002): about one probe a second,
// each subject once a cycle. Whatever the occasion, a miss takes three tries, and with the third
// the subject's other observers are asked: on links that lose one datagram in twenty two tries
// in a row are lost every other minute, and nobody shall be accused of that. A subject gives each of its observers a slot of its cycle and asks it to come
// then: a failure is met by somebody's probe within about a second. Holds at most
// outstanding_max probes; further ones are not begun. As many again are remembered for an
// answer that comes late; the oldest of them makes room.
class Prober {
 public:
  Prober(const NodeId& self, std::uint64_t seed);

  static constexpr Duration interval = seconds(1);
  static constexpr Duration random_interval = seconds(10);

  // Whom we watch from now on. Those we already watched stay warm.
  void watch(const std::vector<NodeId>& subjects, Instant now);
  // Who watches us for certain; others show themselves by their pings.
  void watched_by(std::vector<NodeId> observers) { expected_ = std::move(observers); }
  bool watches(const NodeId& id) const { return subjects_.contains(id); }

  // Begins what is due and gives up what is overdue.
  std::vector<ProbeResult> tick(Instant now, const Roster& roster, LocalHealth& health, Outbox& out);
  Instant next_wakeup() const;

  // One ping outside the schedule, to warm a path or to see whether somebody is back; an
  // answer shows in the results of on_ack.
  void greet(const NodeId& id, Instant now, Outbox& out);

  // An observer's ping came in; returns after how many milliseconds its next one should, to be
  // in its slot.
  std::uint16_t on_ping(const NodeId& observer, Instant now);

  std::optional<ProbeResult> on_ack(const NodeId& from, const Ack& ack, Instant now, LocalHealth& health, Outbox& out);
  std::optional<ProbeResult> on_indirect_ack(const NodeId& from, std::uint32_t sequence, Instant now, LocalHealth& health);
  void on_request(const NodeId& from, const PingRequest& request, Instant now, const LocalHealth& health, Outbox& out);

  // After a pause no outstanding probe says anything.
  void discard();
  void forget(const NodeId& id);
  std::optional<Duration> round_trip(const NodeId& id) const;
  std::uint64_t sent() const { return sent_; }
  std::uint64_t missed() const { return missed_; }

 private:
  static constexpr int tries_most = 3;
  static constexpr std::uint32_t sequence_step = 4;
  enum class Why : std::uint8_t { schedule, request, greeting };
  struct Probe {
    NodeId subject;
    Why why = Why::schedule;
    int tries = 0;
    std::uint32_t first_sequence = 0;  // tries use this and the next two
    std::array<Instant, tries_most> sent{};  // each try
    Instant deadline{};                // of the latest try; when given up, of keeping it in mind
    std::vector<NodeId> asked{};       // the observers that were sent a PingRequest and may still answer for it
    bool others_asked = false;
    bool prolonged = false;
    bool given_up = false;             // missed, or answered to others only: a late answer still tells how slow the path is
    std::vector<std::pair<NodeId, std::uint32_t>> askers{};  // who gets an IndirectAck
  };
  struct Subject {
    Instant since{};
    bool answered = false;
    int indirect_in_a_row = 0;  // without a word from itself, however late
    Instant others_asked{};
    Instant due{};            // when it is probed next
  };
  static constexpr std::size_t outstanding_max = 128;  // half of them for requests of others
  static constexpr int indirect_max = 3;               // cycles in which only others were answered
  static constexpr std::size_t askers_max = 16;
  static constexpr std::size_t observers_max = 32;
  static constexpr Duration warm_up = seconds(10);
  static constexpr Duration greeting_patience = seconds(6);
  static constexpr Duration late_answers = seconds(10);

  Probe* begin(const NodeId& subject, Why why, Instant now, Duration patience, Outbox& out);
  void measure(const Probe& probe, std::uint32_t sequence, Instant now);
  bool pardoned(Probe& probe, Instant now) const;
  void give_up(Probe& probe, Instant now) const;
  void send_try(Probe& probe, Instant now, Duration patience, Outbox& out);
  void ask_others(Probe& probe, Instant now, const Roster& roster, Outbox& out);
  Duration patience(const NodeId& id, const LocalHealth& health) const;
  Duration cycle() const { return interval * static_cast<int>(std::max<std::size_t>(subjects_.size(), 1)); }
  void begin_due(Instant now, const Roster& roster, const LocalHealth& health, Outbox& out);
  std::optional<NodeId> random_member(const Roster& roster);
  Probe* outstanding(const NodeId& subject);

  NodeId self_;
  Rng rng_;
  std::map<NodeId, Subject> subjects_;
  std::vector<NodeId> expected_;        // observers that may not have pinged yet
  std::map<NodeId, Instant> arrivals_;  // when each of our observers last pinged us
  std::vector<Probe> probes_;
  std::map<NodeId, RoundTrip> round_trips_;
  std::uint32_t sequence_ = 0;       // a multiple of sequence_step, below 65,536: small numbers make small datagrams
  Instant next_random_{};
  std::uint64_t sent_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace wigwag
