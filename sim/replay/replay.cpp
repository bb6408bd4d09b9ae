#include "sim/replay/replay.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "gossip/base/limits.hpp"
#include "sim/replay/stand_in.hpp"
#include "sim/replay/wording.hpp"

namespace wigwag::sim {
namespace {

constexpr std::size_t differences_named = 3;

const char* kind_of(std::uint8_t output) {
  constexpr std::array<const char*, std::variant_size_v<Output>> names = {"a gossip datagram", "a hello", "a wish for the tunnel",
                                                                          "a write of the state", "an event", "the end of its goodbye"};
  return output < names.size() ? names[output] : "something unknown";
}

std::string span_text(Duration span) { return std::to_string(to_seconds(span)) + " s"; }

// How what was done now is not what was done then; empty when it is.
std::string difference(const StepDigest& then, const StepDigest& now, Instant at) {
  std::vector<std::string> found;
  const auto most = std::max(then.outputs.size(), now.outputs.size());
  for (std::size_t i = 0; i < most && found.size() < differences_named; ++i) {
    const auto place = "output " + std::to_string(i + 1) + " ";
    if (i >= now.outputs.size()) found.push_back(place + "was " + kind_of(then.outputs[i].kind) + " and is missing");
    else if (i >= then.outputs.size()) found.push_back(place + "is " + kind_of(now.outputs[i].kind) + " and was not there");
    else if (then.outputs[i].kind != now.outputs[i].kind) found.push_back(place + "was " + kind_of(then.outputs[i].kind) + " and is " + kind_of(now.outputs[i].kind));
    else if (then.outputs[i] != now.outputs[i]) found.push_back(place + "is " + kind_of(now.outputs[i].kind) + " with another content");
  }
  const auto wakes = [&](Instant next) { return next == never ? std::string("never") : "after " + span_text(next - at); };
  if (then.next_wakeup != now.next_wakeup) found.push_back("asked to be woken " + wakes(then.next_wakeup) + ", asks now " + wakes(now.next_wakeup));
  std::string text;
  for (const auto& one : found) text += (text.empty() ? "" : "; ") + one;
  return text;
}

std::optional<Invitation> invitation_of(const TraceStart& start, std::string& why) {
  if (!start.invited) return std::nullopt;
  auto grant = decode_grant(start.invited->grant);
  if (!grant) {
    why = "its invitation cannot be read";
    return std::nullopt;
  }
  Invitation invitation{std::move(*grant), {}, {}, {}};
  if (auto certificate = decode_certificate(start.invited->certificate)) invitation.certificate = std::move(*certificate);
  if (auto bundle = decode_bundle(start.invited->bundle)) invitation.bundle = std::move(*bundle);
  return invitation;
}

// The node, its stand-in, and what has been seen of them.
class Replayer {
 public:
  // Null when the beginning cannot be read; `why` says so.
  static std::unique_ptr<Replayer> make(const TraceStart& start, std::string& why) {
    auto stored = decode_stored(start.stored);
    if (!stored) {
      why = std::string("the state that it begins with cannot be read: ") + to_string(stored.error());
      return nullptr;
    }
    auto invitation = invitation_of(start, why);
    if (!why.empty()) return nullptr;
    return std::unique_ptr<Replayer>(new Replayer(start, std::move(*stored), std::move(invitation)));
  }

  ReplayedStep step(TraceStep step);
  const std::string& lost() const { return identity_->lost(); }
  std::string members() const;

 private:
  Replayer(const TraceStart& start, StoredState stored, std::optional<Invitation> invitation) : wording_(start.config.network) {
    auto identity = std::make_unique<StandInIdentity>(start.id);
    identity_ = identity.get();
    node_.emplace(start.config, NodeSecrets{{}, start.tunnel_key, {}, std::move(identity)}, std::move(stored), std::move(invitation), verifier_);
    wording_.learn(Event{EventKind::network_joined, start.id, start.config.name, {}});
    wording_.learn(node_->status({}));
  }
  bool dropped(const NodeCounters& before) const {
    const auto& after = node_->counters();
    return after.dropped_unknown != before.dropped_unknown || after.dropped_unproven != before.dropped_unproven;
  }

