#include "sim/cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>

#include "gossip/base/wire_version.hpp"
#include "gossip/trust/crypto.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

std::atomic<bool> asked_to_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

void on_signal(int number) {
  asked_to_stop = true;
  std::signal(number, SIG_DFL);
}

// What is wrong with a line, and whose help tells more. Strays are named, with what was probably meant.
std::string wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  const auto used = app.get_subcommands();
  const CLI::App& at = used.empty() ? app : *used.front();
  const std::string help = " see `wigwag-sim " + (used.empty() ? std::string() : at.get_name() + " ") + "--help`";
  auto strays = app.remaining(true);
  if (!strays.empty()) {
    std::vector<std::string> known;
    const bool flag = strays.front().substr(0, 1) == "-";
    if (flag) {
      strays.front() = strays.front().substr(0, strays.front().find('='));
      for (const CLI::Option* option : at.get_options()) {
        for (const auto& name : option->get_lnames()) known.push_back("--" + name);
      }
    } else {
      for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) known.push_back(command->get_name());
    }
    const auto meant = nearest(strays.front(), known);
    const std::string what = flag ? "there is no option '" : used.empty() ? "there is no command '" : "`wigwag-sim " + at.get_name() + "` takes no '";
    return what + strays.front() + "'" + (meant && (flag || used.empty()) ? "; did you mean " + *meant + "?" : ";") + help;
  }
  if (used.empty()) return "a command is missing;" + help;
  std::string why = error.what();
  std::replace(why.begin(), why.end(), '\n', ' ');
  return why + ";" + help;
}

// The first flag with a value that says nothing: in a script, a variable that nobody has set.
std::optional<std::string> empty_argument(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const auto& given = option->results();
    if (std::any_of(given.begin(), given.end(), [](const std::string& text) { return text.empty(); })) return option->get_name();
  }
  return std::nullopt;
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  CLI::App app{"wigwag-sim: the daemon's own protocol code under a virtual clock and network", "wigwag-sim"};
  Todo todo;
  app.require_subcommand(1);
  app.set_version_flag("--version", "wigwag-sim " WIGWAG_VERSION);
  add_run(app, todo);
  add_list(app, todo);
  add_explore(app, todo);
  add_replay(app, todo);
  app.add_subcommand("version", "program, wire protocol")->callback([&todo] {
    todo = [] { return std::printf("wigwag-sim " WIGWAG_VERSION ", wire protocol %d\n", wire_version), status_good; };
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(wrong_usage(app, error));
  }
  for (const CLI::App* used : app.get_subcommands()) {
    if (const auto empty = empty_argument(*used)) return complain(*empty + " is empty: give it a value, or leave it away");
  }
  if (!start_crypto()) return complain("libsodium cannot start: the kernel gives no random numbers");
  return todo();
}

int complain(const std::string& why, int status) {
  std::fprintf(stderr, "wigwag-sim: %s\n", why.c_str());
  return status;
}

int complain(const std::vector<Fault>& faults) {
  for (const auto& fault : faults) {
    // A fault in a file begins with its place, as editors and other tools read it.
    std::fprintf(stderr, "%s%s\n", fault.place.line == 0 ? "wigwag-sim: " : "", to_string(fault).c_str());
  }
  return status_wrong;
}

bool interrupted() { return asked_to_stop; }

void listen_for_interrupts() {
  asked_to_stop = false;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,";
    const bool bare = !word.empty() && word.find_first_not_of(plain) == std::string::npos;
    std::string quoted = bare ? word : "'";
    for (const char c : bare ? std::string() : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    if (!bare) quoted += "'";
    line += (line.empty() ? "" : " ") + quoted;
  }
  return line;
}

}  // namespace wigwag::sim
