#include <algorithm>
#include <utility>

#include "daemon/log.hpp"
#include "daemon/shell_impl.hpp"

namespace wigwag {
namespace asio = boost::asio;

namespace {

constexpr auto hurry = seconds(20);
constexpr Duration save_delay = milliseconds(50);
constexpr Duration save_pause_least = milliseconds(250);
constexpr Duration save_pause_most = seconds(10);
constexpr int save_share = 50;                // of the time at most a fiftieth goes into writing
constexpr std::size_t hurry_peers_max = 128;  // dumping more of them four times a second costs too much

bool unreached(const MemberStatus& member) {
  return member.path == PathKind::none && (member.health == Health::alive || member.health == Health::suspect);
}

}  // namespace

void Shell::feed(Input input) {
  inputs_.push_back(std::move(input));
  // Carrying out one input's outputs may bring the next: it waits its turn.
  if (feeding_) return;
  feeding_ = true;
  while (!inputs_.empty()) {
    const Input next = std::move(inputs_.front());
    inputs_.pop_front();
    const Now at = now();
    const Outputs outputs = node_.step(at, next);
    if (recorder_) recorder_->recording().stepped(at, next, outputs, node_);
    carry_out(outputs);
  }
  feeding_ = false;
  wake_later();
}

void Shell::wake_later() {
  const Instant due = node_.next_wakeup();
  if (due == never) {
    wake_timer_.cancel();
    return;
  }
  // Never at once: a core that is always due must not starve the sockets.
  const auto wait = std::clamp<Duration>(due - now().at, milliseconds(1), seconds(60));
  wake_timer_.expires_after(wait);
  wake_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) feed(Wakeup{});
  });
}

void Shell::carry_out(const Outputs& outputs) {
  for (const auto& output : outputs) {
    std::visit([this](const auto& effect) { carry_out(effect); }, output);
  }
}

void Shell::carry_out(const SendTunnel& send) {
  if (!mute_) gossip_->send(send.to, send.bytes);
}

void Shell::carry_out(const SendHello& send) {
  if (!mute_) hello_->send(send.to, send.bytes);
}

void Shell::carry_out(const Desire&) {
  desired_ = node_.desired();
  hurry_until_ = now().at + hurry;
  want();
}

void Shell::carry_out(const Persist& persist) {
  dirty_ = true;
  if (persist.at_once) save_state();
  else save_soon();
}

// Soon, because a member that is known only in memory is forgotten by a kill; but writing takes
// a small share of the time at most, however large the state is.
void Shell::save_soon() {
  if (std::exchange(save_due_, true)) return;
  const Instant at = std::max(now().at + save_delay, saved_at_ + save_pause_);
  save_timer_.expires_after(at - now().at);
  save_timer_.async_wait([this](const boost::system::error_code& error) {
    save_due_ = false;
    if (!error && dirty_) save_state();
  });
}

void Shell::carry_out(const Raise& raise) {
  tell_followers(events_.add(raise.event, now()));
  react(raise.event);
}

void Shell::carry_out(const Left&) {
  if (!left_) asio::co_spawn(io_, finish_leaving(true), asio::detached);
}

void Shell::react(const Event& event) {
  switch (event.kind) {
    case EventKind::network_joined:
    case EventKind::network_founded: return admitted();
    case EventKind::member_joined:
    case EventKind::member_alive:
    case EventKind::member_changed: hurry_until_ = now().at + hurry; return;
    case EventKind::join_failed:
    case EventKind::isolated: return names_->refresh();
    case EventKind::clock_doubtful: clock_doubt_ = event.detail; return;
    case EventKind::clock_trusted: clock_doubt_.clear(); return;
    case EventKind::member_suspect:
    case EventKind::member_down:
    case EventKind::member_left:
    case EventKind::member_forgotten:
    case EventKind::caller_admitted:
    case EventKind::caller_refused:
    case EventKind::address_conflict:
    case EventKind::address_moved:
    case EventKind::invitation_conflict:
    case EventKind::equivocation:
    case EventKind::accused:
    case EventKind::version_adopted:
    case EventKind::paused:
    case EventKind::record_refused:
    case EventKind::subnet_refused:
    case EventKind::members_full:
    case EventKind::endpoint_observed: return;
  }
}

