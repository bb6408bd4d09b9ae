#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/control_client.hpp"
#include "daemon/failure.hpp"
#include "daemon/flags.hpp"

// Getting a daemon to run and to stop: by systemd where it runs and knows our unit, else
// as a detached process of our own.
namespace wigwag {

// Runs a command with its output thrown away; its exit status, or nullopt when it cannot run.
std::optional<int> run_quietly(const std::vector<std::string>& command);
// The same, keeping its standard output (at most 1 MiB).
std::optional<std::string> output_of(const std::vector<std::string>& command);

bool systemd_runs();
// The unit of these flags, where systemd runs this machine and has it.
std::optional<std::string> systemd_unit(const DaemonFlags& flags);
// Stops the unit and keeps it from starting again; true when there was something to stop or keep.
bool retire_unit(const std::string& unit);

struct Launched {
  pid_t process = 0;      // 0: systemd's
  std::string log;        // where to read on: a file, or the words for the journal
  std::string unit;       // systemd's; empty when it is a process of ours
};
Outcome<Launched> launch_daemon(const DaemonFlags& flags);

// Becomes the daemon; returns only when that fails.
Failure become_daemon(const DaemonFlags& flags);

// Whether a process that we launched has ended, and with which status.
std::optional<int> ended_with(pid_t process);

// The last that a daemon has said, for a message: ": " and the line, or nothing.
std::string last_words(const Launched& launched);

// A daemon that was asked over `client` to end ends a moment after its answer, and with it its
// lock on the directory. False: it has not, and somebody must look.
bool wait_until_gone(ControlClient& client, const std::string& state_dir);

}  // namespace wigwag
