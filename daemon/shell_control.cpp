#include <time.h>

#include <algorithm>

#include "daemon/log.hpp"
#include "daemon/shell_impl.hpp"
#include "daemon/words.hpp"
#include "gossip/base/limits.hpp"
#include "gossip/membership/record.hpp"

namespace wigwag {
namespace asio = boost::asio;

namespace {

constexpr auto goodbye_time = std::chrono::seconds(4);
constexpr auto last_words_time = std::chrono::milliseconds(300);
constexpr auto fresh_enough = milliseconds(100);
constexpr std::size_t token_seeds_max = 8;  // a token is typed and pasted: it stays short
constexpr std::size_t other_seeds_max = 3;

std::int64_t monotonic_microseconds() {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<std::int64_t>(at.tv_sec) * 1'000'000 + at.tv_nsec / 1000;
}

std::string fault_lines(const std::vector<ConfigFault>& faults) {
  std::vector<std::string> lines;
  for (const auto& fault : faults) lines.push_back(to_string(fault));
  return joined(lines, "; ");
}

Json report_json(const TeardownReport& report) {
  Json failures = Json::array();
  for (const auto& failure : report.failures) failures.push_back(to_string(failure));
  return {{"interface_removed", report.interface_removed}, {"forgotten", report.forgotten}, {"kept_for", report.kept_for}, {"failures", std::move(failures)}};
}

}  // namespace

void Shell::answer(const ControlRequest& request, const ControlCall& call) {
  const std::string& command = request.command;
  if (command == "status") return answer_status(request, call);
  if (command == "events") return answer_events(request, call);
  if (command == "plan") return answer_plan(call);
  if (command == "invite") return answer_invite(request, call);
  if (command == "invites") return answer_invites(call);
  if (command == "uninvite") return answer_uninvite(request, call);
  if (command == "reload") return answer_reload(call);
  if (command == "leave") return answer_leave(call);
  if (command == "down") return answer_down(call);
  if (command == "facts") return answer_facts(call);
  if (command == "stop") {
    call.end(encode_result(nullptr));
    log_line(LogLevel::info, "stopping: asked over the control socket");
    leave_timer_.expires_after(last_words_time);
    leave_timer_.async_wait([this](const boost::system::error_code&) { stop(0); });
    return;
  }
  call.end(encode_refusal("this daemon knows no command '" + printable(command, 40) + "'", 2));
}

HostStatus Shell::host_status() const {
  HostStatus host;
  host.interface = terms_.config.interface;
  host.backend = reconciler_ ? to_string(reconciler_->backend()) : std::string("none");
  host.listen_port = terms_.config.port;
  host.hello_port = terms_.config.hello_port();
  host.kernel_settled = reconciler_ && reconciler_->settled();
  return host;
}

Json Shell::status_document() {
  const Now at = now();
  return status_json(node_.status(at), host_status(), at.wall);
}

void Shell::answer_status(const ControlRequest& request, const ControlCall& call) {
  const bool watch = request.truth("watch");
  asio::co_spawn(
      io_,
      [this, call, watch]() -> asio::awaitable<void> {
        co_await look_afresh();
        const std::string line = encode_result(status_document());
        if (!watch) co_return call.end(line);
        call.line(line);
        watchers_.push_back(call);
      },
      asio::detached);
}

// Traffic and handshakes as they are now, not as they were at the last poll.
asio::awaitable<void> Shell::look_afresh() {
  if (!reconciler_ || torn_down_ || now().at - last_look_ < fresh_enough) co_return;
  last_look_ = now().at;
  auto peers = co_await reconciler_->snapshot();
  if (peers && !torn_down_) took_snapshot(std::move(*peers));
}

void Shell::answer_events(const ControlRequest& request, const ControlCall& call) {
  Json kept = Json::array();
  for (const auto& event : events_.kept()) kept.push_back(event_json(event));
  const std::string line = encode_result(kept);
  if (!request.truth("follow")) return call.end(line);
  call.line(line);
  followers_.push_back(call);
}

void Shell::answer_plan(const ControlCall& call) {
  if (!reconciler_) return call.end(encode_refusal("the daemon is still starting: try again in a moment"));
  asio::co_spawn(
      io_,
      [this, call]() -> asio::awaitable<void> {
        const auto plan = co_await reconciler_->plan();
        if (!plan) co_return call.end(encode_refusal(to_string(plan.error())));
        const NodeStatus status = node_.status(now());
        Json changes = Json::array(), conflicts = Json::array();
        for (const auto& change : plan->changes) changes.push_back(to_string(change));
        for (const auto& conflict : plan->conflicts) conflicts.push_back(to_string(conflict));
        call.end(encode_result({{"interface", terms_.config.interface},
                                {"joined", status.joined},
                                {"waiting_for", status.waiting_for},
                                {"empty", plan->empty()},
                                {"changes", std::move(changes)},
                                {"conflicts", std::move(conflicts)}}));
      },
      asio::detached);
}

Outcome<AdminSecret> Shell::admin_secret() const {
  auto secret = directory_.load_secret<AdminSecret>("admin.key");
  if (!secret) return Unexpected{secret.error()};
  if (!secret->has_value()) {
    return Unexpected{Failure{"this node holds no admin key, so it cannot do that: run it on the node that founded the network "
                              "(it has admin.key in its state directory)"}};
  }
  return std::move(**secret);
}

// Where a joiner may knock: what was asked for, this node's own addresses, then a few other
// members', so that a token outlives the node that made it. Public ones come first.
std::vector<std::string> Shell::token_seeds(const ControlRequest& request) const {
  std::vector<std::string> seeds;
  const auto add = [&](const std::string& seed) {
    if (seeds.size() < token_seeds_max && std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) seeds.push_back(seed);
  };
  for (const auto& text : request.texts("seeds")) {
    if (const auto seed = HostPort::parse(text, terms_.config.hello_port())) add(to_string(*seed));
  }
  if (!seeds.empty()) return seeds;
  const auto add_endpoints = [&](std::vector<Endpoint> endpoints, std::uint16_t hello_port) {
    std::stable_partition(endpoints.begin(), endpoints.end(), [](const Endpoint& endpoint) { return !endpoint.address.is_private(); });
    for (const auto& endpoint : endpoints) add(to_string(Endpoint{endpoint.address, hello_port}));
  };
  for (const auto& endpoint : terms_.config.endpoints) add(to_string(HostPort{endpoint.host, terms_.config.hello_port()}));
  if (terms_.config.accept_hello) {
    std::vector<Endpoint> own = node_.status(now()).announced;
    for (const auto& address : local_) own.push_back({address, terms_.config.port});
    add_endpoints(std::move(own), terms_.config.hello_port());
  }
  const auto stored = decode_stored(node_.stored());
  if (!stored) return seeds;
  std::size_t others = 0;
  for (const auto& member : stored->members) {
    const auto record = decode_record(member.record);
    if (!record || record->body.node == id_ || record->body.left || record->body.hello_port == 0 || record->body.endpoints.empty()) continue;
    if (++others > other_seeds_max) break;
    add_endpoints({record->body.endpoints.front()}, record->body.hello_port);
  }
  return seeds;
}

void Shell::answer_invite(const ControlRequest& request, const ControlCall& call) {
  const NodeStatus status = node_.status(now());
  if (!status.joined) return call.end(encode_refusal("this node is no member yet: " + status.waiting_for));
  const auto admin = admin_secret();
  if (!admin) return call.end(encode_refusal(admin.error().what));
  const auto stored = decode_stored(node_.stored());
  const auto bundle = stored ? decode_bundle(stored->bundle) : Result<Signed<Bundle>, TrustError>(Unexpected{TrustError::malformed});
  if (!bundle) return call.end(encode_refusal("the network's trust bundle is missing: restart the daemon and see its log"));
  InviteTerms terms;
  terms.uses = static_cast<std::uint32_t>(std::clamp<std::int64_t>(request.number("uses").value_or(1), 0, 1'000'000));
  const std::int64_t lifetime = request.number("expires_s").value_or(86400);
  if (lifetime > 0) terms.lifetime = std::chrono::seconds(std::min<std::int64_t>(lifetime, 10LL * 365 * 86400));
  terms.may.relay = request.truth("relay");
  for (const auto& text : request.texts("subnets")) {
    const auto subnet = Prefix::parse(text);
    if (!subnet) return call.end(encode_refusal("'" + printable(text, 60) + "' is no network such as 10.20.0.0/24", 2));
    terms.may.subnets.push_back(*subnet);
  }
  std::sort(terms.may.subnets.begin(), terms.may.subnets.end());
  terms.may.subnets.erase(std::unique(terms.may.subnets.begin(), terms.may.subnets.end()), terms.may.subnets.end());
  if (terms.may.subnets.size() > limits::subnets_per_node) return call.end(encode_refusal("an invitation confers at most 16 subnets", 2));
  terms.seeds = token_seeds(request);
  if (terms.seeds.empty()) {
    return call.end(encode_refusal("this node knows no address that a joiner could reach it at: name one with --seed HOST, or set node.endpoints"));
  }
  auto invites = Invites::load(directory_);
  if (!invites) return call.end(encode_refusal(invites.error().what));
  const auto token = invites->make(terms, status.network, *bundle, *admin, now().wall);
  if (!token) return call.end(encode_refusal(token.error().what));
  const Grant& grant = invites->made().back().body;
  call.end(encode_result({{"token", *token}, {"id", to_hex(grant.id)}, {"uses", grant.uses}, {"expires_unix_s", grant.expires.seconds},
                          {"seeds", terms.seeds}, {"network", status.network_name}}));
}

void Shell::answer_invites(const ControlCall& call) {
  const auto invites = Invites::load(directory_);
  if (!invites) return call.end(encode_refusal(invites.error().what));
  if (const auto admin = admin_secret(); !admin) return call.end(encode_refusal(admin.error().what));
  Json list = Json::array();
  for (const auto& made : invites->made()) {
    const Grant& grant = made.body;
    const auto use = node_.grant_use(grant.id);
    const bool spent = grant.uses != 0 && use.redeemed >= grant.uses;
    const char* state = use.withdrawn ? "withdrawn" : expired(grant.expires, now().wall) ? "expired" : spent ? "spent" : "open";
    Json subnets = Json::array();
    for (const auto& subnet : grant.may.subnets) subnets.push_back(to_string(subnet));
    list.push_back({{"id", to_hex(grant.id)}, {"state", state}, {"uses", grant.uses}, {"used", use.redeemed},
                    {"issued_unix_s", grant.issued.seconds}, {"expires_unix_s", grant.expires.seconds}, {"relay", grant.may.relay},
                    {"subnets", std::move(subnets)}});
  }
  call.end(encode_result(list));
}

void Shell::answer_uninvite(const ControlRequest& request, const ControlCall& call) {
  const auto admin = admin_secret();
  if (!admin) return call.end(encode_refusal(admin.error().what));
  const auto invites = Invites::load(directory_);
  if (!invites) return call.end(encode_refusal(invites.error().what));
  const auto grant = invites->find(request.text("id"));
  if (!grant) return call.end(encode_refusal(grant.error().what));
  const auto before = node_.grant_use(grant->body.id);
  if (before.withdrawn) return call.end(encode_refusal("that invitation is withdrawn already"));
  feed(RevokeCommand{withdraw(grant->body, node_.status(now()).network, *admin, now().wall).wire});
  const auto after = node_.grant_use(grant->body.id);
  if (!after.withdrawn) return call.end(encode_refusal("the withdrawal was not accepted: see the log"));
  call.end(encode_result({{"id", to_hex(grant->body.id)}, {"used", after.redeemed}}));
}

Outcome<Json> Shell::reload() {
  service_.tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_microseconds()));
  auto loaded = load_config(terms_.config_path, terms_.config_must_exist, terms_.overrides, own_host_name());
  service_.tell("READY=1");
  if (!loaded) return Unexpected{Failure{"the configuration is left as it was: " + fault_lines(loaded.error())}};
  Json applied = Json::array(), waiting = Json::array();
  for (const auto& change : config_changes(terms_.config, loaded->config)) (change.live ? applied : waiting).push_back(change.key);
  terms_.config.seeds = loaded->config.seeds;
  terms_.config.endpoints = loaded->config.endpoints;
  resolve_names();
  note("reloaded", "applied: " + (applied.empty() ? "nothing new" : joined(applied.get<std::vector<std::string>>(), ", ")) +
                       (waiting.empty() ? "" : "; needs a restart: " + joined(waiting.get<std::vector<std::string>>(), ", ")),
       LogLevel::info);
  return Json{{"applied", std::move(applied)}, {"needs_restart", std::move(waiting)}, {"notes", loaded->notes}};
}

