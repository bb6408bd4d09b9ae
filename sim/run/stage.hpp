#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/check/checker.hpp"
#include "sim/hostile/hostile.hpp"
#include "sim/run/cast.hpp"
#include "sim/run/condition.hpp"
#include "sim/run/outcome.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {

// How likely a datagram is lost at worst: in bursts, while they last.
inline Ppm worst_loss(const Weather& weather) { return std::max(weather.loss, weather.bursts.loss); }

// Plays a scenario on a world: who joins when, churn, happenings, and their ends. It keeps an agenda of
// its own and does nothing between its times, so that who runs the world steps from one to the next.
//
// When the calm begins, what has been put on the agenda for later is struck off, what lasts is undone and
// what flaps comes to rest. What was not meant to be undone stays as it is. The first Joining::seeds nodes
// are left out of churn, for without them nobody could join; happenings may name them.
class Stage : public Observer {
 public:
  Stage(World& world, const Scenario& scenario, std::uint64_t seed, Audience& audience);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void begin();
  // When something is on the agenda; `never` when nothing is.
  Instant next() const { return agenda_.empty() ? never : agenda_.begin()->first.first; }
  // Does all that is due.
  void play();

  const Cast& cast() const { return cast_; }
  const CheckFacts& facts() const { return facts_; }
  CheckFacts& facts() { return facts_; }
  // With the ends that are known so far; what has no end is given `end`.
  std::vector<Played> played(double end) const;
  bool calm() const { return calm_; }

  void raised(std::size_t machine, const Event& event) override;

 private:
  using Action = std::function<void()>;
  using When = std::pair<Instant, std::uint64_t>;
  enum class Sort : std::uint8_t { play, undo, upkeep };
  struct Entry {
    Sort sort;
    Action action;
  };
  // What is done to a machine by several happenings at once, counted, so that it ends with the last.
  struct Plight {
    Condition condition;
    std::size_t down = 0;
    std::size_t pauses = 0;
    std::size_t cuts = 0;
    std::size_t busy = 0;
    std::size_t disk_faults = 0;
    std::size_t deaf_to = 0;
    std::int64_t clock_s = 0;
    std::vector<Weather> weathers;       // the last one rules
    Bytes old_disk;
  };
  using Nodes = std::vector<std::size_t>;
  static constexpr double never_ends = 1e18;

  void put(Instant when, Sort sort, Action action);
  void put_undo(const Happening& happening, Action action);
  void one_by_one(const Happening& happening, const Nodes& nodes, const std::function<void(std::size_t)>& act);

  // stage.cpp: who joins, churn, and the calm
  void open();
  std::size_t enter(std::size_t node);
  World::Options options_of(std::size_t node) const;
  void settle(std::size_t node);
  void join(const Happening& happening, std::size_t node);
  void set_stage();
  void keep_old_disks();
  void churn_later();
  void churn();
  void begin_calm();
  bool present(std::size_t node) const;

  // stage_faults.cpp: what happens to machines
  static bool stays(Happening::Kind kind);
  void perform(const Happening& happening, const std::string& name);
  void on_machine(const Happening& happening, std::size_t node);
  void take_down(std::size_t node, bool power);
  void bring_up(std::size_t node, DiskFate disk);
  void restart(std::size_t node, DiskFate disk, bool newer);
  void change_disk(std::size_t node, DiskFate disk);
  void leave(std::size_t node);
  void see_off(std::size_t node);
  void pause(std::size_t node, const Happening& happening);
  void busy(std::size_t node, const Happening& happening);
  void set_clock(std::size_t node, std::int64_t seconds_ahead);
  void fail_disk(std::size_t node, const Happening& happening);
  void turn(std::size_t node, Behaviour behaviour, const Happening* happening);

  // stage_links.cpp: what happens between them
  void cut(std::size_t node);
  void mend(std::size_t node);
  void flap(std::size_t node, const Happening& happening, std::uint64_t flap);
  void flap_again(std::size_t node, Duration span, std::uint64_t flap, bool out);
  void part(const Happening& happening, const Nodes& nodes);
  void deafen(const Happening& happening, const Nodes& nodes, const Nodes& others);
  void set_one_way(std::size_t from, std::size_t to, bool cut);
  void set_weather(const Happening& happening, const Nodes& nodes);
  void weigh_loss();
  void swap_addresses(const Nodes& nodes);

  void tell(std::size_t node);
  void disturbed();
  std::uint64_t seed_of(const std::string& name) { return rng_for(seed_, name).next(); }

  World& world_;
  Scenario scenario_;
  std::uint64_t seed_;
  Audience& audience_;
  Cast cast_;
  CheckFacts facts_;
  std::vector<Plight> plights_;          // by number, of those who are in the world
  std::map<When, Entry> agenda_;
  std::uint64_t entries_ = 0;
  Rng churn_rng_;
  bool old_disks_ = false;               // somebody will need them
  bool calm_ = false;
  std::uint64_t sides_ = 0;              // of partitions that are on
  std::set<std::uint64_t> flaps_;        // that are on
  std::uint64_t flaps_begun_ = 0;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> one_way_;  // (from, to): how often cut
  std::vector<Weather> weathers_;        // for all links; the last one rules
  std::shared_ptr<Gang> gang_;
  std::vector<Played> played_;           // `until` is never_ends for what is not undone
};

}  // namespace wigwag::sim