  Verifier verifier_;
  StandInIdentity* identity_ = nullptr;  // the node's
  std::optional<Node> node_;
  Wording wording_;
  std::optional<Tunnel> wish_;
  Now now_;
  std::uint64_t number_ = 0;
  std::optional<Instant> began_;
};

ReplayedStep Replayer::step(TraceStep step) {
  now_ = step.now;
  if (!began_) began_ = now_.at;
  ReplayedStep shown;
  shown.number = ++number_;
  shown.since_start = now_.at - *began_;
  shown.wall = now_.wall;
  shown.input = wording_.input(step.input, step.proven);
  shown.from = wording_.sender(step.input);
  auto* datagram = std::get_if<TunnelDatagram>(&step.input);
  if (datagram != nullptr) datagram->bytes = step.proven ? identity_->sealed(std::move(datagram->bytes)) : identity_->forged(std::move(datagram->bytes));
  identity_->listen(std::move(step.notes));
  const NodeCounters before = node_->counters();
  const Outputs outputs = node_->step(now_, step.input);
  for (const auto& output : outputs) {
    if (const auto* raise = std::get_if<Raise>(&output)) wording_.learn(raise->event);
    if (std::holds_alternative<Desire>(output)) wording_.learn(node_->status(now_));
  }
  for (const auto& output : outputs) wording_.effects(output, node_->desired(), wish_, shown.effects);
  shown.differs = difference(step.did, digest_of(outputs, *node_), now_.at);
  const auto also = [&](const std::string& what) { shown.differs += (shown.differs.empty() ? "" : "; ") + what; };
  if (!lost().empty()) also(lost());
  if (datagram != nullptr && step.proven && dropped(before)) also("a datagram that was taken is dropped: its sender is no member now");
  if (identity_->left() > 0) also("it signs or hears less than it did then");
  return shown;
}

std::string Replayer::members() const {
  const NodeStatus status = node_->status(now_);
  std::map<Health, std::size_t> counts;
  for (const auto& member : status.members) ++counts[member.health];
  std::string text = std::to_string(status.members.size()) + (status.members.size() == 1 ? " member" : " members");
  for (const auto& [health, count] : counts) text += (health == counts.begin()->first ? ": " : ", ") + std::to_string(count) + " " + to_string(health);
  return status.joined ? text : text + "; not joined";
}

ReplayedStart introduction(const TraceStart& start) {
  ReplayedStart shown{start.program, start.config.name, start.id, start.config.network, 0, start.invited.has_value()};
  if (const auto stored = decode_stored(start.stored)) shown.members_known = stored->members.size();
  return shown;
}

// Takes one step's outcome into the whole's.
void count(const ReplayedStep& step, ReplaySummary& summary) {
  summary.steps = step.number;
  summary.span = step.since_start;
  if (step.differs.empty()) return;
  if (summary.differing++ > 0) return;
  summary.first_differing = step.number;
  summary.first_difference = step.differs;
}

}  // namespace

const char* to_string(EffectKind kind) {
  switch (kind) {
    case EffectKind::sent: return "sent";
    case EffectKind::planned: return "planned";
    case EffectKind::persisted: return "persisted";
    case EffectKind::raised: return "raised";
    case EffectKind::left: return "left";
  }
  return "";
}

const char* to_string(ReplayEnd end) {
  switch (end) {
    case ReplayEnd::stopped: return "stopped";
    case ReplayEnd::full: return "full";
    case ReplayEnd::cut_off: return "cut_off";
    case ReplayEnd::damaged: return "damaged";
    case ReplayEnd::until: return "until";
    case ReplayEnd::lost: return "lost";
  }
  return "";
}

std::optional<ReplaySummary> replay(ByteView file, std::optional<Duration> until, const ReplayCalls& calls, std::string& why) {
  TraceDecoder decoder(file);
  auto first = decoder.next();
  const auto* start = first ? std::get_if<TraceStart>(&*first) : nullptr;
  if (start == nullptr) {
    why = decoder.error() ? to_string(*decoder.error()) : "it holds no beginning";
    return std::nullopt;
  }
  const auto replayer = Replayer::make(*start, why);
  if (!replayer) return std::nullopt;
  calls.started(introduction(*start));
  ReplaySummary summary;
  summary.end = ReplayEnd::cut_off;
  std::optional<Instant> began;
  while (auto entry = decoder.next()) {
    if (const auto* end = std::get_if<TraceEnd>(&*entry)) {
      summary.end = end->full ? ReplayEnd::full : ReplayEnd::stopped;
      break;
    }
    auto* step = std::get_if<TraceStep>(&*entry);
    if (step == nullptr) {
      summary.end = ReplayEnd::damaged;
      summary.remark = "a second beginning stands in the middle";
      break;
    }
    if (!began) began = step->now.at;
    if (until && step->now.at > *began + *until) {
      summary.end = ReplayEnd::until;
      break;
    }
    const ReplayedStep shown = replayer->step(std::move(*step));
    count(shown, summary);
    calls.stepped(shown);
    if (replayer->lost().empty()) continue;
    summary.end = ReplayEnd::lost;
    summary.remark = replayer->lost();
    break;
  }
  if (decoder.error()) {
    summary.end = *decoder.error() == TraceError::cut_off ? ReplayEnd::cut_off : ReplayEnd::damaged;
    summary.remark = std::string(to_string(*decoder.error())) + " (byte " + std::to_string(decoder.offset()) + " of " + std::to_string(file.size()) + ")";
  }
  summary.members = replayer->members();
  return summary;
}

}  // namespace wigwag::sim
