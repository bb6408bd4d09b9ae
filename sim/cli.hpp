#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/scenario/fault.hpp"

namespace CLI {
class App;
}

// The command line of the simulator: one function adds a command and its flags, another does it.
namespace wigwag::sim {

inline constexpr int status_good = 0;
inline constexpr int status_broken = 1;  // a promise did not hold
inline constexpr int status_wrong = 2;   // the command line or a scenario is wrong

// Does what the line says, and returns the exit status.
int run_cli(int argc, const char* const* argv);

// One line on standard error.
int complain(const std::string& why, int status = status_wrong);
int complain(const std::vector<Fault>& faults);

// Commands add themselves; a callback leaves in `todo` what is to be done once the whole line was read.
using Todo = std::function<int()>;
void add_run(CLI::App& app, Todo& todo);
void add_list(CLI::App& app, Todo& todo);
void add_explore(CLI::App& app, Todo& todo);
void add_replay(CLI::App& app, Todo& todo);

// True from the first SIGINT or SIGTERM on; a second one ends the program at once.
bool interrupted();
void listen_for_interrupts();

// Words as a shell takes them, for the commands that we print.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace wigwag::sim
