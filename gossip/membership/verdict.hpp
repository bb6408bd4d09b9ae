#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "gossip/membership/roster.hpp"

namespace wigwag {

// Derives who is Down from the accusations held: nobody ever asserts it. Equal sets of
// statements lead to equal verdicts once the graces have passed:
// - H legal, unrefuted accusations and refutation_grace; or
// - H votes and lonely_grace, where accusers in any position count, and so do observers who
//   have themselves stood accused for that long; of observers who are ignored for the subject
//   nothing is asked, so H is taken of the others. This second way lets a minority notice that
//   the majority is gone, a newcomer accept accusers whose positions have shifted since, and
//   everybody notice the end of one whose observers are liars for the greater part; it is
//   slower, because a living subject must have had ample time to refute.
// An accuser whom one subject has refuted three times in ten minutes is ignored for it until a minute after the
// last of them; one whom sixteen subjects have refuted within a minute, for all: twice as many as anybody watches.
class Verdicts {
 public:
  static constexpr Duration refutation_grace = milliseconds(1500);
  static constexpr Duration lonely_grace = seconds(10);

  // Re-evaluates every accused member; returns those who are Down from now on.
  std::vector<NodeId> evaluate(Instant now, Roster& roster);
  // When evaluate() may next find something new by the mere passing of time.
  Instant next_wakeup() const { return next_; }

  // After a pause all graces start again: the subjects' refutations may still be on their way.
  void restart_graces(Instant now, Roster& roster);

  // `accusers` were answered by a newer record of `subject`.
  void note_refuted(const NodeId& subject, const std::vector<NodeId>& accusers, Instant now);
  // How often that was within the memory of ten minutes.
  int refutations(const NodeId& subject, const NodeId& accuser, Instant now) const;
  // After a while without another refutation it is heard again: whoever was cut off time and again had accusers
  // who were right each time, and its end must not go unnoticed because of that.
  bool is_ignored(const NodeId& subject, const NodeId& accuser, Instant now) const;
  // Whether it is ignored whatever it says.
  bool is_notorious(const NodeId& accuser, Instant now) const;

  // A probe of our own went unanswered; from the third in a row on nobody is ignored for that subject, save who
  // is for all: what they say is what we find. Whoever lives answers us, so no liar gains by that.
  void missed(const NodeId& subject);
  bool found_silent(const NodeId& subject) const;
  // It answered, or somebody for it, or it has published a newer record.
  void answered(const NodeId& subject) { missed_.erase(subject); }
  // Of others no probes are counted any more.
  void keep_counting(const std::function<bool(const NodeId&)>& watched);

 private:
  struct Refutations {
    Instant first, last;
    int count = 0;
  };
  static constexpr Duration memory = minutes(10);
  static constexpr Duration ignored_for = minutes(1);  // after the last of them
  static constexpr int refutations_max = 3;
  static constexpr int misses_max = 3;  // each of several tries, and with the others' help
  // When full, those not ignored yet make room, and if they are few, the half that was refuted longest ago:
  // whoever accuses everybody must not get itself forgotten by that.
  static constexpr std::size_t pairs_max = 4096;
  struct Repute {
    std::vector<std::pair<NodeId, Instant>> refuters;  // of the last minute, as many as it takes at most
    Instant ignored_until{};
  };
  static constexpr Duration repute_memory = minutes(1);
  static constexpr std::size_t refuters_max = 16;
  // When full, the one whose last refutation is longest ago makes room among those that are not ignored, if there are any.
  static constexpr std::size_t accusers_max = 1024;

  // Until when; nullopt when it is not.
  std::optional<Instant> ignored_until(const NodeId& subject, const NodeId& accuser, Instant now) const;
  bool counts(const Member& subject, const NodeId& accuser, const Roster& roster, Instant now) const;
  std::size_t legal_votes(const Member& member, const Roster& roster, Instant now) const;
  bool suffices(const Member& member, const Roster& roster, Instant now) const;
  std::size_t abstaining(const Member& member, const std::vector<NodeId>& voters, const Roster& roster, Instant now) const;
  bool judge(Member& member, const Roster& roster, Instant now);
  void make_room(Instant now);
  void note_refuter(const NodeId& subject, const NodeId& accuser, Instant now);
  void make_room_for_accuser(Instant now);

  std::map<std::pair<NodeId, NodeId>, Refutations> refuted_;  // (subject, accuser)
  std::map<NodeId, Repute> reputes_;                          // by accuser
  std::map<NodeId, int> missed_;                              // in a row, by subject
  Instant next_ = never;
};

}  // namespace wigwag
