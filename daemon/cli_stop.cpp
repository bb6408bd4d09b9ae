#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include <optional>

#include "daemon/cli.hpp"
#include "daemon/launch.hpp"
#include "daemon/startup.hpp"
#include "daemon/teardown.hpp"
#include "daemon/words.hpp"

namespace wigwag {
namespace asio = boost::asio;

namespace {

constexpr auto teardown_time = std::chrono::seconds(30);

// What the last daemon noted as its own in the kernel.
struct Noted {
  StateDir directory;
  AppliedTunnel applied;
};

// The complaint has been made when there is none. `nobody`: why no daemon answers.
Result<Noted, int> noted_in(const std::string& state_dir, const std::string& nobody) {
  if (::access(state_dir.c_str(), F_OK) != 0) return Unexpected{complain(nobody, status_nobody)};
  auto directory = StateDir::open(state_dir, StateDir::Missing::refuse);
  if (!directory) return Unexpected{complain(directory.error().what)};
  const auto content = directory->load("applied");
  if (!content) return Unexpected{complain(content.error().what)};
  if (!content->has_value()) return Unexpected{complain(nobody, status_nobody)};
  auto applied = decode_applied(**content);
  if (!applied) {
    return Unexpected{complain(directory->file("applied") + " is damaged, so it is not known what is ours: `ip link delete` the interface by hand")};
  }
  return Noted{std::move(*directory), std::move(*applied)};
}

// Where the note names no interface, the configured one is meant.
Result<std::string, int> interface_of(const DaemonFlags& flags, const AppliedTunnel& applied) {
  if (!applied.interface.empty()) return applied.interface;
  auto overrides = flags.overrides();
  if (!overrides) return Unexpected{complain(overrides.error())};
  const auto loaded = load_config(flags.config, false, *overrides, own_host_name());
  if (!loaded) return Unexpected{complain(loaded.error())};
  return loaded->config.interface;
}

// What it refers to outlives the loop that it runs in.
asio::awaitable<void> take_away_noted(asio::any_io_executor executor, const Noted& noted, std::string interface,
                                      std::optional<Outcome<TeardownReport>>& report) {
  report = co_await take_away(std::move(executor), noted.directory, std::move(interface), noted.applied);
}

// Without a daemon that answers: takes away what the last one noted as its own. One that systemd
// would start again, or that hangs, ends first.
int down_offline(const DaemonFlags& flags, const std::string& nobody) {
  const auto unit = systemd_unit(flags);
  const bool retired = unit && retire_unit(*unit);
  auto noted = noted_in(flags.state_dir, retired ? "no daemon answered; " + *unit + " is disabled and stopped, and nothing was left in the kernel" : nobody);
  if (!noted) return noted.error();
  const auto kept_on = put_back_forwarding(noted->directory);
  const auto interface = interface_of(flags, noted->applied);
  if (!interface) return interface.error();
  std::optional<Outcome<TeardownReport>> report;
  asio::io_context io(1);
  asio::co_spawn(io, take_away_noted(io.get_executor(), *noted, *interface, report), [&io](const std::exception_ptr&) { io.stop(); });
  io.run();
  if (!report || !*report) return complain(report ? report->error().what : "the kernel could not be asked");
  const TeardownReport& done = **report;
  if (!done.failures.empty()) return complain(to_string(done.failures.front()));
  if (!kept_on.empty()) return complain(kept_on.front());
  if (done.forgotten) (void)noted->directory.remove("applied");
  say(done.kept_for.empty() ? "down: no daemon ran; what it had left in the kernel is gone"
                            : "down: ours is gone; the interface stays for " + joined(done.kept_for, ", "));
  return status_done;
}

// Waits for the end of a daemon that has answered. The complaint has been made when there is no report.
Result<Json, int> see_it_end(ControlClient& client, const Result<ControlReply, ControlClient::Error>& reply, const DaemonFlags& flags) {
  if (!reply) return Unexpected{complain(reply.error())};
  if (!reply->ok) return Unexpected{complain(reply->error, reply->exit_status)};
  const bool gone = wait_until_gone(client, flags.state_dir);
  // A daemon that hangs is systemd's to kill.
  const auto unit = systemd_unit(flags);
  if (unit) retire_unit(*unit);
  if (!gone && !unit) return Unexpected{complain("the daemon has answered and does not end: kill it, then run `wigwag down`")};
  return reply->result;
}

int report_end(const Json& report, const std::string& done) {
  const auto failures = report.value("failures", std::vector<std::string>{});
  const auto kept = report.value("kept_for", std::vector<std::string>{});
  if (!failures.empty()) return complain("the daemon has ended, but " + joined(failures, "; ") + "; `wigwag down` tries again");
  say(done + (kept.empty() ? "" : "; the interface stays for " + joined(kept, ", ")));
  return status_done;
}

}  // namespace

int run_down(const DaemonFlags& flags) {
  auto client = ControlClient::ask(flags.socket, {{"command", "down"}});
  if (!client) {
    if (client.error().fault == ControlClient::Fault::nobody) return down_offline(flags, client.error().what);
    return complain(client.error());
  }
  const auto reply = client->next(teardown_time);
  // It hangs: systemd can end it.
  if (!reply && reply.error().fault == ControlClient::Fault::nobody && systemd_unit(flags)) return down_offline(flags, reply.error().what);
  const auto report = see_it_end(*client, reply, flags);
  if (!report) return report.error();
  return report_end(*report, "down: the daemon has ended and what it put in the kernel is gone");
}

int run_leave(const DaemonFlags& flags) {
  auto client = ControlClient::ask(flags.socket, {{"command", "leave"}});
  if (!client) return complain(client.error());
  const auto report = see_it_end(*client, client->next(teardown_time), flags);
  if (!report) return report.error();
  const std::string goodbye = report->value("goodbye_said", false) ? "left: the others know, the daemon has ended, the membership is forgotten"
                                                                   : "left: nobody could be told; the daemon has ended, the membership is forgotten";
  return report_end(*report, goodbye);
}

}  // namespace wigwag
