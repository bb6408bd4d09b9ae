#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "daemon/cli.hpp"
#include "daemon/launch.hpp"
#include "daemon/status_text.hpp"
#include "daemon/table.hpp"
#include "daemon/words.hpp"

namespace wigwag {
namespace {

enum class Finding : std::uint8_t { good, warning, bad };

struct Check {
  std::string about;
  Finding finding = Finding::good;
  std::string seen;
  std::string mend;
};
using Checks = std::vector<Check>;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool on_path(const char* program) {
  for (const auto& folder : split("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void check_wireguard(Checks& checks, const std::string& backend) {
  const bool module = ::access("/sys/module/wireguard", F_OK) == 0;
  if (backend == "kernel" || module) return checks.push_back({"wireguard", Finding::good, "the kernel's", ""});
  const bool userspace = on_path("wireguard-go");
  const bool tun = ::access("/dev/net/tun", F_OK) == 0;
  if (userspace && tun) {
    return checks.push_back({"wireguard", Finding::good, "wireguard-go (userspace); the kernel's is faster: modprobe wireguard", ""});
  }
  checks.push_back({"wireguard", Finding::bad, userspace ? "no kernel module, and wireguard-go lacks /dev/net/tun" : "neither the kernel module nor wireguard-go",
                    userspace ? "modprobe tun" : "modprobe wireguard, or install wireguard-go"});
}

void check_ipv6(Checks& checks) {
  const bool off = first_line("/proc/sys/net/ipv6/conf/all/disable_ipv6") != "0";
  checks.push_back({"ipv6", off ? Finding::bad : Finding::good, off ? "switched off on this host" : "available",
                    off ? "sysctl net.ipv6.conf.all.disable_ipv6=0 (gossip inside the tunnel speaks IPv6)" : ""});
}

void check_sysctls(Checks& checks, const std::string& interface) {
  const std::string all = first_line("/proc/sys/net/ipv4/conf/all/rp_filter");
  const std::string own = first_line("/proc/sys/net/ipv4/conf/" + interface + "/rp_filter");
  const bool strict = std::max(all, own) == "1";
  checks.push_back({"rp_filter", strict ? Finding::warning : Finding::good, strict ? "strict (1): a packet that comes back another way is dropped" : "not strict",
                    strict ? "sysctl net.ipv4.conf." + interface + ".rp_filter=2" : ""});
}

// A chain's type, hook and policy stand in one line.
bool drops_forwarded(const std::string& rules) {
  for (const auto& line : split(rules, '\n')) {
    if (line.find("hook forward") != std::string::npos && line.find("policy drop") != std::string::npos) return true;
  }
  return false;
}

void check_forwarding(Checks& checks, const Json& facts) {
  const auto subnets = facts.value("subnets", std::vector<std::string>{});
  if (subnets.empty()) return checks.push_back({"forwarding", Finding::good, "not needed: no network behind this node is announced", ""});
  std::vector<std::string> on, off;
  for (const auto& one : facts.value("forwarding", Json::array())) {
    (one.is_object() && one.value("on", false) ? on : off).push_back(text_of(one, "switch"));
  }
  const std::string what = "for " + joined(subnets, ", ") + ": ";
  if (!off.empty() || on.empty()) {
    return checks.push_back({"forwarding", Finding::bad, what + (off.empty() ? "not switched on yet" : "off in " + joined(off, ", ")),
                             "see `wigwag events`; where the daemon may not write /proc/sys/net, switch it on by sysctl"});
  }
  const auto rules = output_of({"nft", "list", "ruleset"});
  if (!rules) {
    return checks.push_back({"forwarding", Finding::good, what + "on; the firewall cannot be read here",
                             "check that nothing drops forwarded packets: nft list ruleset, iptables -S FORWARD"});
  }
  const bool drops = drops_forwarded(*rules);
  checks.push_back({"forwarding", drops ? Finding::warning : Finding::good, what + (drops ? "on, but the firewall drops forwarded packets unless told otherwise" : "on"),
                    drops ? "accept packets from and to " + text_of(facts, "interface") + " where a chain with \"hook forward\" has \"policy drop\" (nft list ruleset, iptables -S FORWARD)" : ""});
}

// A local UDP port as it stands in /proc/net/udp and udp6.
bool port_bound(std::uint64_t port) {
  std::array<char, 8> hex{};
  std::snprintf(hex.data(), hex.size(), ":%04X", static_cast<unsigned>(port & 0xffff));
  for (const char* path : {"/proc/net/udp", "/proc/net/udp6"}) {
    std::ifstream table(path);
    std::string line, number, local;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream(line) >> number >> local;
      if (local.size() > 5 && local.substr(local.size() - 5) == hex.data()) return true;
    }
  }
  return false;
}

void check_ports(Checks& checks, const Json& facts) {
  const auto port = facts.value("listen_port", std::uint64_t{0});
  if (facts.value("joined", false)) {
    const bool bound = port_bound(port);
    checks.push_back({"port " + std::to_string(port), bound ? Finding::good : Finding::bad, bound ? "bound by WireGuard" : "nobody listens",
                      bound ? "" : "see `wigwag events` for why the interface failed; is the port taken?"});
  } else {
    checks.push_back({"port " + std::to_string(port), Finding::good, "not needed before this node has joined", ""});
  }
  if (!facts.value("accept_hello", true)) return;
  const auto hello = facts.value("hello_port", std::uint64_t{0});
  const bool answering = port_bound(hello);
  checks.push_back({"hello port " + std::to_string(hello), answering ? Finding::good : Finding::bad, answering ? "bound" : "nobody listens",
                    answering ? "" : "restart the daemon and see its log"});
}

void check_firewall(Checks& checks, const Json& facts) {
  const auto rules = output_of({"nft", "list", "ruleset"});
  if (!rules) return checks.push_back({"firewall", Finding::good, "nftables cannot be read here; make sure UDP gets in", ""});
  const bool drops = rules->find("hook input") != std::string::npos && rules->find("policy drop") != std::string::npos;
  std::vector<std::string> closed;
  for (const char* key : {"listen_port", "hello_port"}) {
    const std::string port = std::to_string(facts.value(key, std::uint64_t{0}));
    if (drops && rules->find(port) == std::string::npos) closed.push_back(port);
  }
  checks.push_back({"firewall", closed.empty() ? Finding::good : Finding::warning,
                    closed.empty() ? "nothing seen that keeps UDP out" : "drops by default and does not mention port " + joined(closed, ", "),
                    closed.empty() ? "" : "allow udp dport { " + joined(closed, ", ") + " } in the input chain"});
}

std::string default_device() {
  std::ifstream routes("/proc/net/route");
  std::string line, device, destination;
  std::getline(routes, line);
  while (std::getline(routes, line)) {
    std::istringstream(line) >> device >> destination;
    if (destination == "00000000") return device;
  }
  return {};
}

void check_mtu(Checks& checks, const Json& facts) {
  const std::string device = default_device();
  const std::string text = device.empty() ? "" : first_line("/sys/class/net/" + device + "/mtu");
  const auto mtu = facts.value("mtu", std::uint64_t{0});
  const auto underlay = text.empty() ? std::uint64_t{0} : std::strtoull(text.c_str(), nullptr, 10);
  const bool fits = underlay == 0 || mtu + 80 <= underlay;
  checks.push_back({"mtu", fits ? Finding::good : Finding::bad,
                    std::to_string(mtu) + (underlay == 0 ? "" : " over " + device + " with " + std::to_string(underlay)),
                    fits ? "" : "set wireguard.mtu = " + std::to_string(std::max<std::uint64_t>(1280, underlay - 80)) + " and restart the daemon"});
}

void check_clock(Checks& checks, const Json& facts) {
  const std::string doubt = text_of(facts, "clock_doubt");
  if (!doubt.empty()) return checks.push_back({"clock", Finding::bad, doubt, "set the clock: install and start chrony or systemd-timesyncd"});
  timex state{};
  const bool synced = ::adjtimex(&state) != TIME_ERROR;
  checks.push_back({"clock", synced ? Finding::good : Finding::warning, synced ? "kept by a time service" : "agrees with the peers, but no time service keeps it",
                    synced ? "" : "install and start chrony or systemd-timesyncd"});
}

void check_state_dir(Checks& checks, const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return checks.push_back({"state", Finding::warning, path + " is not there yet", "`wigwag up` makes it"});
    return checks.push_back({"state", Finding::warning, path + " cannot be looked at", "run as root"});
  }
  if ((about.st_mode & 077) != 0) return checks.push_back({"state", Finding::bad, path + " is open to others", "chmod 700 " + path});
  for (const char* name : {"identity.key", "wireguard.key", "root.key", "admin.key", "token"}) {
    const std::string file = path + "/" + name;
    if (::stat(file.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
      return checks.push_back({"state", Finding::bad, file + " is open to others", "chmod 600 " + file});
    }
  }
  checks.push_back({"state", Finding::good, path + " is closed to others", ""});
}

// The mend that a reason for not being joined asks for. The core's reasons carry their advice
// behind the first full stop, or behind the last colon.
std::string mend_of(const std::string& reason) {
  if (reason.empty() || reason == "no seed has answered yet") return "check that the seed runs and that UDP to its hello port gets through";
  if (const auto stop = reason.find(". "); stop != std::string::npos) return reason.substr(stop + 2);
  if (const auto colon = reason.rfind(": "); colon != std::string::npos) return reason.substr(colon + 2);
  return "do something about this reason, then `wigwag up` again";
}

std::string counted(std::uint64_t count, const char* one, const char* many) { return std::to_string(count) + " " + (count == 1 ? one : many); }

void check_membership(Checks& checks, const Json& facts) {
  if (!facts.value("joined", false)) {
    const std::string reason = text_of(facts, "waiting_for");
    return checks.push_back({"membership", Finding::bad, "not joined: " + reason, mend_of(reason)});
  }
  if (const std::string alone = text_of(facts, "waiting_for"); !alone.empty()) {
    return checks.push_back({"membership", Finding::warning, "nobody is there: " + alone, mend_of(alone)});
  }
  const auto unreached = facts.value("unreached", std::uint64_t{0});
  const auto known = facts.value("members", std::uint64_t{1});
  const auto others = known > 0 ? known - 1 : 0;
  checks.push_back({"membership", unreached == 0 ? Finding::good : Finding::warning,
                    others == 0      ? "no other member"
                    : unreached == 0 ? counted(others, "other member", "other members") + ", all living ones reached"
                                     : counted(unreached, "living member has", "living members have") + " no direct path",
                    unreached == 0 ? "" : "let UDP to port " + std::to_string(facts.value("listen_port", std::uint64_t{0})) + " in on one of the two ends"});
  if (!facts.value("state_writable", true)) checks.push_back({"disk", Finding::bad, "the state cannot be written", "free space on the disk"});
}

void check_config(Checks& checks, const DaemonFlags& flags) {
  const auto loaded = load_config(flags.config, false, {}, own_host_name());
  if (!loaded) {
    const auto& faults = loaded.error();
    return checks.push_back({"configuration", Finding::bad, to_string(faults.front()) + (faults.size() > 1 ? " (and more)" : ""),
                             "wigwagd --check --config " + flags.config});
  }
  checks.push_back({"configuration", loaded->notes.empty() ? Finding::good : Finding::warning,
                    loaded->notes.empty() ? flags.config + (loaded->file_found ? " is good" : " does not exist; the defaults hold") : joined(loaded->notes, "; "),
                    loaded->notes.empty() ? "" : "nothing to mend: only so that nobody counts on it"});
}

// Why no daemon answers says behind its colon what to do: without the right to ask, that is not `wigwag up`.
Check silent_daemon(const std::string& why) {
  const auto colon = why.rfind(": ");
  if (colon == std::string::npos) return {"daemon", Finding::bad, why, "see the daemon's log"};
  return {"daemon", Finding::bad, why.substr(0, colon), why.substr(colon + 2)};
}

const char* word(Finding finding) {
  switch (finding) {
    case Finding::good: return "ok";
    case Finding::warning: return "look";
    case Finding::bad: return "WRONG";
  }
  return "";
}

Colour colour(Finding finding) {
  switch (finding) {
    case Finding::good: return Colour::good;
    case Finding::warning: return Colour::warning;
    case Finding::bad: return Colour::bad;
  }
  return Colour::none;
}

int report(const Checks& checks, bool json) {
  int status = status_done;
  Json list = Json::array();
  const bool colours = wants_colour(STDOUT_FILENO);
  for (const auto& check : checks) {
    if (check.finding == Finding::bad) status = status_failed;
    list.push_back({{"about", check.about}, {"finding", word(check.finding)}, {"seen", check.seen}, {"mend", check.mend}});
    if (json) continue;
    std::string line = coloured(word(check.finding), colour(check.finding), colours) + "\t" + check.about + ": " + check.seen;
    say(line + (check.mend.empty() ? "" : "\n\tmend: " + check.mend));
  }
  if (json) say(list.dump(2, ' ', false, Json::error_handler_t::replace));
  return status;
}

}  // namespace

int run_doctor(const DaemonFlags& flags, bool json) {
  Checks checks;
  check_config(checks, flags);
  const auto reply = ask_daemon(flags.socket, {{"command", "facts"}}, std::chrono::seconds(10));
  const bool answered = reply && reply->ok && reply->result.is_object();
  const Json facts = answered ? reply->result : Json::object();
  if (answered) {
    checks.push_back({"daemon", Finding::good, "answers", ""});
  } else {
    checks.push_back(silent_daemon(reply ? reply->error : reply.error().what));
  }
  check_wireguard(checks, text_of(facts, "backend"));
  check_ipv6(checks);
  const std::string interface = text_of(facts, "interface");
  check_sysctls(checks, interface.empty() ? "wigwag0" : interface);
  const std::string state_dir = text_of(facts, "state_dir");
  check_state_dir(checks, state_dir.empty() ? flags.state_dir : state_dir);
  if (answered) {
    check_ports(checks, facts);
    check_firewall(checks, facts);
    check_forwarding(checks, facts);
    check_mtu(checks, facts);
    check_clock(checks, facts);
    check_membership(checks, facts);
  }
  const int status = report(checks, json);
  // What needs no daemon has been checked; the rest could not be asked, as the list says.
  return !reply && reply.error().fault == ControlClient::Fault::nobody ? status_nobody : status;
}

}  // namespace wigwag
