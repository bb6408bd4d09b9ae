#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "gossip/base/bytes.hpp"
#include "sim/cli.hpp"
#include "sim/report/report.hpp"
#include "sim/run/run.hpp"
#include "sim/scenario/bundled.hpp"
#include "sim/scenario/compose.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

constexpr std::streamsize file_most = 1 << 20;

// As they stand on the line; empty: not given.
struct RunFlags {
  std::vector<std::string> scenarios;
  std::string nodes, duration, seed, churn, loss, latency, nat;
  std::vector<std::string> partitions;
  std::string json, csv, html;
  bool trace_hash = false, quiet = false;
};

template <class To, class Parse>
void take(const std::string& flag, const std::string& text, std::optional<To>& to, Parse parse, std::string_view allowed, std::vector<Fault>& faults) {
  if (text.empty()) return;
  if (auto value = parse(text)) {
    to = std::move(*value);
  } else {
    faults.push_back({{flag, 0}, "", "cannot be '" + text + "'; allowed: " + std::string(allowed)});
  }
}

std::optional<std::uint64_t> whole_number(const std::string& text, std::uint64_t least, std::uint64_t most) {
  if (text.empty() || text.size() > 20 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  errno = 0;
  const auto value = std::strtoull(text.c_str(), nullptr, 10);
  return errno == 0 && value >= least && value <= most ? std::optional<std::uint64_t>(value) : std::nullopt;
}

Overrides overrides_of(const RunFlags& flags, std::vector<Fault>& faults) {
  Overrides over;
  const auto nodes = [](const std::string& text) { return whole_number(text, 1, static_cast<std::uint64_t>(nodes_most)); };
  const auto seed = [](const std::string& text) { return whole_number(text, 0, UINT64_MAX); };
  const auto duration = [](const std::string& text) {
    const auto read = parse_duration(text);
    return read && *read >= duration_least && *read <= duration_most ? read : std::nullopt;
  };
  take("--nodes", flags.nodes, over.nodes, nodes, "a whole number from 1 to " + std::to_string(nodes_most), faults);
  take("--duration", flags.duration, over.duration, duration, std::string(duration_allowed) + ", from 1s to 30d", faults);
  take("--seed", flags.seed, over.seed, seed, "a whole number below 2^64", faults);
  take("--churn", flags.churn, over.churn, parse_rate, rate_allowed, faults);
  take("--loss", flags.loss, over.loss, parse_share, share_allowed, faults);
  over.bundled_latencies = flags.latency == "regions";
  if (!over.bundled_latencies) {
    take("--latency", flags.latency, over.latency, parse_latency, std::string(latency_allowed) + R"(; or "regions", the bundled ones between regions)", faults);
  }
  take("--nat", flags.nat, over.nat, parse_nat_mix, nat_mix_allowed, faults);
  for (const auto& text : flags.partitions) {
    std::optional<std::vector<Happening>> cuts;
    take("--partition", text, cuts, parse_partitions, partition_allowed, faults);
    if (cuts) over.partitions.insert(over.partitions.end(), cuts->begin(), cuts->end());
  }
  return over;
}

Result<Source, Fault> source_of(const std::string& word) {
  if (const auto* one = bundled_scenario(word)) return Source{word, word + ".toml (bundled)", std::string(one->text)};
  const bool looks_like_path = word.find('/') != std::string::npos || word.find('.') != std::string::npos;
  std::ifstream file(word, std::ios::binary);
  if (!file) {
    if (looks_like_path) return Unexpected{Fault{{word, 0}, "", std::string("cannot be read: ") + std::strerror(errno)}};
    std::vector<std::string> known;
    for (const auto& one : bundled_scenarios()) known.emplace_back(one.name);
    const auto meant = nearest(word, known);
    return Unexpected{Fault{{word, 0}, "", "neither a bundled scenario nor a file" + (meant ? "; did you mean " + *meant + "?" : "; see `wigwag-sim list`")}};
  }
  std::string text(static_cast<std::size_t>(file_most) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.gcount() > file_most) return Unexpected{Fault{{word, 0}, "", "is larger than 1 MiB: is it a scenario?"}};
  if (file.bad() || (file.gcount() == 0 && !file.eof())) return Unexpected{Fault{{word, 0}, "", "cannot be read: is it a file?"}};
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto slash = word.rfind('/') + 1;
  return Source{word.substr(slash, word.rfind(".toml") - slash), word, text};
}

Result<Composed, std::vector<Fault>> scenario_of(const RunFlags& flags) {
  std::vector<Fault> faults;
  std::vector<Source> sources;
  for (const auto& word : flags.scenarios) {
    auto source = source_of(word);
    if (source) {
      sources.push_back(std::move(*source));
    } else {
      faults.push_back(source.error());
    }
  }
  const Overrides over = overrides_of(flags, faults);
  // Names that a missing file would have brought would be missed too.
  if (sources.size() < flags.scenarios.size()) return Unexpected{faults};
  auto composed = compose(sources, over);
  if (!composed) faults.insert(faults.end(), composed.error().begin(), composed.error().end());
  if (!faults.empty()) return Unexpected{faults};
  return composed;
}

// The files of the reports, opened before the run: an hour of simulation must not end in a wrong path.
struct ReportFile {
  std::string path;
  std::string (*write)(const RunOutcome&);
  std::ofstream stream;
};

Result<std::vector<ReportFile>, std::vector<Fault>> open_reports(const RunFlags& flags) {
  std::vector<ReportFile> files;
  std::vector<Fault> faults;
  const auto open = [&](const char* flag, const std::string& path, std::string (*write)(const RunOutcome&)) {
    if (path.empty()) return;
    files.push_back({path, write, std::ofstream(path, std::ios::binary | std::ios::trunc)});
    if (!files.back().stream) faults.push_back({{flag, 0}, "", "cannot write " + path + ": " + std::strerror(errno)});
  };
  open("--json", flags.json, json);
  open("--csv", flags.csv, csv);
  open("--html", flags.html, html);
  if (!faults.empty()) return Unexpected{faults};
  return files;
}

// The line that runs it again, report files left out.
std::string replay_line(const RunFlags& flags, std::uint64_t seed) {
  std::vector<std::string> words{"wigwag-sim", "run"};
  words.insert(words.end(), flags.scenarios.begin(), flags.scenarios.end());
  const auto add = [&](const char* flag, const std::string& value) {
    if (value.empty()) return;
    words.emplace_back(flag);
    words.push_back(value);
  };
  add("--nodes", flags.nodes);
  add("--duration", flags.duration);
  add("--churn", flags.churn);
  add("--loss", flags.loss);
  add("--latency", flags.latency);
  add("--nat", flags.nat);
  for (const auto& partition : flags.partitions) add("--partition", partition);
  add("--seed", std::to_string(seed));
  return shell_line(words);
}

double wall_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// One line of a terminal, written over again.
class ProgressLine {
 public:
  explicit ProgressLine(const Scenario& scenario) : duration_s_(to_seconds(scenario.duration)) {}
  ~ProgressLine() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Sample& sample, double simulated_s, double wall_s) {
    constexpr double often_enough_s = 0.1;
    if (shown_ && wall_s - last_s_ < often_enough_s) return;
    shown_ = true;
    last_s_ = wall_s;
    const double rate = wall_s > 0 ? simulated_s / wall_s : 0;
    std::fprintf(stderr, "\r\033[K%.0f of %.0f s simulated, %.1f s a second, %zu of %zu joined, %.0f %% agree", simulated_s, duration_s_, rate,
                 sample.joined, sample.running, sample.agreeing * 100);
    std::fflush(stderr);
  }

 private:
  double duration_s_;
  double last_s_ = 0;
  bool shown_ = false;
};

