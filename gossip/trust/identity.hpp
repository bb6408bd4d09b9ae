#pragma once

#include <optional>

#include "gossip/trust/hello.hpp"

namespace wigwag {

// All that a node does with its secrets, by its own or a stand-in's: signing, the keys of the
// MACs, and what hellos come to, which ephemeral secrets decide. Everything else in the core
// follows from what it is told, so a run can be played again where these answers were noted.
class Identity : public Signer {
 public:
  virtual NodeId id() const = 0;
  // As Verifier::gossip_keys().
  virtual std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeId& other, Verifier& verifier) = 0;
  // As HelloCaller::receive(), HelloHost::receive() and HelloHost::answer().
  virtual Result<HelloCaller::Progress, HelloFailure> hear(HelloCaller& caller, ByteView datagram, const HelloOffer& offer,
                                                           Verifier& verifier, const Bundle* known) = 0;
  virtual HelloHost::Reaction hear(HelloHost& host, Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                                   Verifier& verifier) = 0;
  virtual std::optional<Bytes> answer(HelloHost& host, Now now, std::uint64_t session, const HelloAnswer& answer) = 0;
};

// The identity of a node that holds its own secret.
class HeldIdentity final : public Identity {
 public:
  explicit HeldIdentity(NodeSecret secret) : secret_(std::move(secret)), id_(public_key(secret_)) {}

  NodeId id() const override { return id_; }
  Signature sign(Domain domain, const NetworkId& network, ByteView body) override;
  std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeId& other, Verifier& verifier) override;
  Result<HelloCaller::Progress, HelloFailure> hear(HelloCaller& caller, ByteView datagram, const HelloOffer& offer, Verifier& verifier,
                                                   const Bundle* known) override;
  HelloHost::Reaction hear(HelloHost& host, Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                           Verifier& verifier) override;
  std::optional<Bytes> answer(HelloHost& host, Now now, std::uint64_t session, const HelloAnswer& answer) override;

 private:
  NodeSecret secret_;
  NodeId id_;
};

}  // namespace wigwag
