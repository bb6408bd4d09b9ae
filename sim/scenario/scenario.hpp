#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gossip/base/time.hpp"
#include "sim/hostile/behaviour.hpp"
#include "sim/world/weather.hpp"

// What a run is made of, as read from scenario files and the command line: plain values, complete in
// themselves, so that exploring can mix, shrink and print them.
namespace wigwag::sim {

// Which nodes something is about. The named ones, or a number or a share of those of a group or a
// region (of all, when neither is named), chosen by the run's seed.
struct Selection {
  std::vector<std::size_t> nodes;        // by number, from 0, the founder; not empty: just these
  std::string group;                     // of NodeGroup::name; empty: any
  std::string region;                    // empty: any
  std::optional<std::size_t> count;      // at most so many of them
  std::optional<Ppm> share;              // or this share, at least one; neither: all of them
  bool operator==(const Selection&) const = default;
};

// Nodes that have something in common. Nodes that no group takes are ordinary: public, honest. A node is
// in one group at most, and the first `Joining::seeds` nodes are in none: a seed is somebody ordinary.
struct NodeGroup {
  std::string name;
  std::optional<std::size_t> count;
  std::optional<Ppm> share;              // of all nodes; one of the two
  std::string region;                    // empty: as regions are shared out
  std::optional<NatKind> nat;            // behind a router each,
  std::size_t behind_one = 1;            // or so many behind one router
  std::int64_t clock_s = 0;              // wall clock ahead by so many seconds
  Duration cpu{};                        // what each input costs the daemon
  std::optional<Weather> weather;        // of their links
  bool newer = false;                    // speaks a later version of the protocol beside ours
  std::optional<Behaviour> hostile;
  bool operator==(const NodeGroup&) const = default;
};

struct Region {
  std::string name;
  std::uint32_t weight = 1;              // of the nodes without a region of their own
  bool operator==(const Region&) const = default;
};
struct RegionLink {
  std::string a, b;                      // may be the same
  Latency latency;
  bool operator==(const RegionLink&) const = default;
};

// How the nodes come to be there.
struct Joining {
  enum class Pattern : std::uint8_t {
    storm,      // all at once, `over` counted from the start
    converged,  // all are members already and know each other: the run starts from their disks
  };
  Pattern pattern = Pattern::storm;
  Duration over = seconds(0);            // spread evenly over this time
  std::size_t seeds = 1;                 // how many of the first nodes the others are told of
  bool certify_themselves = false;       // by a many-use token that carries the trust bundle
  bool operator==(const Joining&) const = default;
};

enum class DiskFate : std::uint8_t { kept, lost, old };  // old: as it was when the node had just joined

// Nodes that go and come back, all the time: `rate` of all nodes a minute.
struct Churn {
  Ppm rate_per_minute = 0;
  Duration away = seconds(60);           // on average
  DiskFate disk = DiskFate::kept;
  Ppm fresh = 0;                         // this share never comes back: a new node joins instead
  bool operator==(const Churn&) const = default;
};

// Something that happens at a time. `lasting`: it is undone after that; without, it stays.
struct Happening {
  enum class Kind : std::uint8_t {
    crash,        // the daemon dies; the kernel goes on. Undone: it starts again
    reboot,       // the machine dies. Undone: it starts again, with `disk`
    restart,      // the daemon dies and starts at once, with `disk`
    leave,        // says goodbye
    join,         // `who.count` new nodes join, of `who.group` and in `who.region` where named
    pause,        // stands still; undone: goes on
    busy,         // each input costs `amount`
    cut,          // the cable is out
    one_way,      // `who` still sends to `other`, and hears nothing of it
    partition,    // `who` on one side, everybody else on the other
    weather,      // `weather` for `who` (for all links, when it selects all)
    clock,        // the wall clock jumps by `amount`
    move,         // gets another underlay address
    rebind,       // its router forgets its mappings and picks other ports
    disk_fails,   // writes fail
    flap,         // the cable goes out and in, `amount` each
    upgrade,      // as restart, and speaks the later protocol from then on
    turn_hostile, // behaves as `behaviour` says
    swap,         // each gets the address of the next of `who`, the last that of the first
  };
  Kind kind = Kind::crash;
  Duration at{};                         // from the start of the run
  std::optional<Duration> lasting;
  Selection who;
  Selection other;
  Duration amount{};
  Duration spread{};                     // restart, upgrade, join, leave, move, rebind, crash, reboot: one after
                                         // the other, evenly over this time (rolling); zero: all at once
  DiskFate disk = DiskFate::kept;
  std::optional<Weather> weather;
  std::optional<Behaviour> behaviour;
  bool operator==(const Happening&) const = default;
};

struct Scenario {
  std::vector<std::string> names;        // what it was composed of
  std::string summary;
  std::size_t nodes = 20;
  Duration duration = minutes(5);
  Duration calm = minutes(1);            // at the end of `duration`: no more churn, all faults that last are undone, all must be well
  std::optional<std::uint64_t> seed;     // nullopt: chosen by the clock, and printed
  Joining joining;
  Weather weather;
  std::vector<Region> regions;
  std::vector<RegionLink> region_links;
  std::vector<NodeGroup> groups;
  Churn churn;
  std::vector<Happening> happenings;     // sorted by time
  bool operator==(const Scenario&) const = default;
};

}  // namespace wigwag::sim