RunOutcome play(const Scenario& scenario, std::uint64_t seed, const RunFlags& flags) {
  ProgressLine line(scenario);
  RunControl control;
  control.stop = interrupted;
  control.wall_clock = wall_now;
  control.moments = !flags.html.empty();
  if (::isatty(STDERR_FILENO) == 1 && !flags.quiet) {
    control.progress = [&line](const Sample& sample, double simulated_s, double wall_s) { line.show(sample, simulated_s, wall_s); };
  }
  listen_for_interrupts();
  return run(scenario, seed, control);
}

int report(const RunOutcome& outcome, const RunFlags& flags, std::vector<ReportFile>& files) {
  const bool broken = !outcome.broken.empty();
  if (!flags.quiet || broken) std::printf("%s", table(outcome).c_str());
  if (flags.trace_hash) std::printf("trace %s\n", to_hex(outcome.trace).c_str());
  std::fflush(stdout);
  for (auto& file : files) {
    file.stream << file.write(outcome) << std::flush;
    if (!file.stream) return complain("cannot write " + file.path + ": is the disk full?");
  }
  return broken ? status_broken : status_good;
}

int run_scenarios(const RunFlags& flags) {
  auto composed = scenario_of(flags);
  if (!composed) return complain(composed.error());
  Scenario& scenario = composed->scenario;
  if (!scenario.seed) scenario.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  auto files = open_reports(flags);
  if (!files) return complain(files.error());
  std::printf("seed %llu\n", static_cast<unsigned long long>(*scenario.seed));
  std::fflush(stdout);
  for (const auto& note : composed->notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  RunOutcome outcome = play(scenario, *scenario.seed, flags);
  outcome.replay = replay_line(flags, *scenario.seed);
  return report(outcome, flags, *files);
}

}  // namespace

