#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "daemon/control_protocol.hpp"
#include "daemon/log.hpp"
#include "daemon/path_watch.hpp"
#include "gossip/base/time.hpp"
#include "gossip/event.hpp"
#include "gossip/status.hpp"

namespace wigwag {

// One happening as it is kept and printed.
struct LoggedEvent {
  std::uint64_t number = 0;   // counts up from 1 within a run of the daemon
  std::int64_t unix_s = 0;
  std::string kind;
  std::string member;         // a name, or the first digits of an id; empty when nobody in particular
  std::string id;             // hexadecimal; empty likewise
  std::string was, now;       // health or path, where it changed
  std::string detail;
};
Json event_json(const LoggedEvent& event);

// The last thousand events, and the lines of the log. What strangers or peers can cause
// gets one line per second and kind; the next line says how many were left out. Nothing
// that tells of a member's coming or going is ever left out.
class EventLog {
 public:
  using Write = std::function<void(LogLevel, const std::string& line)>;
  explicit EventLog(Write write) : write_(std::move(write)) {}

  const LoggedEvent& add(const Event& event, Now now);
  // Something that the shell itself saw: the interface, a conflict.
  const LoggedEvent& add(const std::string& kind, const std::string& detail, LogLevel level, Now now);
  // A member that is reached another way than before.
  const LoggedEvent& add(const PathChange& change, Now now);
  // Says what was left out and is not followed by another line. Call about once a second.
  void flush(Now now);

  const std::deque<LoggedEvent>& kept() const { return kept_; }
  static constexpr std::size_t kept_max = 1000;

 private:
  struct Quiet {
    Instant last_line{};
    bool said = false;
    std::uint64_t left_out = 0;
  };
  LoggedEvent& keep(LoggedEvent event, Now now);
  void write(const LoggedEvent& event, LogLevel level, bool limited, Now now);

  Write write_;
  std::uint64_t next_number_ = 1;
  std::deque<LoggedEvent> kept_;
  std::map<std::string, Quiet> quiet_;        // by kind: a small fixed set
  std::map<NodeId, Health> health_;           // as last told; starts afresh beyond limits::members
};

}  // namespace wigwag