void Shell::answer_reload(const ControlCall& call) {
  const auto reloaded = reload();
  call.end(reloaded ? encode_result(*reloaded) : encode_refusal(reloaded.error().what));
}

asio::awaitable<Json> Shell::tear_down() {
  torn_down_ = true;
  monitor_.reset();
  const auto kept_on = end_forwarding();
  TeardownReport report;
  if (reconciler_) report = co_await reconciler_->teardown();
  Json answer = report_json(report);
  for (const auto& failure : kept_on) answer["failures"].push_back(failure);
  co_return answer;
}

void Shell::answer_down(const ControlCall& call) {
  log_line(LogLevel::info, "going down: asked over the control socket");
  asio::co_spawn(
      io_,
      [this, call]() -> asio::awaitable<void> {
        const Json report = co_await tear_down();
        // What is gone from the kernel need not be remembered. Where forwarding could not be put back, `wigwag down` finds by
        // this note that there is something left to try again.
        if (report["forgotten"] == true && report["failures"].empty()) (void)directory_.remove("applied");
        call.end(encode_result(report));
        leave_timer_.expires_after(last_words_time);
        boost::system::error_code ignored;
        co_await leave_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        stop(0);
      },
      asio::detached);
}

void Shell::answer_leave(const ControlCall& call) {
  leavers_.push_back(call);
  if (leavers_.size() > 1) return;
  log_line(LogLevel::info, "leaving the network: asked over the control socket");
  leave_timer_.expires_after(goodbye_time);
  leave_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !left_) asio::co_spawn(io_, finish_leaving(false), asio::detached);
  });
  feed(LeaveCommand{});
}

