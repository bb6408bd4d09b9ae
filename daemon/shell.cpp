#include "daemon/shell.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <csignal>

#include "daemon/log.hpp"
#include "daemon/shell_impl.hpp"
#include "daemon/teardown.hpp"
#include "daemon/words.hpp"

namespace wigwag {
namespace asio = boost::asio;

namespace {

std::uint64_t random_number() {
  const auto entropy = system_entropy();
  return load_be64(entropy.open().data());
}

NodeConfig node_config(const Config& config, const NetworkId& network) {
  NodeConfig made;
  made.name = config.node_name;
  made.network = network;
  made.listen_port = config.port;
  made.hello_port = config.hello_port();
  made.accept_hello = config.accept_hello;
  made.ipv4 = config.node_ipv4;
  made.subnets = config.subnets;
  made.keepalive = config.keepalive;
  made.random_seed = random_number();
  return made;
}

Node make_node(const ShellTerms& terms, Startup& startup, Recorder* recorder, Verifier& verifier) {
  std::optional<Invitation> invitation;
  if (startup.token) {
    invitation = Invitation{startup.token->grant, std::move(startup.token->secret), startup.token->bundle};
  }
  NodeSecrets secrets{std::move(startup.identity), public_key(startup.tunnel_secret), system_entropy()};
  NodeConfig config = node_config(terms.config, startup.stored.network);
  if (recorder != nullptr) recorder->recording().begin(terms.program, config, secrets, startup.stored, invitation);
  return Node(std::move(config), std::move(secrets), std::move(startup.stored), std::move(invitation), verifier);
}

std::vector<HostPort> seeds_of(const std::optional<Token>& token) {
  std::vector<HostPort> seeds;
  if (!token) return seeds;
  for (const auto& text : token->seeds) {
    if (auto seed = HostPort::parse(text, default_hello_port)) seeds.push_back(std::move(*seed));
  }
  return seeds;
}

BackendChoice choice_of(BackendWish wish) {
  switch (wish) {
    case BackendWish::automatic: return BackendChoice::automatic;
    case BackendWish::kernel: return BackendChoice::kernel;
    case BackendWish::userspace: return BackendChoice::userspace;
  }
  return BackendChoice::automatic;
}

// While our interface is not there, nobody but a stranger can hold its port. WireGuard itself
// would say so only when the link is set up, and no clearer.
Outcome<void> check_port_free(const Config& config) {
  if (::if_nametoindex(config.interface.c_str()) != 0) return {};
  const Descriptor probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(config.port);
  if (!probe || ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0) return {};
  return Unexpected{system_failure("UDP port " + std::to_string(config.port) +
                                   " is not free for WireGuard (another WireGuard interface or daemon? choose another as wireguard.port)")};
}

constexpr auto house_interval = std::chrono::seconds(1);
constexpr int ticks_per_status = 10;

}  // namespace

Shell::Shell(ShellTerms terms, Startup startup, std::unique_ptr<Recorder> recorder)
    : terms_(std::move(terms)),
      directory_(std::move(startup.directory)),
      id_(public_key(startup.identity)),
      tunnel_secret_(startup.tunnel_secret.duplicate()),
      remarks_(std::move(startup.remarks)),
      token_seeds_(seeds_of(startup.token)),
      own_address_(overlay_ipv6(startup.stored.network, id_)),
      member_(startup.member()),
      recorder_(std::move(recorder)),
      node_(make_node(terms_, startup, recorder_.get(), verifier_)),
      events_([](LogLevel level, const std::string& line) { log_line(level, line); }) {}

Now Shell::now() const {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  return {Instant(std::chrono::duration_cast<Duration>(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec))),
          UnixTime{wall.tv_sec}};
}

