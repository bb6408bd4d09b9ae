#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "gossip/base/rng.hpp"
#include "sim/run/bits.hpp"
#include "sim/run/condition.hpp"
#include "sim/run/outcome.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {

// The spread of what was observed; by nearest rank, so that every figure was really observed.
Figure figure_of(std::vector<double> observed);

// Takes every figure of a run from what the world tells its observers as it happens, so that nobody is
// asked in words. It looks at no more than a few views at a time, cheap ones, and changes nothing but by
// its pings: one a second between each of a few random pairs.
//
// What it counts:
// - A member is well while its daemon runs, is a member, is not paused, has its cable in and hears most
//   others. False Downs are verdicts by somebody well against somebody well, both for five seconds at
//   least, on one side of all partitions for as long, honest, and with a physical path between them.
// - A crash is detected by those who were well when it happened, knew the subject as live and stayed well;
//   each figure is from a crash, or a pulled cable, until so many of them hold a verdict. Who comes back
//   within twenty seconds was not away for long enough to be measured; after that the time that it was
//   away stands for a verdict that never came, so that slow detections are not left out.
// - An update is a new record of one who has been a member for ten seconds. While four are being watched
//   no other is, which under churn makes it a sample.
// - A change of the live set is over once the live sets of all who are well equal the truth on their side.
//   A pause shorter than ten seconds is no change.
class Meter : public Observer, public Audience {
 public:
  Meter(World& world, std::uint64_t seed, std::size_t planned, Duration duration, bool certify_themselves, bool moments);

  // Every 100 ms of simulated time: whether all views are right, and pings once a second.
  void tick();
  // When the next sample is due, and taking it.
  Instant next_sample() const { return next_sample_; }
  const Sample& sample();
  // Everything but what others know better.
  void fill(RunOutcome& outcome);

  void started(std::size_t machine) override;
  void stopped(std::size_t machine) override;
  void stepped(std::size_t machine, const Input& input) override;
  void raised(std::size_t machine, const Event& event) override;
  void sent(std::size_t machine, std::size_t bytes, bool hello) override;
  void shook_hands(std::size_t machine) override;

  void condition_changed(std::size_t machine, const Condition& condition) override;
  void moved(std::size_t machine) override { note(machine, Moment::What::moved); }
  void healed() override;

 private:
  static constexpr std::size_t moments_max = 200'000;
  struct Person {
    bool running = false;
    bool joined = false;
    bool ever_joined = false;
    bool first_life = true;
    Condition condition;
    Instant started{}, joined_at{};
    Instant paused_at{};
    Instant well_since{};
    std::uint64_t side_before = 0;       // and until when
    Instant side_changed{};
    std::uint64_t revision = UINT64_MAX; // of its view, when it was looked at last
    Version version;                     // of its own record, then
    Duration ran{};                      // in lives that are over
    // Since everybody had joined, or it had, whichever came later:
    std::uint64_t bytes = 0, handshakes = 0;
    Duration counted{};
    Instant counted_from = never;
    Bits suspects, downs;                // who suspects it, who holds it Down
    bool told = true;                    // no moment about that is owed
  };
  struct Crash {
    std::size_t subject = 0;
    Instant at{};
    Bits waiting;
    std::size_t of = 0;
    bool half = false, most = false;
  };
  struct Update {
    std::size_t publisher = 0;
    Version version;
    Instant at{};
    Bits waiting;
    std::size_t of = 0;
  };
  struct Ping {
    std::size_t from = 0, to = 0;
    std::uint64_t received = 0;          // by then
    Instant sent{};
    std::size_t again = 0;               // how often it was sent again
  };
  enum class Doubt : std::uint8_t { none, suspect, down };

  Instant now() const { return world_.instant(); }
  double at() const { return to_seconds(now() - began_); }
  void note(std::size_t machine, Moment::What what, std::size_t by = 0);
  Person& person(std::size_t machine);

  // meter.cpp: who is what
  bool well(const Person& person) const;
  bool apart(const Person& a, const Person& b) const;
  void wellness(std::size_t machine, bool was);
  void admit(std::size_t machine);
  void begin_counting(Person& person);
  void stop_counting(Person& person);
  void doubt(std::size_t observer, std::size_t subject, Doubt doubt);
  void tell_doubts();
  bool is_false(std::size_t observer, std::size_t subject) const;

  // meter_watch.cpp: how long things take
  void crashed(std::size_t subject);
  void settle(Crash& crash);
  void give_up(const Crash& crash);
  void give_up_all();
  void back(std::size_t subject);
  void watch_own_record(std::size_t machine);
  void received(std::size_t machine);
  void leave_watches(std::size_t machine);
  void live_set_changed();
  void watch_views();
  bool counts_as_live(const Person& person) const;
  void renew_truth();
  bool all_views_right();
  bool all_digests_equal();

  // meter_sample.cpp
  void ping_some();
  void read_pings();
  bool pingable(std::size_t from, std::size_t to) const;
  Duration ran_so_far() const;
  void look_at_views(Sample& sample);
  std::size_t count_false_downs() const;

  World& world_;
  Instant began_;
  std::size_t planned_;
  bool certify_themselves_;
  bool keep_moments_;
  bool moments_cut_ = false;
  Rng rng_;
  std::vector<Person> people_;
  std::vector<std::size_t> untold_;      // who is doubted by more or fewer than the last moment said
  std::vector<Moment> moments_;

  std::map<std::size_t, Crash> crashes_; // by subject
  std::vector<Update> updates_;
  std::vector<double> join_, convergence_, update_, detection_, detection_half_, detection_all_, healing_;
  std::uint64_t false_downs_ = 0;
  std::size_t planned_joined_ = 0;
  std::optional<double> all_joined_, all_agreed_;

  // Whether all views are right
  std::map<std::uint64_t, Node::LiveSet> truth_;  // by side
  bool truth_stale_ = true;
  std::optional<Instant> changed_;       // the live set, and since then not all views have been right
  bool seen_wrong_ = false;              // since then
  std::optional<Instant> healed_;
  std::size_t views_at_ = 0;             // whom to look at first: who was wrong the last time
  std::size_t paused_ = 0;               // how many are
  Instant ticked_{};

  // Samples
  Duration every_;
  Instant next_sample_, last_sample_;
  std::vector<Sample> samples_;
  std::uint64_t bytes_ = 0, handshakes_ = 0;     // in all
  std::uint64_t bytes_before_ = 0, handshakes_before_ = 0;
  Duration ran_before_{};
  std::uint64_t first_bytes_ = 0, first_bytes_at_joined_ = 0;
  std::size_t suspects_ = 0, downs_ = 0;
  std::size_t looked_from_ = 0;
  std::vector<Ping> pings_;
  Instant next_pings_;
  std::size_t arrived_ = 0, lost_ = 0;   // since the last sample
  double reached_ = 0;                   // sum over samples once all had joined,
  std::size_t reached_of_ = 0;           // and of how many
};

}  // namespace wigwag::sim
