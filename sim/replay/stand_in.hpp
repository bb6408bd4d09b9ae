#pragma once

#include <string>
#include <vector>

#include "gossip/membership/message.hpp"
#include "gossip/trace.hpp"

namespace wigwag::sim {

// Stands in for the identity of a node whose life is played again: it has no secret, and gives
// the answers that were noted. Asked for one that was not, it says so in lost(): from there on
// the node goes another way than it went.
class StandInIdentity final : public Identity {
 public:
  explicit StandInIdentity(const NodeId& id);

  // The answers of the step that is about to be played again.
  void listen(std::vector<TraceNote> notes);
  // How many of them nobody has asked for.
  std::size_t left() const { return notes_.size(); }
  const std::string& lost() const { return lost_; }

  // A gossip datagram that this node takes for proven, or does not.
  Bytes sealed(Bytes payload) const { return protect(std::move(payload), good_); }
  Bytes forged(Bytes payload) const { return protect(std::move(payload), bad_); }

  NodeId id() const override { return id_; }
  Signature sign(Domain domain, const NetworkId& network, ByteView body) override;
  std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeId& other, Verifier& verifier) override;
  Result<HelloCaller::Progress, HelloFailure> hear(HelloCaller& caller, ByteView datagram, const HelloOffer& offer, Verifier& verifier,
                                                   const Bundle* known) override;
  HelloHost::Reaction hear(HelloHost& host, Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                           Verifier& verifier) override;
  std::optional<Bytes> answer(HelloHost& host, Now now, std::uint64_t session, const HelloAnswer& answer) override;

 private:
  template <class Note>
  std::optional<Note> take(const char* what);

  NodeId id_;
  NodeSecret made_up_;      // its half of every MAC key: only whether there is one depends on it
  NodeId made_up_id_;
  MacKey good_, bad_;
  std::vector<TraceNote> notes_;
  std::string lost_;
};

}  // namespace wigwag::sim