// The chain first, and synced; only then does the token go.
void Shell::admitted() {
  save_state();
  auto stored = decode_stored(node_.stored());
  if (mute_ || !stored || stored->certificate.empty()) return;
  stored->members.clear();
  const auto saved = directory_.save("membership", encode_stored(*stored));
  const auto removed = saved ? directory_.remove("token") : saved;
  if (!removed) return note("state_unwritable", removed.error().what, LogLevel::warning);
  if (!member_) log_line(LogLevel::info, "the invitation has served and is forgotten");
  member_ = true;
  if (!token_seeds_.empty()) {
    token_seeds_.clear();
    asio::post(io_, [this] { resolve_names(); });
  }
}

void Shell::tell_followers(const LoggedEvent& event) {
  if (followers_.empty()) return;
  const std::string line = encode_result(Json::array({event_json(event)}));
  for (const auto& follower : followers_) follower.line(line);
}

void Shell::note(const std::string& kind, const std::string& detail, LogLevel level) {
  tell_followers(events_.add(kind, detail, level, now()));
}

void Shell::save_state() {
  if (forgotten_) return;
  const Instant begun = now().at;
  const auto saved = directory_.save_generation("state", fit_state(node_.stored(), state_bytes_max));
  dirty_ = !saved;
  saved_at_ = now().at;
  save_pause_ = std::clamp<Duration>(save_share * (saved_at_ - begun), save_pause_least, save_pause_most);
  if (!saved && !mute_) {
    note("state_unwritable", saved.error().what + "; saying nothing to anybody until it can be written", LogLevel::error);
  }
  if (saved && mute_) note("state_written", "the state can be written again", LogLevel::info);
  mute_ = !saved;
}

void Shell::resolve_names() {
  std::vector<HostPort> seeds = terms_.config.seeds;
  for (const auto& seed : token_seeds_) {
    if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) seeds.push_back(seed);
  }
  names_->resolve(std::move(seeds), terms_.config.endpoints);
}

void Shell::took_snapshot(std::vector<TunnelPeerState> peers) {
  if (torn_down_) return;
  last_look_ = now().at;
  const bool few = peers.size() <= hurry_peers_max;
  feed(KernelSnapshot{std::move(peers), reconciler_->settled()});
  const NodeStatus status = node_.status(now());
  for (const PathChange& change : paths_.look(status, now().at)) tell_followers(events_.add(change, now()));
  const bool waiting = std::any_of(status.members.begin(), status.members.end(), unreached);
  const bool often = few && waiting && now().at < hurry_until_;
  reconciler_->poll_every(often ? std::chrono::milliseconds(250) : std::chrono::seconds(5));
  want();
}

// Tells the reconciler the wish and whose endpoints may be overwritten, when either is new.
void Shell::want() {
  if (!desired_ || torn_down_ || !reconciler_) return;
  std::vector<TunnelKey> down;
  for (const auto& member : node_.status(now()).members) {
    if (member.id == id_) continue;
    if (member.path == PathKind::none || member.health == Health::dead) down.push_back(member.tunnel_key);
  }
  std::sort(down.begin(), down.end());
  down.erase(std::unique(down.begin(), down.end()), down.end());
  const TunnelDevice device{public_key(tunnel_secret_), terms_.config.port, terms_.config.interface_mtu()};
  DesiredTunnel desired{*desired_, device};
  if (wanted_ && *wanted_ == desired && down == down_) return;
  down_ = down;
  wanted_ = desired;
  reconciler_->want(std::move(desired), tunnel_secret_.duplicate(), std::move(down));
}

void Shell::on_tunnel_event(const TunnelEvent& event) {
  LogLevel level = LogLevel::info;
  const char* kind = "";
  switch (event.kind) {
    case TunnelEventKind::created: kind = "interface_created"; break;
    case TunnelEventKind::adopted: kind = "interface_adopted"; break;
    case TunnelEventKind::deleted_by_other: kind = "interface_deleted", level = LogLevel::warning; break;
    case TunnelEventKind::set_down_by_other: kind = "interface_set_down", level = LogLevel::warning; break;
    case TunnelEventKind::changed_by_other: kind = "interface_changed", level = LogLevel::warning; break;
    case TunnelEventKind::conflict: kind = "interface_conflict", level = LogLevel::warning; break;
    case TunnelEventKind::failed: kind = "interface_failed", level = LogLevel::warning; break;
    case TunnelEventKind::recovered: kind = "interface_recovered"; break;
  }
  gossip_->refresh();
  note(kind, event.text, level);
}

asio::awaitable<bool> Shell::persist_applied(AppliedTunnel applied) {
  const auto saved = directory_.save("applied", encode_applied(applied));
  if (!saved) note("state_unwritable", saved.error().what + "; the kernel is left alone meanwhile", LogLevel::error);
  co_return saved.has_value();
}

}  // namespace wigwag
