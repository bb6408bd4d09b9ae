#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/failure.hpp"
#include "daemon/flags.hpp"

// Getting a daemon to run and to stop: by systemd where it runs and knows our unit, else
// as a detached process of our own.
namespace wigwag {

// Runs a command with its output thrown away; its exit status, or nullopt when it cannot run.
std::optional<int> run_quietly(const std::vector<std::string>& command);
// The same, keeping its standard output (at most 1 MiB).
std::optional<std::string> output_of(const std::vector<std::string>& command);

inline constexpr const char* unit_name = "wigwag.service";

// systemd runs this machine, has the unit, and these flags are the unit's.
bool systemd_keeps(const DaemonFlags& flags);

struct Launched {
  pid_t process = 0;      // 0: systemd's
  std::string log;        // where to read on: a file, or the words for the journal
};
Outcome<Launched> launch_daemon(const DaemonFlags& flags);

// Becomes the daemon; returns only when that fails.
Failure become_daemon(const DaemonFlags& flags);

// Whether a process that we launched has ended, and with which status.
std::optional<int> ended_with(pid_t process);

// The end of a log, for a message.
std::string last_line(const std::string& path);

}  // namespace wigwag
