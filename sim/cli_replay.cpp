#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/cli.hpp"
#include "sim/replay/replay.hpp"

namespace wigwag::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int status_differs = 1;
constexpr int status_unreadable = 2;
constexpr std::size_t file_bytes_max = std::size_t{1} << 30;
constexpr int name_width = 16;

struct ReplayFlags {
  std::string file;
  std::string until;
  bool json = false;
  bool verbose = false;
};

// "90", "90s", "500ms", "10m", "2h".
std::optional<Duration> parse_time(const std::string& text) {
  double value = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || !std::isfinite(value) || value < 0 || value > 1e9) return std::nullopt;
  const std::string unit(rest, text.data() + text.size());
  const double scale = unit.empty() || unit == "s" ? 1 : unit == "ms" ? 1e-3 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (scale == 0) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value * scale));
}

std::optional<Bytes> read_whole(const std::string& path, std::string& why) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    why = std::strerror(errno);
    return std::nullopt;
  }
  Bytes content;
  std::array<std::uint8_t, 1 << 16> block{};
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
    content.insert(content.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got));
    if (content.size() > file_bytes_max) break;
  }
  if (std::ferror(file.get()) != 0) why = std::strerror(errno);
  else if (content.size() > file_bytes_max) why = "it is larger than any trace";
  return why.empty() ? std::optional(std::move(content)) : std::nullopt;
}

std::string wall_text(UnixTime wall) {
  const std::time_t seconds = wall.seconds;
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts) == 0) return std::to_string(seconds) + " s";
  return text.data();
}

// A line for the input and one for each thing it led to. Without `verbose` only what changed
// something is shown: not what was merely heard and answered.
void print(const ReplayedStep& step, bool verbose) {
  const auto shows = [&](const Effect& effect) { return verbose || effect.kind != EffectKind::sent; };
  const bool speaks = verbose || !step.differs.empty() || std::any_of(step.effects.begin(), step.effects.end(), shows);
  if (!speaks) return;
  if (step.number == 1) std::printf("begins at %s\n", wall_text(step.wall).c_str());
  std::printf("%13.6f  #%-7llu %-*s %s\n", to_seconds(step.since_start), static_cast<unsigned long long>(step.number), name_width,
              step.from.empty() ? "-" : step.from.c_str(), step.input.c_str());
  for (const auto& effect : step.effects) {
    if (shows(effect)) std::printf("%25s-> %s: %s\n", "", to_string(effect.kind), effect.text.c_str());
  }
  if (!step.differs.empty()) std::printf("%25s!! DIFFERS: %s\n", "", step.differs.c_str());
}

void print(const ReplayedStart& start) {
  std::printf("trace of %s (%s), recorded by %s; %zu members on its disk%s\n", start.name.c_str(), to_hex(start.id).substr(0, 8).c_str(),
              start.program.c_str(), start.members_known, start.invited ? ", with an invitation" : "");
}

const char* explain(ReplayEnd end) {
  switch (end) {
    case ReplayEnd::stopped: return "the daemon stopped there";
    case ReplayEnd::full: return "the trace was full there; the daemon went on";
    case ReplayEnd::cut_off: return "no end mark follows: the daemon was killed, or still runs";
    case ReplayEnd::damaged: return "what follows is damaged";
    case ReplayEnd::until: return "as --until asked";
    case ReplayEnd::lost: return "what the node would have been told next depends on what it did then";
  }
  return "";
}

void print(const ReplaySummary& summary) {
  std::printf("%llu steps in %.3f s: %s%s%s\n", static_cast<unsigned long long>(summary.steps), to_seconds(summary.span), explain(summary.end),
              summary.remark.empty() ? "" : ": ", summary.remark.c_str());
  std::printf("at the end: %s\n", summary.members.c_str());
  if (summary.differing == 0) std::printf("%s\n", summary.agrees() ? "agrees: every output is as it was recorded" : "as far as it can be read, every output is as it was recorded");
  else
    std::printf("DIFFERS in %llu steps, first in #%llu: %s\n", static_cast<unsigned long long>(summary.differing),
                static_cast<unsigned long long>(summary.first_differing), summary.first_difference.c_str());
}

void print_json(const Json& line) { std::printf("%s\n", line.dump(-1, ' ', true, Json::error_handler_t::replace).c_str()); }

Json json_of(const ReplayedStart& start) {
  return {{"kind", "start"},       {"program", start.program},       {"name", start.name},
          {"id", to_hex(start.id)}, {"network", to_hex(start.network)}, {"members_known", start.members_known}, {"invited", start.invited}};
}

Json json_of(const ReplayedStep& step) {
  Json effects = Json::array();
  for (const auto& effect : step.effects) effects.push_back({{"kind", to_string(effect.kind)}, {"text", effect.text}});
  return {{"kind", "step"},      {"step", step.number}, {"at_s", to_seconds(step.since_start)}, {"wall_unix_s", step.wall.seconds},
          {"from", step.from}, {"input", step.input}, {"effects", effects},                   {"differs", step.differs}};
}

Json json_of(const ReplaySummary& summary) {
  return {{"kind", "end"},
          {"agrees", summary.agrees()},
          {"steps", summary.steps},
          {"span_s", to_seconds(summary.span)},
          {"differing", summary.differing},
          {"first_differing", summary.first_differing},
          {"first_difference", summary.first_difference},
          {"end", to_string(summary.end)},
          {"remark", summary.remark},
          {"members", summary.members}};
}

int replay_command(const ReplayFlags& flags) {
  std::optional<Duration> until;
  if (!flags.until.empty()) {
    until = parse_time(flags.until);
    if (!until) return complain("--until must be a time since the trace's beginning such as 90s or 10m, not '" + flags.until + "'", status_unreadable);
  }
  std::string why;
  const auto file = read_whole(flags.file, why);
  std::optional<ReplaySummary> summary;
  if (why.empty()) {
    ReplayCalls calls;
    if (flags.json) {
      calls.started = [](const ReplayedStart& start) { print_json(json_of(start)); };
      calls.stepped = [](const ReplayedStep& step) { print_json(json_of(step)); };
    } else {
      calls.started = [](const ReplayedStart& start) { print(start); };
      calls.stepped = [&](const ReplayedStep& step) { print(step, flags.verbose); };
    }
    summary = replay(*file, until, calls, why);
  }
  if (!summary) return complain("cannot replay " + flags.file + ": " + why, status_unreadable);
  if (flags.json) print_json(json_of(*summary));
  else print(*summary);
  return summary->agrees() ? 0 : status_differs;
}

}  // namespace

void add_replay(CLI::App& app, Todo& todo) {
  auto flags = std::make_shared<ReplayFlags>();
  auto* replay = app.add_subcommand("replay", "run the core over a trace that `wigwagd --record FILE` wrote, and show what it did and why");
  replay->add_option("file", flags->file, "the trace")->required()->type_name("FILE");
  replay->add_option("--until", flags->until, "stop this long after the trace's beginning")->type_name("TIME");
  replay->add_flag("--json", flags->json, "a line of JSON for the beginning, each step and the end");
  replay->add_flag("--verbose", flags->verbose, "show every input and all that was sent, not only what changed something");
  replay->callback([flags, &todo] { todo = [flags] { return replay_command(*flags); }; });
}

}  // namespace wigwag::sim
