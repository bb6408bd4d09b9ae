#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <ctime>
#include <thread>

#include "daemon/cli.hpp"
#include "daemon/launch.hpp"
#include "daemon/reconciler.hpp"
#include "daemon/startup.hpp"
#include "daemon/status_text.hpp"
#include "daemon/words.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag {
namespace asio = boost::asio;

namespace {

constexpr auto teardown_time = std::chrono::seconds(30);

struct OfflineTeardown {
  TeardownReport report;
  std::string failure;
};

asio::awaitable<void> take_away(asio::io_context& io, const StateDir& directory, const std::string& interface, AppliedTunnel applied,
                                OfflineTeardown& result) {
  auto host = co_await open_tunnel_host(io.get_executor(), interface, BackendChoice::automatic,
                                        [](const TunnelSecret& secret) { return public_key(secret); });
  if (!host) {
    result.failure = to_string(host.error());
    co_return;
  }
  Reconciler::Calls calls;
  calls.persist = [&directory](AppliedTunnel next) -> asio::awaitable<bool> {
    co_return directory.save("applied", encode_applied(next)).has_value();
  };
  calls.event = [](const TunnelEvent&) {};
  calls.peers = [](std::vector<TunnelPeerState>) {};
  Reconciler reconciler(io.get_executor(), std::move(*host), std::move(applied), std::move(calls));
  result.report = co_await reconciler.teardown();
}

// Without a daemon: takes away what the last one noted as its own.
int down_offline(const DaemonFlags& flags, const std::string& nobody) {
  auto directory = StateDir::open(flags.state_dir, StateDir::Missing::refuse);
  if (!directory) return complain(::access(flags.state_dir.c_str(), F_OK) == 0 ? directory.error().what : nobody, ::access(flags.state_dir.c_str(), F_OK) == 0 ? status_failed : status_nobody);
  const auto content = directory->load("applied");
  if (!content) return complain(content.error().what);
  if (!content->has_value()) return complain(nobody, status_nobody);
  auto applied = decode_applied(**content);
  if (!applied) {
    return complain(directory->file("applied") + " is damaged, so it is not known what is ours: `ip link delete` the interface by hand");
  }
  auto overrides = flags.overrides();
  if (!overrides) return complain(overrides.error());
  const auto loaded = load_config(flags.config, false, *overrides, own_host_name());
  if (!loaded) return complain(loaded.error());
  OfflineTeardown result;
  asio::io_context io(1);
  asio::co_spawn(io, take_away(io, *directory, loaded->config.interface, std::move(*applied), result), [&io](const std::exception_ptr&) { io.stop(); });
  io.run();
  if (!result.failure.empty()) return complain(result.failure);
  if (!result.report.failures.empty()) return complain(to_string(result.report.failures.front()));
  (void)directory->remove("applied");
  say(result.report.kept_for.empty() ? "down: no daemon ran; what it had left in the kernel is gone"
                                     : "down: ours is gone; the interface stays for " + joined(result.report.kept_for, ", "));
  return status_done;
}

// The daemon has answered; it ends a moment later, and with it its lock on the directory.
void wait_until_gone(ControlClient& client, const std::string& state_dir) {
  client.wait_for_end(std::chrono::seconds(10));
  for (int i = 0; i < 200; ++i) {
    const Descriptor directory(::open(state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
}

// Asks for an end, and waits for it. The complaint has been made when there is no report.
Result<Json, int> end_daemon(ControlClient& client, const DaemonFlags& flags) {
  const auto reply = client.next(teardown_time);
  if (!reply) return Unexpected{complain(reply.error())};
  if (!reply->ok) return Unexpected{complain(reply->error, reply->exit_status)};
  wait_until_gone(client, flags.state_dir);
  if (systemd_keeps(flags)) run_quietly({"systemctl", "disable", "--now", unit_name});
  return reply->result;
}

int report_end(const Json& report, const std::string& done) {
  const auto failures = report.value("failures", std::vector<std::string>{});
  const auto kept = report.value("kept_for", std::vector<std::string>{});
  if (!failures.empty()) return complain("the daemon has ended, but " + joined(failures, "; "));
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
  const auto report = end_daemon(*client, flags);
  if (!report) return report.error();
  return report_end(*report, "down: the daemon has ended and what it put in the kernel is gone");
}

int run_leave(const DaemonFlags& flags) {
  auto client = ControlClient::ask(flags.socket, {{"command", "leave"}});
  if (!client) return complain(client.error());
  const auto report = end_daemon(*client, flags);
  if (!report) return report.error();
  const std::string goodbye = report->value("goodbye_said", false) ? "left: the others know, the daemon has ended, the membership is forgotten"
                                                                   : "left: nobody could be told; the daemon has ended, the membership is forgotten";
  return report_end(*report, goodbye);
}

}  // namespace wigwag
