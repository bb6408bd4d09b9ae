#include "gossip/recording.hpp"

#include <algorithm>
#include <utility>

#include "gossip/membership/message.hpp"

namespace wigwag {
namespace {

// Speaks with another identity's voice, and notes what it says while `notes` is listened to.
class NotingIdentity final : public Identity {
 public:
  NotingIdentity(std::unique_ptr<Identity> inner, std::vector<TraceNote>& notes, const bool& listening)
      : inner_(std::move(inner)), notes_(&notes), listening_(&listening) {}

  NodeId id() const override { return inner_->id(); }
  std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeId& other, Verifier& verifier) override {
    return inner_->gossip_keys(network, other, verifier);
  }
  Signature sign(Domain domain, const NetworkId& network, ByteView body) override {
    const Signature signature = inner_->sign(domain, network, body);
    note(NotedSignature{signed_hash(domain, network, body), signature});
    return signature;
  }
  Result<HelloCaller::Progress, HelloFailure> hear(HelloCaller& caller, ByteView datagram, const HelloOffer& offer, Verifier& verifier,
                                                   const Bundle* known) override {
    auto progress = inner_->hear(caller, datagram, offer, verifier, known);
    if (progress) note(NotedProgress{std::nullopt, progress->send_now, progress->answer, progress->host});
    else note(NotedProgress{progress.error()});
    return progress;
  }
  HelloHost::Reaction hear(HelloHost& host, Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                           Verifier& verifier) override {
    auto reaction = inner_->hear(host, now, from, datagram, own_chain, verifier);
    note(NotedReaction{reaction.send.has_value(), reaction.call ? std::optional(reaction.call->offer) : std::nullopt});
    return reaction;
  }
  std::optional<Bytes> answer(HelloHost& host, Now now, std::uint64_t session, const HelloAnswer& answer) override {
    auto datagram = inner_->answer(host, now, session, answer);
    note(NotedVerdict{datagram.has_value()});
    return datagram;
  }

 private:
  void note(TraceNote one) {
    if (*listening_) notes_->push_back(std::move(one));
  }

  std::unique_ptr<Identity> inner_;
  std::vector<TraceNote>* notes_;
  const bool* listening_;
};

constexpr std::size_t end_bytes = 64;  // room that is kept for the end mark

}  // namespace

Recording::Recording(std::size_t bytes_max, Sink sink) : bytes_left_(bytes_max - std::min(bytes_max, end_bytes)), sink_(std::move(sink)) {}

void Recording::begin(std::string program, const NodeConfig& config, NodeSecrets& secrets, const StoredState& stored,
                      std::optional<Invitation>& invitation) {
  check(!going_ && !full_, "a recording is of one life");
  going_ = true;
  if (!secrets.in_its_place) secrets.in_its_place = std::make_unique<HeldIdentity>(std::move(secrets.identity));
  secrets.in_its_place = std::make_unique<NotingIdentity>(std::move(secrets.in_its_place), notes_, going_);
  TraceStart start{std::move(program), config, secrets.in_its_place->id(), secrets.tunnel_key, encode_stored(stored), std::nullopt};
  if (invitation) {
    const Grant& grant = invitation->grant.body;
    if (!invitation->certificate && name_matches(grant.name_pattern, config.name)) {
      invitation->certificate = make_certificate(certificate_under(grant, start.id, config.name), config.network, invitation->secret);
    }
    start.invited = TraceStart::Invited{invitation->grant.wire, {}, {}};
    if (invitation->certificate) start.invited->certificate = invitation->certificate->wire;
    if (invitation->bundle) start.invited->bundle = invitation->bundle->wire;
  }
  const Bytes magic(trace_magic.begin(), trace_magic.end());
  bytes_left_ -= std::min(bytes_left_, magic.size());
  sink_(magic);
  write(start);
}

void Recording::stepped(Now now, const Input& input, const Outputs& outputs, const Node& node) {
  if (!going_) return;
  TraceStep step{now, input, was_proven(node.counters()), std::exchange(notes_, {}), digest_of(outputs, node)};
  if (auto* datagram = std::get_if<TunnelDatagram>(&step.input); datagram != nullptr && step.proven) {
    datagram->bytes.resize(datagram->bytes.size() - std::min(datagram->bytes.size(), message_limits::mac_bytes));
  }
  // Of a hello nothing is kept but its size: its content is for ephemeral secrets alone.
  write(step);
}

// Whether the datagram just taken bore its sender's MAC, as the node's counters tell.
bool Recording::was_proven(const NodeCounters& counters) {
  const bool dropped = counters.dropped_unknown != before_.dropped_unknown || counters.dropped_unproven != before_.dropped_unproven;
  const bool taken = counters.datagrams_received != before_.datagrams_received;
  before_ = counters;
  return taken && !dropped;
}

void Recording::write(const TraceEntry& entry) {
  Bytes frame = encoder_.frame(entry);
  if (frame.empty() || frame.size() > bytes_left_) return finish(true);
  bytes_left_ -= frame.size();
  sink_(std::move(frame));
}

void Recording::finish(bool full) {
  if (!going_) return;
  going_ = false;
  full_ = full;
  notes_.clear();
  sink_(encoder_.frame(TraceEnd{full}));
}

}  // namespace wigwag