Outcome<void> Shell::open() {
  for (const auto& remark : remarks_) log_line(LogLevel::warning, remark);
  const Config& config = terms_.config;
  auto control = ControlServer::open(io_, terms_.socket, [this](const ControlRequest& request, const ControlCall& call) { answer(request, call); });
  if (!control) return Unexpected{control.error()};
  control_ = std::move(*control);
  auto gossip = GossipSocket::open(io_, own_address_, config.interface, [this](const Address& from, Bytes bytes) {
    feed(TunnelDatagram{from, Plane::direct, std::move(bytes)});
  });
  if (!gossip) return Unexpected{gossip.error()};
  gossip_ = std::move(*gossip);
  auto hello = HelloSocket::open(io_, config.accept_hello ? config.hello_port() : std::uint16_t{0}, [this](const Endpoint& from, Bytes bytes) {
    feed(HelloDatagram{from, std::move(bytes)});
  });
  if (!hello) return Unexpected{hello.error()};
  hello_ = std::move(*hello);
  names_ = std::make_unique<Names>(
      io_, [this](std::vector<Endpoint> seeds, std::vector<Endpoint> endpoints) { feed(Resolved{std::move(seeds), std::move(endpoints)}); },
      [this](const std::string& host, const std::string& why) {
        if (std::exchange(unresolved_[host], why) != why) note("name_unresolved", host + ": " + why + "; asked again soon", LogLevel::warning);
      });
  catch_signals();
  return {};
}

int Shell::run() {
  asio::co_spawn(io_, boot(), [this](const std::exception_ptr& thrown) {
    if (thrown) fail("starting failed unexpectedly");
  });
  io_.run();
  if (dirty_ && !forgotten_) save_state();
  if (recorder_) recorder_->recording().end();
  service_.tell("STOPPING=1");
  // Coroutines and handlers go before what they refer to.
  monitor_.reset();
  reconciler_.reset();
  control_.reset();
  return exit_status_;
}

asio::awaitable<void> Shell::boot() {
  const Config& config = terms_.config;
  AppliedTunnel applied = load_applied();
  if (!co_await leave_former_interface(applied)) co_return;
  if (const auto free = check_port_free(config); !free) co_return fail(free.error().what);
  auto host = co_await open_tunnel_host(io_.get_executor(), config.interface, choice_of(config.backend),
                                        [](const TunnelSecret& secret) { return public_key(secret); });
  if (!host) co_return fail(to_string(host.error()));
  Reconciler::Calls calls;
  calls.persist = [this](AppliedTunnel next) { return persist_applied(std::move(next)); };
  calls.event = [this](const TunnelEvent& event) { on_tunnel_event(event); };
  calls.peers = [this](std::vector<TunnelPeerState> peers) { took_snapshot(std::move(peers)); };
  reconciler_ = std::make_unique<Reconciler>(io_.get_executor(), std::move(*host), std::move(applied), std::move(calls));
  log_line(LogLevel::info, "started node=" + config.node_name + " interface=" + config.interface + " backend=" + to_string(reconciler_->backend()) +
                               " port=" + std::to_string(config.port) + " hello_port=" + std::to_string(config.hello_port()) +
                               " state=" + directory_.path());
  open_forwarding();
  // First the state: the core raises its epoch and has it synced before it says anything.
  feed(Wakeup{});
  if (!co_await look_at_kernel()) co_return;
  Monitor::Calls watch;
  watch.dirty = [this] {
    gossip_->refresh();
    if (!torn_down_) reconciler_->resync();
  };
  watch.addresses = [this](std::vector<Address> addresses, std::vector<Prefix> networks) {
    if (!torn_down_ && !local_.empty() && local_ != addresses) reconciler_->forget_sources();
    local_ = addresses;
    feed(LocalAddresses{std::move(addresses), std::move(networks)});
  };
  watch.failed = [this](const NetError& error) { note("monitor_failed", to_string(error), LogLevel::warning); };
  auto monitor = Monitor::open(io_.get_executor(), {config.interface, config.interface + "r"}, std::move(watch));
  if (!monitor) co_return fail(to_string(monitor.error()));
  monitor_ = std::move(*monitor);
  resolve_names();
  housekeep();
  keep_watchdog();
  service_.tell("READY=1");
  report_status();
}

AppliedTunnel Shell::load_applied() {
  const auto content = directory_.load("applied");
  if (!content || !content->has_value()) return {};
  if (auto decoded = decode_applied(**content)) return std::move(*decoded);
  note("applied_damaged", directory_.file("applied") + " is damaged: what an earlier run left in the kernel is taken for foreign",
       LogLevel::warning);
  return {};
}

