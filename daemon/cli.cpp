#include "daemon/cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>

#include "daemon/words.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag {
namespace {

constexpr unsigned long uses_max = 1'000'000;

struct Commands {
  UpFlags up;
  DaemonFlags place;
  ShowTerms show;
  InviteFlags invite;
  std::string id;
  std::string socket_before;       // --socket in front of the command
  std::function<int()> run;        // the command, once all of the line has been read
};

void add_up(CLI::App& app, Commands& commands) {
  auto* up = app.add_subcommand("up", "found a network, join one with a token, or start again");
  UpFlags& flags = commands.up;
  up->add_option("token", flags.token, "a token from `wigwag invite`")->type_name("TOKEN");
  up->add_option("--name", flags.network_name, "name of the network to found [home]")->type_name("NETWORK");
  up->add_option("--seed", flags.daemon.seeds, "any member, for a join with --secret-file; may be repeated")
      ->type_name("HOST[:PORT]")->take_all()->allow_extra_args(false);
  add_path(*up, "--secret-file", flags.daemon.secret_file, "a file that holds a many-use token", "FILE");
  up->add_flag("--foreground", flags.foreground, "stay in this terminal");
  up->add_option("--wait", flags.wait, "how long to wait for the join")->capture_default_str()->type_name("TIME");
  add_place_flags(*up, flags.daemon);
  add_setting_flags(*up, flags.daemon);
  up->callback([&commands] { commands.run = [&commands] { return run_up(commands.up); }; });
}

void add_stopping(CLI::App& app, Commands& commands) {
  auto* down = app.add_subcommand("down", "stop the daemon and remove what it put in the kernel");
  add_place_flags(*down, commands.place);
  down->callback([&commands] { commands.run = [&commands] { return run_down(commands.place); }; });
  auto* leave = app.add_subcommand("leave", "say goodbye to the network, go down, and forget the membership");
  add_place_flags(*leave, commands.place);
  leave->callback([&commands] { commands.run = [&commands] { return run_leave(commands.place); }; });
  auto* reload = app.add_subcommand("reload", "read the configuration again");
  add_socket_flag(*reload, commands.place);
  reload->callback([&commands] { commands.run = [&commands] { return run_reload(commands.place.socket); }; });
}

constexpr const char* one_document = "print one document with stable fields";

// `json`: what --json prints; null: there is no such flag.
CLI::App* add_show(CLI::App& app, Commands& commands, const char* name, const char* about, int (*run)(const ShowTerms&), const char* json) {
  auto* command = app.add_subcommand(name, about);
  add_socket_flag(*command, commands.place);
  if (json != nullptr) command->add_flag("--json", commands.show.json, json);
  command->callback([&commands, run] {
    commands.run = [&commands, run] {
      commands.show.socket = commands.place.socket;
      return run(commands.show);
    };
  });
  return command;
}

void add_showing(CLI::App& app, Commands& commands) {
  auto* status = add_show(app, commands, "status", "this node, the network, every member", run_status,
                          "print one document with stable fields; with --watch one a line");
  status->add_flag("--watch", commands.show.follow, "again every second");
  auto* events = add_show(app, commands, "events", "joins, failures, path changes, one a line", run_events,
                          "print each event as one document with stable fields, one a line");
  events->add_flag("--follow", commands.show.follow, "go on as they happen");
  add_show(app, commands, "plan", "what the daemon would change in the kernel now, changing nothing", run_plan, one_document);
  auto* graph = add_show(app, commands, "graph", "the mesh as this node sees it", run_graph, nullptr);
  graph->add_option("--format", commands.show.format, "dot, svg or json")
      ->required()->check(CLI::IsMember({"dot", "svg", "json"}))->type_name("FORMAT");
  auto* doctor = app.add_subcommand("doctor", "check what usually goes wrong, and say the mend");
  add_place_flags(*doctor, commands.place);
  doctor->add_flag("--json", commands.show.json, one_document);
  doctor->callback([&commands] { commands.run = [&commands] { return run_doctor(commands.place, commands.show.json); }; });
}

// CLI11's own range says of a word that it is "not in range".
std::string wrong_uses(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && text.size() <= 7 && std::stoul(text) <= uses_max) return {};
  return "'" + printable(text, 40) + "' is not a whole number from 0 to " + std::to_string(uses_max);
}

void add_inviting(CLI::App& app, Commands& commands) {
  auto* invite = app.add_subcommand("invite", "print a token that lets a node in");
  InviteFlags& flags = commands.invite;
  add_socket_flag(*invite, commands.place);
  invite->add_option("--uses", flags.uses, "how many nodes may use it; 0: any number")->capture_default_str()->check(wrong_uses)->type_name("N");
  invite->add_option("--expires", flags.expires, "how long it may be used: 90s, 30m, 24h, 7d, or never")->capture_default_str()->type_name("TIME");
  invite->add_flag("--relay", flags.relay, "the node may carry traffic for others");
  invite->add_option("--subnet", flags.subnets, "a network the node may announce; may be repeated")->type_name("CIDR")->take_all()->allow_extra_args(false);
  invite->add_option("--seed", flags.seeds, "where the joiner knocks, instead of what this node knows; may be repeated")
      ->type_name("HOST[:PORT]")->take_all()->allow_extra_args(false);
  invite->add_flag("--json", flags.json, one_document);
  invite->callback([&commands] {
    commands.run = [&commands] {
      commands.invite.socket = commands.place.socket;
      return run_invite(commands.invite);
    };
  });
  add_show(app, commands, "invites", "the invitations made on this node", run_invites, one_document);
  auto* uninvite = app.add_subcommand("uninvite", "withdraw an invitation");
  add_socket_flag(*uninvite, commands.place);
  uninvite->add_option("id", commands.id, "its id, or the first 8 digits")->required()->type_name("ID");
  uninvite->callback([&commands] { commands.run = [&commands] { return run_uninvite(commands.place.socket, commands.id); }; });
}

