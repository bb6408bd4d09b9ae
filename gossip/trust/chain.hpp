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
// - its redemption is by a known sponsor and not later than the grant's expiry (and withdrawal), or
// - it has no redemption, and the grant allows any number of uses, has not expired and is not withdrawn.
Result<void, TrustError> verify_chain(const Chain& chain, const ChainContext& context, Verifier& verifier);

}  // namespace wigwag
