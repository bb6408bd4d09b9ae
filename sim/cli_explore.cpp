#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "gossip/base/bytes.hpp"
#include "sim/cli.hpp"
#include "sim/explore/explore.hpp"
#include "sim/scenario/units.hpp"
#include "sim/scenario/write.hpp"

namespace wigwag::sim {
namespace {

using Clock = std::chrono::steady_clock;

struct ExploreFlags {
  std::uint64_t runs = 100;
  std::uint64_t seed = 0;
  bool seed_given = false, runs_given = false;
  std::string within, keep = ".";
  unsigned threads = 0;
  std::size_t nodes = MixBounds{}.nodes_most;
  bool trace_hash = false, quiet = false;
};

// Writes the smaller scenario and returns the command that runs it; complains when it cannot be written.
std::optional<std::string> keep(const Found& found, const std::string& folder) {
  const std::string path = folder + "/broken-" + found.left.invariant + "-" + std::to_string(found.seed) + ".toml";
  std::ofstream file(path, std::ios::trunc);
  file << "# Breaks " << found.left.invariant << ": found by wigwag-sim explore with seed " << found.seed << ".\n" << write_scenario(found.scenario);
  file.flush();
  if (file) return shell_line({"wigwag-sim", "run", path, "--seed", std::to_string(found.seed)});
  complain("cannot write " + path + ": " + std::strerror(errno));
  return std::nullopt;
}

// The command that draws the network of this seed again: it depends on how many nodes it may have.
std::string again(const Found& found, const ExploreFlags& flags) {
  return shell_line({"wigwag-sim", "explore", "--runs", "1", "--seed", std::to_string(found.seed), "--nodes", std::to_string(flags.nodes)});
}

void tell(const Found& found, const ExploreFlags& flags) {
  const std::string whole = again(found, flags);
  const Scenario& small = found.scenario;
  std::printf("\nseed %llu breaks %s after %.1f s: %s\n", static_cast<unsigned long long>(found.seed), found.left.invariant.c_str(), found.left.at,
              found.left.text.c_str());
  std::printf("  shrunk in %zu runs to %zu nodes, %zu groups, %zu happenings, %s\n  replay: %s\n  or find it again: %s\n", found.tries, small.nodes, small.groups.size(),
              small.happenings.size(), print_duration(small.duration).c_str(), keep(found, flags.keep).value_or(whole).c_str(), whole.c_str());
}

int report(const Explored& explored, const ExploreFlags& flags) {
  for (const auto& found : explored.found) tell(found, flags);
  std::printf("%s%zu runs, %.1f node-hours: %zu broke a promise\n", explored.found.empty() ? "" : "\n", explored.runs, explored.node_hours,
              explored.found.size());
  if (flags.trace_hash) std::printf("trace %s\n", to_hex(explored.trace).c_str());
  return explored.found.empty() ? status_good : status_broken;
}

int run_exploration(ExploreFlags flags) {
  std::optional<Duration> within;
  if (!flags.within.empty()) {
    within = parse_duration(flags.within);
    if (!within || *within <= Duration{}) return complain("--for cannot be '" + flags.within + "'; allowed: " + std::string(duration_allowed));
  }
  if (::access(flags.keep.c_str(), W_OK | X_OK) != 0) return complain("--keep " + flags.keep + ": no folder that can be written to: " + std::strerror(errno));
  if (!flags.seed_given) flags.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count() / 1000);
  std::printf("seed %llu\n", static_cast<unsigned long long>(flags.seed));
  std::fflush(stdout);
  listen_for_interrupts();
  const auto begun = Clock::now();
  const bool shown = ::isatty(STDERR_FILENO) == 1 && !flags.quiet;
  Exploration exploration;
  exploration.first_seed = flags.seed;
  exploration.runs = within && !flags.runs_given ? SIZE_MAX : flags.runs;
  exploration.threads = flags.threads != 0 ? flags.threads : std::max(1U, std::thread::hardware_concurrency());
  exploration.bounds.nodes_most = flags.nodes;
  exploration.stop = [&] { return interrupted() || (within && Clock::now() - begun >= *within); };
  exploration.progress = [&](std::size_t runs, std::size_t found) {
    if (shown) std::fprintf(stderr, "\r\033[K%zu runs, %zu broke a promise", runs, found);
  };
  const Explored explored = explore(exploration);
  if (shown) std::fprintf(stderr, "\r\033[K");
  return report(explored, flags);
}

}  // namespace

void add_explore(CLI::App& app, Todo& todo) {
  auto* command = app.add_subcommand("explore", "try random networks with random faults, and shrink what breaks a promise");
  const auto flags = std::make_shared<ExploreFlags>();
  auto* runs = command->add_option("--runs", flags->runs, "how many [100; without end with --for]")->type_name("N")->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  auto* seed = command->add_option("--seed", flags->seed, "of the first run, the next has the next [by the clock]")->type_name("S");
  command->add_option("--for", flags->within, "begin no more runs after this time of yours: 5m")->type_name("TIME");
  command->add_option("--threads", flags->threads, "how many runs at once [one a processor]")->type_name("N")->check(CLI::Range(1U, 1024U));
  command->add_option("--nodes", flags->nodes, "at most so many in a run")->type_name("N")->check(CLI::Range(std::size_t{2}, std::size_t{10'000}))->capture_default_str();
  command->add_option("--keep", flags->keep, "where scenarios that break a promise are written")->type_name("DIR")->capture_default_str();
  command->add_flag("--trace-hash", flags->trace_hash, "print the hash over all runs");
  command->add_flag("--quiet", flags->quiet, "no progress");
  command->callback([&todo, flags, runs, seed] {
    flags->runs_given = runs->count() > 0;
    flags->seed_given = seed->count() > 0;
    todo = [flags] { return run_exploration(*flags); };
  });
}

}  // namespace wigwag::sim
