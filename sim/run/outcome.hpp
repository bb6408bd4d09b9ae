#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/bytes.hpp"
#include "gossip/status.hpp"
#include "sim/check/broken.hpp"
#include "sim/scenario/scenario.hpp"

// What came of a run: all that the table, JSON, CSV and the picture show. Times are in seconds of
// virtual time since the run began, unless a name says otherwise.
namespace wigwag::sim {

// The spread of one figure over many observations; all zero when `count` is.
struct Figure {
  std::size_t count = 0;
  double p50 = 0, p90 = 0, p99 = 0, max = 0;
};

// One second (or more, in long runs) of the run.
struct Sample {
  double at = 0;
  std::size_t running = 0;               // daemons that are up
  std::size_t joined = 0;                // of those, members
  double agreeing = 0;                   // share of the running that hold the most common view (digest)
  double true_views = 0;                 // share whose live set is exactly the running, connected members
  double reachable = 0;                  // of random pairs that have a physical path
  double bytes_per_node_s = 0;           // sent, with IP, UDP and WireGuard's 32 bytes
  double handshakes_per_node_min = 0;
  std::size_t suspects = 0, downs = 0;   // (observer, subject) pairs
  std::size_t false_downs = 0;           // of those, of a running and reachable subject
};

// One change of what somebody is, for the replay with its slider: small enough to keep for 1,000 nodes.
struct Moment {
  double at = 0;
  std::size_t node = 0;
  enum class What : std::uint8_t { started, joined, stopped, paused, resumed, cut, mended, left, suspected, down, cleared, moved, hostile } what = What::started;
  std::size_t by = 0;                    // for suspected, down, cleared: how many others now think so
};

// Who a node is, for the picture.
struct Identity {
  std::string name;
  std::string region;                    // empty: of none in particular
  std::string group;                     // of NodeGroup::name; empty: none
};

// A fault that was played, for the time line.
struct Played {
  double at = 0, until = 0;
  std::string text;                      // "partition: 10 nodes of region eu-west"
};

struct RunOutcome {
  Scenario scenario;                     // as it was run, seed and all
  std::uint64_t seed = 0;
  double simulated_s = 0;                // less than asked for when it was interrupted
  bool interrupted = false;
  double wall_s = 0;
  std::size_t nodes = 0;                 // that ever were
  std::optional<double> all_joined;      // everybody a member
  std::optional<double> all_agreed;      // everybody first knew everybody
  Figure join;                          // from a daemon's start to its admission
  Figure convergence;                   // from a lasting change of the live set until all views are right
  Figure update;                        // from a member's new record until 99 % hold it
  Figure detection;                     // from a crash until 99 % of the others see it Down
  Figure detection_half;                // until half of them do,
  Figure detection_all;                 // and until all do
  Figure failover;                      // from a home's loss until traffic to the node flows through another
  Figure healing;                       // from a partition's end to full agreement
  std::uint64_t false_downs = 0;         // verdicts against members that ran and could be reached
  double node_hours = 0;                 // of running daemons
  Figure bytes_per_node_s;              // over nodes, after joining
  double seed_bytes_per_joiner = 0;      // sent by the first node until all had joined
  double handshakes_per_node_min = 0;
  double reachable = 1;                  // mean over time of Sample::reachable, once all had joined
  std::vector<Sample> samples;
  std::vector<Identity> identities;      // by number; a node without one is called by its number
  std::vector<Moment> moments;
  bool moments_cut = false;              // there were more of them than are kept: the last are missing
  std::vector<Played> played;
  std::vector<Broken> broken;
  Hash32 trace;
  std::string replay;                    // the command that runs it again
};

}  // namespace wigwag::sim
