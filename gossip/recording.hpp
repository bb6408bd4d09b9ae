#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gossip/trace.hpp"

namespace wigwag {

// Takes down a node's life as a trace while it is lived. It listens in on the node's identity,
// hence outlives the node. What it makes goes to `sink` in order; beyond `bytes_max` it ends
// the trace with a mark that says so, and takes down nothing more.
class Recording {
 public:
  using Sink = std::function<void(Bytes)>;
  Recording(std::size_t bytes_max, Sink sink);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Before the node is made, with what it is to be made of: `secrets` and `invitation` are changed such
  // that the node's use of them is heard.
  void begin(std::string program, const NodeConfig& config, NodeSecrets& secrets, const StoredState& stored,
             std::optional<Invitation>& invitation);
  // After each step.
  void stepped(Now now, const Input& input, const Outputs& outputs, const Node& node);
  // The node's life ends in order.
  void end() { finish(false); }

  bool full() const { return full_; }

 private:
  void write(const TraceEntry& entry);
  void finish(bool full);
  bool was_proven(const NodeCounters& counters);

  std::size_t bytes_left_;
  Sink sink_;
  TraceEncoder encoder_;
  std::vector<TraceNote> notes_;
  NodeCounters before_;
  bool going_ = false;
  bool full_ = false;
};

}  // namespace wigwag
