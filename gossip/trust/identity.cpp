#include "gossip/trust/identity.hpp"

namespace wigwag {

Signature HeldIdentity::sign(Domain domain, const NetworkId& network, ByteView body) {
  return wigwag::sign(domain, network, body, secret_.open());
}

std::optional<GossipKeys> HeldIdentity::gossip_keys(const NetworkId& network, const NodeId& other, Verifier& verifier) {
  return verifier.gossip_keys(network, secret_, id_, other);
}

Result<HelloCaller::Progress, HelloFailure> HeldIdentity::hear(HelloCaller& caller, ByteView datagram, const HelloOffer& offer,
                                                               Verifier& verifier, const Bundle* known) {
  return caller.receive(datagram, offer, secret_, verifier, known);
}

HelloHost::Reaction HeldIdentity::hear(HelloHost& host, Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                                       Verifier& verifier) {
  return host.receive(now, from, datagram, own_chain, secret_, verifier);
}

std::optional<Bytes> HeldIdentity::answer(HelloHost& host, Now now, std::uint64_t session, const HelloAnswer& answer) {
  return host.answer(now, session, answer);
}

}  // namespace wigwag
