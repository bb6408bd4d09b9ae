#include "gossip/node.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr std::size_t peers_believed = 3;              // so many make a majority against a stray or two
constexpr std::size_t mac_keys_max = 4096;          // derived again when needed after being dropped
constexpr std::size_t detail_bytes_max = 200;
constexpr Duration rare = seconds(10);
constexpr std::int64_t clock_jump_s = 60;
constexpr std::int64_t epoch_leap_s = 365LL * 24 * 3600;

}  // namespace

Node::Node(NodeConfig config, NodeSecrets secrets, StoredState stored, std::optional<Invitation> invitation, Verifier& verifier)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(secrets), std::move(stored), std::move(invitation), verifier)) {}
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

Outputs Node::step(Now now, const Input& input) { return impl_->step(now, input); }
Instant Node::next_wakeup() const { return impl_->next_wakeup(); }
Bytes Node::stored() const { return impl_->stored(); }
const Tunnel& Node::desired() const { return impl_->desired(); }
NodeStatus Node::status(Now now) const { return impl_->status(now); }
const NodeCounters& Node::counters() const { return impl_->counters(); }
Node::GrantUse Node::grant_use(const GrantId& grant) const { return impl_->grant_use(grant); }

Outputs Node::Impl::step(Now now, const Input& input) {
  check(!started_ || now.at >= now_.at, "time handed to Node::step never goes back");
  notice_time(now);
  std::visit([this](const auto& value) { on(value); }, input);
  upkeep();
  flush_mail();
  if (dirty_) {
    out_.push_back(Persist{false});
    dirty_ = false;
  }
  // What is already due is expected now: a machine's clock stands anywhere when we first see it.
  expected_ = std::max(next_wakeup(), now.at);
  return std::exchange(out_, {});
}

void Node::Impl::notice_time(Now now) {
  const auto boot_s = std::chrono::duration_cast<seconds>(now.at.time_since_epoch()).count();
  const auto difference = now.wall.seconds - boot_s;
  const bool was_trusted = peer_clock_.trusted();
  if (started_ && std::abs(difference - wall_minus_boot_s_) >= clock_jump_s) peer_clock_.shift(difference - wall_minus_boot_s_);
  wall_minus_boot_s_ = difference;
  const bool paused = started_ && expected_ != never && now.at > expected_ + LocalHealth::pause_threshold;
  now_ = now;
  clock_news(was_trusted);
  if (!started_) {
    started_ = true;
    // A clock far ahead of all that we have dated must not spend the epochs of years to come:
    // others would refuse them.
    const auto plausible = dated_.seconds == 0 ? now.wall.seconds : std::min(now.wall.seconds, dated_.seconds + epoch_leap_s);
    version_ = {std::max(version_.epoch + 1, static_cast<std::uint32_t>(std::clamp<std::int64_t>(plausible, 0, UINT32_MAX - 1))), 0};
    // The epoch is on disk before anybody hears of it.
    out_.push_back(Persist{true});
    if (joined_) become_member();
  }
  if (!paused) return;
  const auto stood_still = now.at - expected_;
  health_.paused(now.at);
  prober_.discard();
  verdicts_.restart_graces(now.at, roster_);
  met_.clear();
  heard_at_ = now.at;
  raise(EventKind::paused, id_, "for " + std::to_string(to_seconds(stood_still)).substr(0, 6) + " s");
}

std::optional<UnixTime> Node::Impl::judged_at() const {
  return peer_clock_.trusted() ? std::optional(now_.wall) : std::nullopt;
}

// A clock that was reset may say 1970, and so may the first peers'. Until there are enough to tell us better, it is
// at least as late as when we last dated something, or what we say would have run out before it is heard.
UnixTime Node::Impl::network_time() const {
  const UnixTime corrected = peer_clock_.corrected(now_.wall);
  return peer_clock_.heard() >= peers_believed ? corrected : std::max(corrected, dated_);
}

void Node::Impl::raise(EventKind kind, const NodeId& subject, std::string detail) {
  if (detail.size() > detail_bytes_max) detail.resize(detail_bytes_max);
  const Member* member = roster_.find(subject);
  std::string name = member != nullptr ? member->name() : subject == id_ ? config_.name : std::string();
  out_.push_back(Raise{{kind, subject, std::move(name), std::move(detail)}});
}

