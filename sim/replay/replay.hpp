#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/bytes.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"

// Plays a recorded life again: the core of this program over the inputs in a trace, beside
// what the core that was recorded did.
namespace wigwag::sim {

enum class EffectKind : std::uint8_t { sent, planned, persisted, raised, left };
const char* to_string(EffectKind kind);

// One thing that a step did, in words; of a plan one for each peer, address or route that changed.
struct Effect {
  EffectKind kind = EffectKind::sent;
  std::string text;
};

// One input played again.
struct ReplayedStep {
  std::uint64_t number = 0;         // from 1
  Duration since_start{};
  UnixTime wall;
  std::string input;                // "ping", "push: record of fra-1 version 1763.4"
  std::string from;                 // a member's name, or an address; empty for this machine itself
  std::vector<Effect> effects;
  std::string differs;              // how it is not what was recorded; empty: it is
};

struct ReplayedStart {
  std::string program;
  std::string name;
  NodeId id;
  NetworkId network;
  std::size_t members_known = 0;    // on its disk
  bool invited = false;
};

enum class ReplayEnd : std::uint8_t {
  stopped,      // the daemon stopped in order
  full,         // the trace had reached its bound
  cut_off,      // no end mark: the daemon was killed, or the file copied while it grew
  damaged,
  until,        // --until was reached
  lost,         // the node went another way, where no answer was noted
};
const char* to_string(ReplayEnd end);

struct ReplaySummary {
  std::uint64_t steps = 0;
  Duration span{};
  std::uint64_t differing = 0;
  std::uint64_t first_differing = 0;  // a step's number; 0: none
  std::string first_difference;
  ReplayEnd end = ReplayEnd::stopped;
  std::string remark;                 // of a damaged or lost end: where and how
  std::string members;                // what the node held at the end: "5 members: 4 alive, 1 dead"
  bool agrees() const { return differing == 0 && end != ReplayEnd::damaged && end != ReplayEnd::lost; }
};

struct ReplayCalls {
  std::function<void(const ReplayedStart&)> started = [](const ReplayedStart&) {};
  std::function<void(const ReplayedStep&)> stepped = [](const ReplayedStep&) {};
};

// Runs the whole trace, or its first `until`. nullopt with `why` set when it is none, or when even
// its beginning cannot be read. Needs start_crypto().
std::optional<ReplaySummary> replay(ByteView file, std::optional<Duration> until, const ReplayCalls& calls, std::string& why);

}  // namespace wigwag::sim