void add_run(CLI::App& app, Todo& todo) {
  auto* command = app.add_subcommand("run", "play scenarios, laid over one another, and report what came of it");
  const auto flags = std::make_shared<RunFlags>();
  command->add_option("scenarios", flags->scenarios, "names of bundled ones (`wigwag-sim list`) or files; none: 20 nodes join and stay")->type_name("SCENARIO");
  command->add_option("--nodes", flags->nodes, "how many at the start")->type_name("N");
  command->add_option("--duration", flags->duration, "how long, in simulated time")->type_name("TIME");
  command->add_option("--seed", flags->seed, "the same seed gives the same run, to the byte [by the clock]")->type_name("S");
  command->add_option("--churn", flags->churn, "nodes that go and come back: 10%/min")->type_name("RATE");
  command->add_option("--loss", flags->loss, "of datagrams, each by itself: 5%")->type_name("SHARE");
  command->add_option("--latency", flags->latency, "one way: 20ms, 5ms-45ms, long-tail:20ms-400ms, or regions")->type_name("MODEL");
  command->add_option("--nat", flags->nat, "who is behind routers: none, or '30% port-restricted, 10% symmetric hairpin, 5% full-cone x2'")->type_name("MIX");
  command->add_option("--partition", flags->partitions, "WHO@WHEN[+HOW LONG]: 50%@2m+5m; may be repeated")
      ->type_name("SPEC")->take_all()->allow_extra_args(false);
  command->add_option("--json", flags->json, "write all figures and samples")->type_name("FILE");
  command->add_option("--csv", flags->csv, "write the samples")->type_name("FILE");
  command->add_option("--html", flags->html, "write a page with plots and the membership in motion")->type_name("FILE");
  command->add_flag("--trace-hash", flags->trace_hash, "print the hash over all that every node ever did");
  command->add_flag("--quiet", flags->quiet, "only the seed, and what broke");
  command->callback([&todo, flags] { todo = [flags] { return run_scenarios(*flags); }; });
}

}  // namespace wigwag::sim
