#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "daemon/cli.hpp"
#include "daemon/config_edit.hpp"
#include "daemon/launch.hpp"
#include "daemon/startup.hpp"
#include "daemon/status_text.hpp"
#include "daemon/words.hpp"

namespace wigwag {
namespace {

constexpr auto answer_time = std::chrono::seconds(20);
constexpr auto pause = std::chrono::milliseconds(100);
constexpr std::size_t config_bytes_max = 1 << 20;

// What `up` was asked, after all of it has been checked and before anything is touched.
struct Wish {
  UpFlags flags;
  std::vector<ConfigOverride> overrides;
  Config config;
  std::vector<std::string> notes;
  std::optional<Token> token;
  std::string token_text;
  std::chrono::seconds wait{30};
};

Result<Wish, int> understand(const UpFlags& flags) {
  Wish wish;
  wish.flags = flags;
  auto overrides = flags.daemon.overrides();
  if (!overrides) return Unexpected{complain(overrides.error())};
  wish.overrides = std::move(*overrides);
  auto loaded = load_config(flags.daemon.config, false, wish.overrides, own_host_name());
  if (!loaded) return Unexpected{complain(loaded.error())};
  wish.config = std::move(loaded->config);
  wish.notes = std::move(loaded->notes);
  const auto wait = parse_span(flags.wait);
  if (!wait) return Unexpected{complain("--wait must be a time such as 30s, not '" + printable(flags.wait, 40) + "'", status_wrong)};
  wish.wait = *wait;
  if (!flags.network_name.empty() && !is_valid_name(flags.network_name)) {
    return Unexpected{complain("--name must be at most 63 letters a-z, digits and inner hyphens", status_wrong)};
  }
  if (flags.token.empty()) return wish;
  if (!flags.network_name.empty()) {
    return Unexpected{complain("--name names a network to found, and a token joins one: give one of them", status_wrong)};
  }
  auto token = decode_token(flags.token);
  if (!token) return Unexpected{complain(to_string(token.error()))};
  wish.token_text = flags.token;
  wish.token = std::move(*token);
  return wish;
}

// The configuration file with what was asked for on the command line, and nothing else changed.
int write_config(const Wish& wish) {
  const std::string& path = wish.flags.daemon.config;
  const auto held = read_file(path, config_bytes_max);
  if (!held) return complain(held.error().what);
  std::vector<std::pair<std::string, ConfigValue>> wanted;
  for (const auto& override : wish.overrides) wanted.emplace_back(override.key, override_value(override).value());
  if (held->has_value() && wanted.empty()) return status_done;
  const std::string before = held->has_value() ? std::string((*held)->begin(), (*held)->end()) : fresh_config();
  const auto edited = edit_config(before, wanted);
  if (!edited) return complain(path + ": " + edited.error().what);
  if (held->has_value() && *edited == before) return status_done;
  if (const auto slash = path.rfind('/'); slash != std::string::npos && slash > 0) ::mkdir(path.substr(0, slash).c_str(), 0755);
  const auto written = replace_file(path, view_of(*edited), {0644, std::nullopt});
  return written ? status_done : complain(written.error().what);
}

// IPv4 networks that this host uses already: a founder's prefix keeps clear of them.
std::vector<Prefix> local_networks() {
  std::vector<Prefix> networks;
  std::ifstream routes("/proc/net/route");
  std::string line;
  std::getline(routes, line);
  while (std::getline(routes, line)) {
    std::istringstream words(line);
    std::string device, skip;
    std::uint32_t destination = 0, mask = 0;
    words >> device >> std::hex >> destination >> skip >> skip >> skip >> skip >> skip >> mask;
    if (!words || mask == 0) continue;
    const auto length = static_cast<std::uint8_t>(__builtin_popcount(mask));
    networks.push_back(Prefix::covering(Address::ipv4(ntohl(destination)), length));
  }
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return networks;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_in address{};
    std::memcpy(&address, at->ifa_addr, sizeof address);
    networks.push_back(Prefix::host(Address::ipv4(ntohl(address.sin_addr.s_addr))));
  }
  ::freeifaddrs(list);
  return networks;
}

int found(const Wish& wish, const StateDir& directory) {
  FoundingTerms terms;
  terms.network_name = wish.flags.network_name.empty() ? "home" : wish.flags.network_name;
  terms.node_name = wish.config.node_name;
  terms.ipv4 = wish.config.network_ipv4;
  terms.avoid = local_networks();
  const auto founded = found_network(directory, terms, UnixTime{std::time(nullptr)});
  if (!founded) return complain(founded.error().what);
  say("founded network " + founded->network_name);
  return status_done;
}

int take_token(const Wish& wish, const StateDir& directory) {
  if (!wish.token_text.empty()) {
    const auto saved = directory.save_text("token", std::string(trimmed(wish.token_text)) + "\n");
    return saved ? status_done : complain(saved.error().what);
  }
  const std::string& path = wish.config.secret_file;
  if (const auto loose = loose_permissions(path)) std::fprintf(stderr, "wigwag: warning: %s\n", loose->c_str());
  // The daemon's own user may have no right to read the file: it gets a copy of its own.
  const auto content = read_file(path, 64 << 10);
  if (!content || !content->has_value()) return complain("cannot read " + path);
  const auto saved = directory.save_text("token", std::string((*content)->begin(), (*content)->end()));
  return saved ? status_done : complain(saved.error().what);
}

// What this node is to be, or is.
enum class Part : std::uint8_t { founder, joiner, waiting_joiner, member };

// How to get out of a membership while no daemon answers, which `wigwag leave` asks.
std::string leave_first(const StateDir& directory) {
  return "`wigwag leave` first (a daemon must run for that: `wigwag up` without a token starts it; if this machine never was in use there, "
         "remove " + directory.path() + " instead)";
}

// Decides it, or refuses, before anything is written but the state directory itself.
Result<Part, int> judge(const Wish& wish, const StateDir& directory) {
  const auto membership = membership_in(directory);
  if (!membership) return Unexpected{complain(membership.error().what)};
  if (membership->has_value()) {
    const Membership& held = **membership;
    if (wish.token && wish.token->network != held.network) {
      return Unexpected{complain("this node is a member of " + held.network_name + " and the token is for another network: " + leave_first(directory))};
    }
    if (!wish.flags.network_name.empty() && wish.flags.network_name != held.network_name) {
      return Unexpected{complain("this node is a member of " + held.network_name + " already: leave --name away, or " + leave_first(directory))};
    }
    return Part::member;
  }
  if (wish.token) return Part::joiner;
  if (!wish.config.secret_file.empty()) {
    if (const auto token = read_token_file(wish.config.secret_file); !token) return Unexpected{complain(token.error().what)};
    return Part::joiner;
  }
  if (directory.has("token")) return Part::waiting_joiner;
  if (!wish.config.seeds.empty()) {
    return Unexpected{complain("seeds alone let nobody in: give a token, or the fleet's --secret-file", status_wrong)};
  }
  if (wish.config.network_ipv4 && wish.config.node_ipv4 && !wish.config.network_ipv4->contains(*wish.config.node_ipv4)) {
    return Unexpected{complain("node.ipv4 is not in network.ipv4", status_wrong)};
  }
  return Part::founder;
}

// Makes configuration and state directory say so.
Result<Part, int> prepare(const Wish& wish) {
  auto directory = StateDir::open(wish.flags.daemon.state_dir, StateDir::Missing::create);
  if (!directory) return Unexpected{complain(directory.error().what)};
  const auto part = judge(wish, *directory);
  if (!part) return part;
  if (const int written = write_config(wish); written != status_done) return Unexpected{written};
  int done = status_done;
  if (*part == Part::joiner) done = take_token(wish, *directory);
  if (*part == Part::founder) done = found(wish, *directory);
  if (done != status_done) return Unexpected{done};
  return part;
}

std::string self_words(const Json& status) {
  const Json self = status.value("self", Json::object());
  return text_of(self, "name") + " " + text_of(self, "ipv4") + " " + text_of(self, "ipv6");
}

// Waits until the daemon answers, or says why it does not.
Result<Json, int> wait_for_answer(const UpFlags& flags, const Launched& launched) {
  const auto deadline = std::chrono::steady_clock::now() + answer_time;
  while (true) {
    const auto reply = ask_daemon(flags.daemon.socket, {{"command", "status"}}, std::chrono::seconds(5));
    if (reply && reply->ok && !text_of(reply->result.value("self", Json::object()), "id").empty()) return reply->result;
    if (!reply && reply.error().fault == ControlClient::Fault::denied) return Unexpected{complain(reply.error())};
    if (const auto status = ended_with(launched.process)) {
      return Unexpected{complain("the daemon ended with status " + std::to_string(*status) + last_words(launched) + " (" + launched.log + ")")};
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return Unexpected{complain("the daemon does not answer on " + flags.daemon.socket + last_words(launched) + " (" + launched.log + ")")};
    }
    std::this_thread::sleep_for(pause);
  }
}

// A seed has said no to the token that was given here: it will say so again, so nothing is
// left behind. A fleet's secret stays, because whoever refuses it may learn better.
int give_up(const Wish& wish, const std::string& why) {
  const auto& flags = wish.flags.daemon;
  auto client = ControlClient::ask(flags.socket, {{"command", "down"}});
  if (client) {
    (void)client->next(std::chrono::seconds(30));
    (void)wait_until_gone(*client, flags.state_dir);
  }
  if (const auto unit = systemd_unit(flags)) retire_unit(*unit);
  (void)remove_file(flags.state_dir + "/token");
  return complain("not joined: " + why);
}

// Members beside this node; who has left the network is shown for a while, and is none.
std::size_t others_in(const Json& status) {
  const Json members = status.value("members", Json::array());
  const auto known = std::count_if(members.begin(), members.end(), [](const Json& member) { return text_of(member, "health") != "left"; });
  return known > 0 ? static_cast<std::size_t>(known - 1) : 0;
}

// A reason that ends as a sentence, to go on behind it.
std::string unended(const std::string& sentence) { return sentence.substr(0, sentence.find_last_not_of(". ") + 1); }

std::string others_words(std::size_t others, Part part, const std::string& why) {
  if (others > 0) return "; it knows " + std::to_string(others) + (others == 1 ? " other member" : " other members");
  switch (part) {
    case Part::founder: return "";
    case Part::member: return "; it knows no other member";
    case Part::joiner:
    case Part::waiting_joiner:
      return "; no member has let it in yet" + (why.empty() ? why : ": " + unended(why)) + "; it keeps trying, see `wigwag status`";
  }
  return "";
}

int wait_for_join(const Wish& wish, Part part, Json status, const Launched& launched) {
  const auto deadline = std::chrono::steady_clock::now() + wish.wait;
  // A fleet's node certifies itself: that it is a member proves nothing about the seed it was given.
  const bool to_be_met = part == Part::joiner || part == Part::waiting_joiner;
  while (!status.value("joined", false) || (to_be_met && others_in(status) == 0)) {
    const bool joined = status.value("joined", false);
    const std::string why = text_of(status, "waiting_for");
    if (!joined && wish.token && status.value("refused", false)) return give_up(wish, why);
    if (std::chrono::steady_clock::now() > deadline) {
      if (joined) break;
      return complain("not joined yet: " + unended(why) + "; the daemon keeps trying, see `wigwag status` and " + launched.log);
    }
    std::this_thread::sleep_for(pause);
    const auto reply = ask_daemon(wish.flags.daemon.socket, {{"command", "status"}}, std::chrono::seconds(5));
    if (reply && reply->ok) status = reply->result;
    if (const auto ended = ended_with(launched.process)) {
      return complain("the daemon ended with status " + std::to_string(*ended) + last_words(launched));
    }
  }
  say("member of " + text_of(status.value("network", Json::object()), "name") + ": this node is " + self_words(status) +
      others_words(others_in(status), part, text_of(status, "waiting_for")));
  return status_done;
}

// Whoever counts on the next boot should know that nothing starts a daemon of ours there.
void say_what_a_reboot_ends(const Launched& launched) {
  if (!launched.unit.empty()) return;
  std::fprintf(stderr, "wigwag: note: this daemon does not come back after a reboot: %s\n",
               systemd_runs() ? "systemd keeps a further network whose files are /etc/wigwag/NAME.toml, /var/lib/wigwag-NAME and "
                                "/run/wigwag-NAME/wigwag.sock (--config, --state-dir, --socket)"
                              : "there is no systemd here; have `wigwag up` run at the start");
}

// A daemon answers already. nullopt: it made way, and we go on as if none had.
std::optional<int> meet_running(const Wish& wish) {
  const auto& flags = wish.flags.daemon;
  const auto reply = ask_daemon(flags.socket, {{"command", "status"}}, std::chrono::seconds(10));
  if (!reply) return reply.error().fault == ControlClient::Fault::nobody ? std::nullopt : std::optional(complain(reply.error()));
  const Json& status = reply->result;
  const Json network = status.is_object() ? status.value("network", Json::object()) : Json::object();
  if (!reply->ok || !status.value("joined", false)) {
    // It waits for a join that this one may replace.
    auto client = ControlClient::ask(flags.socket, {{"command", "stop"}});
    if (client && !wait_until_gone(*client, flags.state_dir)) {
      return complain("a daemon that waits for its join holds " + flags.state_dir + " and does not end: kill it and try again");
    }
    return std::nullopt;
  }
  const std::string name = text_of(network, "name");
  if (wish.token && to_hex(wish.token->network) != text_of(network, "id")) {
    return complain("this node is a member of " + name + " and the token is for another network: `wigwag leave` first");
  }
  if (!wish.flags.network_name.empty() && wish.flags.network_name != name) {
    return complain("this node is a member of " + name + " already: `wigwag leave` first, or leave --name away");
  }
  if (const int written = write_config(wish); written != status_done) return written;
  say("already up: member of " + name + ", " + self_words(status));
  return wish.overrides.empty() ? status_done : run_reload(flags.socket);
}

}  // namespace

int run_up(const UpFlags& flags) {
  auto wish = understand(flags);
  if (!wish) return wish.error();
  if (const auto status = meet_running(*wish)) return *status;
  const auto part = prepare(*wish);
  if (!part) return part.error();
  for (const auto& note : wish->notes) std::fprintf(stderr, "wigwag: note: %s\n", note.c_str());
  if (flags.foreground) return complain(become_daemon(flags.daemon).what);
  const auto launched = launch_daemon(flags.daemon);
  if (!launched) return complain(launched.error().what);
  const auto status = wait_for_answer(flags, *launched);
  if (!status) return status.error();
  if (const int joined = wait_for_join(*wish, *part, *status, *launched); joined != status_done) return joined;
  if (*part == Part::founder) say("next: run `wigwag invite` here, and `wigwag up TOKEN` with what it prints on the other machine");
  say_what_a_reboot_ends(*launched);
  return status_done;
}

}  // namespace wigwag