std::vector<std::string> long_flags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// "-V" is nearer to "--version" than letters can tell.
std::optional<std::string> nearest_flag(const std::string& typed, const std::vector<std::string>& flags) {
  if (typed.size() != 2) return nearest_word(typed, flags);
  const auto same = std::find_if(flags.begin(), flags.end(), [&](const std::string& flag) { return flag[2] == (typed[1] | 0x20); });
  return same == flags.end() ? std::nullopt : std::optional(*same);
}

// What is wrong with a command line, and whose help tells more.
std::string wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  const auto used = app.get_subcommands();
  std::string help = used.empty() ? "wigwag --help" : "wigwag " + used.front()->get_name() + " --help";
  const auto say_unknown = [&](const std::string& what, const std::string& word, const std::optional<std::string>& meant) {
    return what + " '" + printable(word, 60) + "'" + (meant ? "; did you mean " + *meant + "?" : "") + (meant ? " see `" : "; see `") + help + "`";
  };
  const auto strays = app.remaining();
  const bool before = !strays.empty();
  const auto behind = used.empty() ? std::vector<std::string>{} : used.front()->remaining();
  if (before || !behind.empty()) {
    const std::string word = before ? strays.front() : behind.front();
    if (word.size() > 1 && word.front() == '-') {
      const std::string flag = word.substr(0, word.find('='));
      if (before) help = "wigwag --help";
      return say_unknown("there is no option", flag, nearest_flag(flag, long_flags(before ? app : *used.front())));
    }
    if (!before) return say_unknown("`wigwag " + used.front()->get_name() + "` takes no", word, std::nullopt);
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
    const auto meant = nearest_word(word, names);
    return say_unknown("there is no command", word, meant ? std::optional("`wigwag " + *meant + "`") : std::nullopt);
  }
  if (used.empty() && error.get_name() == "RequiredError") return "a command is missing; see `" + help + "`";
  std::string why = error.what();
  std::replace(why.begin(), why.end(), '\n', ' ');
  return std::string(trimmed(why)) + "; see `" + help + "`";
}

// The first argument that says nothing. In a script that is a variable that nobody has set, and
// `up` without the token would found a network.
std::optional<std::string> empty_argument(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const auto& given = option->results();
    if (std::none_of(given.begin(), given.end(), [](const std::string& text) { return trimmed(text).empty(); })) continue;
    const std::string name = option->get_name();
    return option->get_positional() ? "the " + name : name;
  }
  return std::nullopt;
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_DFL);
  CLI::App app{"wigwag: a WireGuard mesh from one seed address", "wigwag"};
  Commands commands;
  app.require_subcommand(1);
  app.set_version_flag("--version", "wigwag " WIGWAG_VERSION);
  add_path(app, "--socket", commands.socket_before, "control socket of the daemon, for any command", "PATH");
  add_up(app, commands);
  add_stopping(app, commands);
  add_showing(app, commands);
  add_inviting(app, commands);
  auto* version = app.add_subcommand("version", "program, wire protocol");
  version->callback([&commands] {
    commands.run = [] { return say("wigwag " WIGWAG_VERSION ", wire protocol " + std::to_string(wire_version)), status_done; };
  });
  std::string unused_socket;
  version->add_option("--socket", unused_socket, "taken as by every command, and not used")->type_name("PATH");
  if (!start_crypto()) return complain("libsodium cannot start: the kernel gives no random numbers");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error) == 0 ? status_done : status_wrong;
    return complain(wrong_usage(app, error), status_wrong);
  }
  for (const CLI::App* used : app.get_subcommands()) {
    if (const auto empty = empty_argument(*used)) {
      return complain(*empty + " is empty: give it a value, or leave it away; in a script, see whether the variable is set", status_wrong);
    }
    if (!commands.socket_before.empty() && used->count("--socket") == 0) commands.up.daemon.socket = commands.place.socket = commands.socket_before;
  }
  return commands.run();
}

int complain(const std::string& why, int status) {
  std::fprintf(stderr, "wigwag: %s\n", why.c_str());
  return status;
}

int complain(const ControlClient::Error& error) {
  switch (error.fault) {
    case ControlClient::Fault::nobody: return complain(error.what, status_nobody);
    case ControlClient::Fault::denied:
    case ControlClient::Fault::broken: return complain(error.what, status_failed);
  }
  return status_failed;
}

int complain(const std::vector<ConfigFault>& faults) {
  for (const auto& fault : faults) {
    // A fault in a file begins with its place, as editors and other tools read it.
    std::fprintf(stderr, "%s%s\n", fault.place.line == 0 ? "wigwag: " : "", to_string(fault).c_str());
  }
  return status_wrong;
}

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

Result<Json, int> ask(const std::string& socket, const Json& request, std::chrono::milliseconds at_most) {
  auto reply = ask_daemon(socket, request, at_most);
  if (!reply) return Unexpected{complain(reply.error())};
  if (!reply->ok) return Unexpected{complain(reply->error, reply->exit_status)};
  return std::move(reply->result);
}

}  // namespace wigwag
