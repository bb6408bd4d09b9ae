#include "sim/replay/stand_in.hpp"

#include <algorithm>

namespace wigwag::sim {
namespace {

NodeSecret made_up() {
  const Hash32 bytes = blake2b(view_of("wigwag.replay"));
  return NodeSecret(bytes.bytes);
}

MacKey key_of(std::uint8_t which) {
  MacKey key;
  key.bytes[0] = which;
  return key;
}

const char* name_of(Domain domain) {
  switch (domain) {
    case Domain::bundle: return "a bundle";
    case Domain::grant: return "a grant";
    case Domain::certificate: return "a certificate";
    case Domain::redemption: return "a redemption";
    case Domain::revocation: return "a revocation";
    case Domain::record: return "a record of its own";
    case Domain::accusation: return "an accusation";
    case Domain::hello: return "a hello";
  }
  return "";
}

}  // namespace

StandInIdentity::StandInIdentity(const NodeId& id)
    : id_(id), made_up_(made_up()), made_up_id_(public_key(made_up_)), good_(key_of(1)), bad_(key_of(2)) {}

void StandInIdentity::listen(std::vector<TraceNote> notes) { notes_ = std::move(notes); }

Signature StandInIdentity::sign(Domain domain, const NetworkId& network, ByteView body) {
  const Hash32 about = signed_hash(domain, network, body);
  const auto found = std::find_if(notes_.begin(), notes_.end(), [&](const TraceNote& note) {
    const auto* noted = std::get_if<NotedSignature>(&note);
    return noted != nullptr && noted->about == about;
  });
  if (found == notes_.end()) {
    if (lost_.empty()) lost_ = std::string("it signs ") + name_of(domain) + " that it did not sign then";
    return {};
  }
  const Signature signature = std::get<NotedSignature>(*found).signature;
  notes_.erase(found);
  return signature;
}

// All keys are one, so that a datagram can be sealed before it is known whose it is; but there is
// none for an identity with which nobody can agree on a key.
std::optional<GossipKeys> StandInIdentity::gossip_keys(const NetworkId& network, const NodeId& other, Verifier& verifier) {
  if (!verifier.gossip_keys(network, made_up_, made_up_id_, other)) return std::nullopt;
  return GossipKeys{good_, good_};
}

template <class Note>
std::optional<Note> StandInIdentity::take(const char* what) {
  const auto found = std::find_if(notes_.begin(), notes_.end(), [](const TraceNote& note) { return std::holds_alternative<Note>(note); });
  if (found == notes_.end()) {
    if (lost_.empty()) lost_ = what;
    return std::nullopt;
  }
  Note note = std::move(std::get<Note>(*found));
  notes_.erase(found);
  return note;
}

Result<HelloCaller::Progress, HelloFailure> StandInIdentity::hear(HelloCaller&, ByteView, const HelloOffer&, Verifier&, const Bundle*) {
  auto noted = take<NotedProgress>("it takes a hello for an answer to a call that it had not made then");
  if (!noted) return Unexpected{HelloFailure::not_for_us};
  if (noted->failure) return Unexpected{*noted->failure};
  return HelloCaller::Progress{noted->send_now, std::move(noted->answer), std::move(noted->host)};
}

HelloHost::Reaction StandInIdentity::hear(HelloHost&, Now, const Endpoint& from, ByteView, const Chain&, Verifier&) {
  auto noted = take<NotedReaction>("it takes a hello for a caller's that it did not take for one then");
  HelloHost::Reaction reaction;
  if (!noted) return reaction;
  if (noted->sent) reaction.send = Bytes{};
  if (noted->proven) reaction.call = HelloHost::Call{0, from, std::move(*noted->proven)};
  return reaction;
}

std::optional<Bytes> StandInIdentity::answer(HelloHost&, Now, std::uint64_t, const HelloAnswer&) {
  const auto noted = take<NotedVerdict>("it answers a caller whom it did not answer then");
  return noted && noted->sent ? std::optional(Bytes{}) : std::nullopt;
}

}  // namespace wigwag::sim