void Node::Impl::raise_rarely(EventKind kind, const NodeId& subject, std::string detail) {
  const auto [last, first_time] = raised_.try_emplace(kind, now_.at);
  if (!first_time && now_.at < last->second + rare) return;
  last->second = now_.at;
  raise(kind, subject, std::move(detail));
}

const MacKey* Node::Impl::mac_key(const NodeId& from, const NodeId& to) {
  const NodeId& other = from == id_ ? to : from;
  if (mac_keys_.size() >= mac_keys_max) mac_keys_.clear();
  auto [found, fresh] = mac_keys_.try_emplace(other);
  if (fresh) found->second = identity_->gossip_keys(config_.network, other, *verifier_);
  if (!found->second) return nullptr;
  return from == id_ ? &found->second->out : &found->second->in;
}

void Node::Impl::on(const TunnelDatagram& datagram) {
  ++counters_.datagrams_received;
  const Member* sender = joined_ ? roster_.by_overlay(datagram.from) : nullptr;
  if (sender == nullptr || sender->id() == id_) {
    ++counters_.dropped_unknown;
    return;
  }
  const NodeId from = sender->id();
  const MacKey* key = mac_key(from, id_);
  const auto payload = key != nullptr ? unprotect(datagram.bytes, *key) : std::nullopt;
  if (!payload) {
    ++counters_.dropped_unproven;
    return;
  }
  heard_at_ = now_.at;
  const auto message = decode_message(*payload);
  if (!message) {
    ++counters_.dropped_malformed;
    return;
  }
  std::visit([&](const auto& m) { on(from, m); }, *message);
}

void Node::Impl::flush_mail() {
  // Sending never causes more mail, so one pass is enough.
  for (const auto& [to, message] : mail_) {
    const Member* member = roster_.find(to);
    if (member == nullptr || to == id_ || gives_way(*member)) continue;
    const MacKey* key = mac_key(id_, to);
    if (key == nullptr) continue;
    auto bytes = protect(encode_message(message), *key);
    check(bytes.size() <= limits::datagram_payload, "no message outgrows a datagram");
    ++counters_.datagrams_sent;
    counters_.bytes_sent += bytes.size();
    out_.push_back(SendTunnel{member->place->ipv6, std::move(bytes)});
  }
  mail_.clear();
}

void Node::Impl::on(const Resolved& resolved) {
  const bool first = seeds_.empty();
  seeds_ = resolved.seeds;
  if (seeds_.size() > limits::seeds) seeds_.resize(limits::seeds);
  own_endpoints_.set_configured(resolved.endpoints);
  self_stale_ = true;
  if (first && !joined_) next_call_ = now_.at;
}

void Node::Impl::on(const RevokeCommand& command) { take_revocation(id_, Item{ItemKind::revocation, command.revocation, {}, {}, {}}); }

void Node::Impl::upkeep() {
  seek_tick();
  if (!joined_) return;
  if (leaving_since_) {
    leave_tick();
    return;
  }
  watch_own_record();
  if (!joined_) return;
  rewire();
  for (const auto& result : prober_.tick(now_.at, roster_, health_, mail_)) handle_probe(result);
  judge_members();
  hear_accused();
  settle_own_ipv4();
  rewire();
  notice_silence();
  rejoin_tick();
  compare_tick();
  sweep_tick();
  note_aftermath();
  judge_endpoints();
  announce(false);
  plan();
  spread_.tick(now_.at, spread_edges_, mail_);
  counters_.probes_sent = prober_.sent();
  counters_.probes_missed = prober_.missed();
}

Instant Node::Impl::next_wakeup() const {
  if (!started_) return Instant{};
  Instant next = std::min(next_call_, hello_client_.next_wakeup());
  if (!joined_) return next;
  if (leaving_since_) return left_told_ ? never : now_.at + milliseconds(50);
  next = std::min({next, prober_.next_wakeup(), spread_.next_wakeup(), next_compare_, next_rejoin_, next_sweep_, refute_due_, next_hearing_});
  if (kernel_) next = std::min(next, next_judgement_);
  if (settled_revision_ != roster_.revision()) next = std::min(next, next_settlement_);
  if (self_stale_) next = std::min(next, announced_at_ + seconds(1));
  const Instant verdicts = verdicts_.next_wakeup();
  next = std::min(next, verdicts == never ? never : std::max(verdicts, health_.frozen_until()));
  return next;
}

}  // namespace wigwag
