#pragma once

namespace CLI {
class App;
}

namespace wigwag::sim {

// Adds `wigwag-sim replay FILE [--json] [--until T] [--verbose]`. What it comes to is in `exit_status` once
// the command line is parsed: 0 the core did what was recorded, 1 it did not or the file is damaged, 2 it cannot be read.
void add_replay(CLI::App& app, int& exit_status);

}  // namespace wigwag::sim
