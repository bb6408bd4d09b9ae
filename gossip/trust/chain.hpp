#pragma once

#include <optional>

#include "gossip/base/result.hpp"
#include "gossip/trust/statements.hpp"

namespace wigwag {

// Everything that proves one node's admission, as it travels beside its record.
struct Chain {
  Signed<Certificate> certificate;
  std::optional<Signed<Grant>> grant;            // absent only when an admin signed the certificate
  std::optional<Signed<Redemption>> redemption;  // absent for admin-issued, and for nodes that no one has sponsored yet
};

// Form only; empty views stand for absent parts.
Result<Chain, TrustError> decode_chain(ByteView certificate, ByteView grant, ByteView redemption);

// What the judge knows that the chain itself cannot show.
struct ChainContext {
  const Bundle& bundle;
  NetworkId network;
  std::optional<UnixTime> now;   // nullopt while our clock is not trusted: nothing expires
  bool sponsor_known = false;    // the redemption's sponsor holds a certificate we accept
  bool grant_withdrawn = false;  // a revocation names the grant ...
  UnixTime withdrawn_at;         // ... at this time: later redemptions do not count
};

// Verifies the whole chain offline: root's bundle (already trusted) -> admin -> grant ->
// certificate, and the redemption's signature. A certificate under a grant is good when
// - its redemption is by a known sponsor, another node, dated no earlier than the grant was issued
//   (less limits::redemption_tolerance) and not later than the grant's expiry (and withdrawal), or
// - it has no redemption, or an unknown sponsor's, and the grant allows any number of uses, has not expired and is not withdrawn.
// One that still needs its redemption is sponsor_unknown: it may become good later. Where the
// grant limits the lifetime of certificates, the certificate ends within it, counted from its own
// date and, as that date is the node's word alone, from the sponsor's with a day of tolerance.
Result<void, TrustError> verify_chain(const Chain& chain, const ChainContext& context, Verifier& verifier);

// The root's signature on a bundle: with it, the bundle may be trusted.
Result<void, TrustError> verify_bundle(const Signed<Bundle>& bundle, const NetworkId& network, Verifier& verifier);

// The sponsor's signature on a redemption; whether the sponsor may is the caller's to know.
Result<void, TrustError> verify_redemption(const Signed<Redemption>& redemption, const NetworkId& network, Verifier& verifier);

// An admin's signature on a revocation, and that the bundle lets it revoke.
Result<void, TrustError> verify_revocation(const Signed<Revocation>& revocation, const Bundle& bundle, const NetworkId& network,
                                           Verifier& verifier);

}  // namespace wigwag