// Another interface was configured since: the one that we kept before would stay, with our key,
// our routes and our port. While it cannot be taken down nothing new is begun, or its note were lost.
asio::awaitable<bool> Shell::leave_former_interface(AppliedTunnel& applied) {
  const std::string former = applied.interface;
  if (former.empty() || former == terms_.config.interface) co_return true;
  const auto report = co_await take_away(io_.get_executor(), directory_, former, std::move(applied));
  applied = {};
  std::string failure = report ? "" : report.error().what;
  if (report && !report->failures.empty()) failure = to_string(report->failures.front());
  if (!failure.empty()) {
    fail("cannot take down interface " + former + ", kept before wireguard.interface became " + terms_.config.interface + ": " + failure);
    co_return false;
  }
  note("interface_replaced", "wireguard.interface is " + terms_.config.interface + " now: " +
                                 (report->kept_for.empty() ? "interface " + former + " is taken down"
                                                           : "ours is gone from " + former + ", which stays for " + joined(report->kept_for, ", ")),
       LogLevel::info);
  co_return true;
}

// The core plans nothing before it has seen what runs already, lest it overwrite endpoints
// that carry traffic. No interface yet is an answer, too.
asio::awaitable<bool> Shell::look_at_kernel() {
  constexpr int attempts = 20;
  for (int attempt = 1;; ++attempt) {
    auto peers = co_await reconciler_->snapshot();
    if (!peers && peers.error().fault == NetFault::no_device) peers = std::vector<TunnelPeerState>();
    if (peers) {
      feed(KernelSnapshot{std::move(*peers), false});
      co_return true;
    }
    if (attempt == attempts) {
      fail(to_string(peers.error()));
      co_return false;
    }
    boost::system::error_code ignored;
    leave_timer_.expires_after(std::chrono::milliseconds(250));
    co_await leave_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Shell::fail(const std::string& why) {
  log_line(LogLevel::error, why);
  stop(1);
}

void Shell::stop(int status) {
  exit_status_ = std::max(exit_status_, status);
  io_.stop();
}

void Shell::catch_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  boost::system::error_code ignored;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal, ignored);
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal != SIGHUP) {
      log_line(LogLevel::info, "stopping: the interface and its peers stay as they are");
      return stop(0);
    }
    if (const auto reloaded = reload(); !reloaded) note("reload_failed", reloaded.error().what, LogLevel::warning);
    catch_signals();
  });
}

void Shell::housekeep() {
  house_timer_.expires_after(house_interval);
  house_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    events_.flush(now());
    steer_forwarding();
    if (dirty_ && mute_) save_state();
    if (const auto ended = recorder_ ? recorder_->remark() : std::nullopt) note("recording_ended", *ended, LogLevel::warning);
    std::erase_if(followers_, [](const ControlCall& call) { return !call.open(); });
    std::erase_if(watchers_, [](const ControlCall& call) { return !call.open(); });
    if (!watchers_.empty()) {
      const std::string line = encode_result(status_document());
      for (const auto& watcher : watchers_) watcher.line(line);
    }
    if (++ticks_ % ticks_per_status == 0) report_status();
    housekeep();
  });
}

void Shell::keep_watchdog() {
  const auto interval = service_.watchdog();
  if (!interval) return;
  service_.tell("WATCHDOG=1");
  watchdog_timer_.expires_after(*interval);
  watchdog_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) keep_watchdog();
  });
}

void Shell::report_status() {
  const NodeStatus status = node_.status(now());
  std::size_t alive = 0;
  for (const auto& member : status.members) alive += member.health == Health::alive ? 1 : 0;
  const std::string text = status.joined ? "member of " + status.network_name + ": " + std::to_string(alive) + " of " +
                                               std::to_string(status.members.size()) + " members alive"
                                         : "not joined yet: " + printable(status.waiting_for, 200);
  if (text == last_status_) return;
  last_status_ = text;
  service_.tell("STATUS=" + text);
}

int run_shell(ShellTerms terms) {
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  auto startup = prepare_start(terms.config, terms.state_dir, wall.tv_sec);
  if (!startup) {
    log_line(LogLevel::error, startup.error().what);
    return startup.error().exit_status;
  }
  std::unique_ptr<Recorder> recorder;
  if (!terms.record.empty()) {
    auto opened = Recorder::open(terms.record);
    if (!opened) {
      log_line(LogLevel::error, opened.error().what);
      return 1;
    }
    recorder = std::move(*opened);
    log_line(LogLevel::info, "recording to " + terms.record);
  }
  Shell shell(std::move(terms), std::move(*startup), std::move(recorder));
  if (const auto opened = shell.open(); !opened) {
    log_line(LogLevel::error, opened.error().what);
    return 1;
  }
  return shell.run();
}

}  // namespace wigwag