asio::awaitable<void> Shell::finish_leaving(bool goodbye_said) {
  left_ = true;
  leave_timer_.cancel();
  Json report = co_await tear_down();
  forgotten_ = true;
  // What is still in the kernel stays on record, for `wigwag down`.
  const auto forgotten = directory_.forget(now().wall.seconds, report["failures"].empty() ? StateDir::Kernel::clean : StateDir::Kernel::littered);
  report["goodbye_said"] = goodbye_said;
  const std::string line = forgotten ? encode_result(report) : encode_refusal(forgotten.error().what);
  if (!forgotten) log_line(LogLevel::error, forgotten.error().what);
  for (const auto& call : leavers_) call.end(line);
  leave_timer_.expires_after(last_words_time);
  boost::system::error_code ignored;
  co_await leave_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  stop(forgotten ? 0 : 1);
}

void Shell::answer_facts(const ControlCall& call) {
  const NodeStatus status = node_.status(now());
  const NodeCounters& counters = node_.counters();
  std::size_t members = 0, unreached = 0;
  for (const auto& member : status.members) {
    members += member.health != Health::left ? 1 : 0;
    unreached += member.health == Health::alive && member.path == PathKind::none ? 1 : 0;
  }
  Json subnets = Json::array(), forwarding = Json::array();
  for (const auto& subnet : node_.subnets()) subnets.push_back(to_string(subnet));
  if (forwarding_) {
    for (const auto& state : forwarding_->states()) forwarding.push_back({{"switch", state.name}, {"on", state.on}});
  }
  call.end(encode_result({{"interface", terms_.config.interface},
                          {"backend", host_status().backend},
                          {"listen_port", terms_.config.port},
                          {"hello_port", terms_.config.hello_port()},
                          {"accept_hello", terms_.config.accept_hello},
                          {"mtu", terms_.config.interface_mtu()},
                          {"state_dir", directory_.path()},
                          {"subnets", std::move(subnets)},
                          {"forwarding", std::move(forwarding)},
                          {"joined", status.joined},
                          {"waiting_for", status.waiting_for},
                          {"members", members},
                          {"unreached", unreached},
                          {"ipv4", status.ipv4_prefix ? to_string(*status.ipv4_prefix) : ""},
                          {"kernel_settled", host_status().kernel_settled},
                          {"clock_doubt", clock_doubt_},
                          {"state_writable", !mute_},
                          {"strays", gossip_->strays()},
                          {"counters",
                           {{"datagrams_sent", counters.datagrams_sent}, {"bytes_sent", counters.bytes_sent},
                            {"datagrams_received", counters.datagrams_received}, {"dropped_unknown", counters.dropped_unknown},
                            {"dropped_unproven", counters.dropped_unproven}, {"dropped_malformed", counters.dropped_malformed},
                            {"dropped_refused", counters.dropped_refused}, {"hello_dropped", counters.hello_dropped},
                            {"probes_sent", counters.probes_sent}, {"probes_missed", counters.probes_missed},
                            {"accusations_made", counters.accusations_made}, {"refutations_made", counters.refutations_made},
                            {"records_accepted", counters.records_accepted}}}}));
}

}  // namespace wigwag
