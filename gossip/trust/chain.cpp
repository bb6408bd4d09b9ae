#include "gossip/trust/chain.hpp"

#include <algorithm>

#include "gossip/base/check.hpp"
#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

using Verified = Result<void, TrustError>;

template <class Body>
bool signed_by(const Signed<Body>& statement, Domain domain, const NetworkId& network, const std::array<std::uint8_t, 32>& key,
               Verifier& verifier) {
  const auto parts = split_signed(statement.wire, limits::datagram_payload);
  return parts && verifier.verify(domain, network, parts->body, parts->signature, key);
}

const Bundle::Admin* find_admin(const Bundle& bundle, const AdminId& id) {
  const auto found = std::find_if(bundle.admins.begin(), bundle.admins.end(), [&](const auto& admin) { return admin.id == id; });
  return found == bundle.admins.end() ? nullptr : &*found;
}

bool may_invite(const Bundle& bundle, const AdminId& id) {
  const auto* admin = find_admin(bundle, id);
  return admin != nullptr && admin->may_invite;
}

// A grant's limit on the lifetime of certificates. The certificate's own date is the
// word of whoever holds the invitation; the sponsor's is not.
bool within_lifetime(const Certificate& certificate, const Grant& grant, const Redemption* redemption) {
  if (grant.certificate_lifetime_s == 0) return true;
  const std::int64_t lifetime = grant.certificate_lifetime_s;
  if (certificate.expires == no_expiry || certificate.expires.seconds > certificate.issued.seconds + lifetime) return false;
  return redemption == nullptr ||
         certificate.expires.seconds <= redemption->at.seconds + lifetime + limits::certificate_tolerance.count();
}

Verified judge_unredeemed(const Grant& grant, const ChainContext& context) {
  if (context.grant_withdrawn) return Unexpected{TrustError::grant_withdrawn};
  if (context.now && expired(grant.expires, *context.now)) return Unexpected{TrustError::grant_expired};
  if (grant.uses != 0) return Unexpected{TrustError::sponsor_unknown};
  return {};
}

Verified judge_redemption(const Redemption& redemption, const Certificate& certificate, const Grant& grant,
                          const ChainContext& context) {
  if (redemption.grant != grant.id || redemption.node != certificate.node) return Unexpected{TrustError::malformed};
  // The date settles who came first, so it is nobody's own word, and not before there was anything to redeem.
  const bool predated = redemption.at.seconds < grant.issued.seconds - limits::redemption_tolerance.count();
  if (redemption.sponsor == certificate.node || predated) return Unexpected{TrustError::redemption_invalid};
  if (grant.expires != no_expiry && redemption.at > grant.expires) return Unexpected{TrustError::grant_expired};
  if (context.grant_withdrawn && redemption.at > context.withdrawn_at) return Unexpected{TrustError::grant_withdrawn};
  // What needs no sponsor is no worse for one that we do not know.
  if (!context.sponsor_known && !judge_unredeemed(grant, context)) return Unexpected{TrustError::sponsor_unknown};
  return {};
}

Verified verify_under_grant(const Chain& chain, const ChainContext& context, Verifier& verifier) {
  const Certificate& certificate = chain.certificate.body;
  if (!chain.grant || chain.grant->body.id != certificate.grant()) return Unexpected{TrustError::grant_missing};
  const Grant& grant = chain.grant->body;
  const Redemption* redemption = chain.redemption ? &chain.redemption->body : nullptr;

  if (!may_invite(context.bundle, grant.admin)) return Unexpected{TrustError::unknown_admin};
  if (!grant.may.covers(certificate.may) || !name_matches(grant.name_pattern, certificate.name) ||
      !within_lifetime(certificate, grant, redemption)) {
    return Unexpected{TrustError::exceeds_rights};
  }
  // Signatures before the judgement on time and uses: only of a genuine statement is it
  // worth telling anyone that it is too old.
  if (!signed_by(*chain.grant, Domain::grant, context.network, grant.admin.bytes, verifier) ||
      !signed_by(chain.certificate, Domain::certificate, context.network, grant.id.bytes, verifier)) {
    return Unexpected{TrustError::bad_signature};
  }
  if (redemption == nullptr) return judge_unredeemed(grant, context);
  if (auto verified = verify_redemption(*chain.redemption, context.network, verifier); !verified) return verified;
  return judge_redemption(*redemption, certificate, grant, context);
}

Verified verify_under_admin(const Chain& chain, const ChainContext& context, Verifier& verifier) {
  if (chain.grant || chain.redemption) return Unexpected{TrustError::malformed};
  const AdminId admin = chain.certificate.body.admin();
  if (!may_invite(context.bundle, admin)) return Unexpected{TrustError::unknown_admin};
  if (!signed_by(chain.certificate, Domain::certificate, context.network, admin.bytes, verifier)) {
    return Unexpected{TrustError::bad_signature};
  }
  return {};
}

Verified verify_issuer(const Chain& chain, const ChainContext& context, Verifier& verifier) {
  switch (chain.certificate.body.issuer) {
    case Issuer::grant: return verify_under_grant(chain, context, verifier);
    case Issuer::admin: return verify_under_admin(chain, context, verifier);
  }
  check(false, "every certificate has an issuer");
  return Unexpected{TrustError::malformed};
}

}  // namespace

Result<Chain, TrustError> decode_chain(ByteView certificate, ByteView grant, ByteView redemption) {
  auto decoded = decode_certificate(certificate);
  if (!decoded) return Unexpected{decoded.error()};
  Chain chain{std::move(*decoded), std::nullopt, std::nullopt};
  // What does not belong to an admin's certificate would only be carried along for nothing.
  if (chain.certificate.body.issuer == Issuer::admin && !(grant.empty() && redemption.empty()))
    return Unexpected{TrustError::malformed};
  if (!grant.empty()) {
    auto part = decode_grant(grant);
    if (!part) return Unexpected{part.error()};
    chain.grant = std::move(*part);
  }
  if (!redemption.empty()) {
    auto part = decode_redemption(redemption);
    if (!part) return Unexpected{part.error()};
    chain.redemption = std::move(*part);
  }
  return chain;
}

Verified verify_chain(const Chain& chain, const ChainContext& context, Verifier& verifier) {
  if (auto verified = verify_issuer(chain, context, verifier); !verified) return verified;
  if (context.now && expired(chain.certificate.body.expires, *context.now)) return Unexpected{TrustError::certificate_expired};
  return {};
}

Verified verify_bundle(const Signed<Bundle>& bundle, const NetworkId& network, Verifier& verifier) {
  if (!signed_by(bundle, Domain::bundle, network, network.bytes, verifier)) return Unexpected{TrustError::bad_signature};
  return {};
}

Verified verify_redemption(const Signed<Redemption>& redemption, const NetworkId& network, Verifier& verifier) {
  if (!signed_by(redemption, Domain::redemption, network, redemption.body.sponsor.bytes, verifier)) {
    return Unexpected{TrustError::bad_signature};
  }
  return {};
}

Verified verify_revocation(const Signed<Revocation>& revocation, const Bundle& bundle, const NetworkId& network,
                           Verifier& verifier) {
  const auto* admin = find_admin(bundle, revocation.body.admin);
  if (admin == nullptr || !admin->may_revoke) return Unexpected{TrustError::unknown_admin};
  if (!signed_by(revocation, Domain::revocation, network, revocation.body.admin.bytes, verifier)) {
    return Unexpected{TrustError::bad_signature};
  }
  return {};
}

}  // namespace wigwag
