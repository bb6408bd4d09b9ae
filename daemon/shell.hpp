#pragma once

#include <string>
#include <vector>

#include "daemon/config.hpp"

namespace wigwag {

// What the command line of wigwagd came to.
struct ShellTerms {
  Config config;
  std::string config_path;
  bool config_must_exist = false;
  std::vector<ConfigOverride> overrides;   // applied again at a reload
  std::string state_dir;
  std::string socket;
  std::string program;                     // its name and version
  std::string record;                      // where to write a trace of this life; empty: nowhere
};

// Runs one node until it is told to stop: feeds the core with what this machine says and
// carries out what it answers. Returns the exit status; failures are in the log.
int run_shell(ShellTerms terms);

}  // namespace wigwag
