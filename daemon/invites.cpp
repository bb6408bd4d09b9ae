#include "daemon/invites.hpp"

#include <algorithm>

#include "daemon/words.hpp"
#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

constexpr std::int64_t kept_after_expiry_s = 30 * 86400;

}  // namespace

Outcome<Invites> Invites::load(const StateDir& directory) {
  Invites invites(directory);
  const auto text = directory.load_text("invites");
  if (!text) return Unexpected{text.error()};
  if (!text->has_value()) return invites;
  for (const auto& line : split(**text, '\n')) {
    if (trimmed(line).empty()) continue;
    const auto wire = from_base64(trimmed(line));
    auto grant = wire ? decode_grant(*wire) : Result<Signed<Grant>, TrustError>(Unexpected{TrustError::malformed});
    if (!grant) return Unexpected{Failure{directory.file("invites") + " is damaged: move it away to go on without the list of invitations"}};
    invites.made_.push_back(std::move(*grant));
  }
  return invites;
}

Outcome<std::string> Invites::make(const InviteTerms& terms, const NetworkId& network, const Signed<Bundle>& bundle, const AdminSecret& admin,
                                   UnixTime now) {
  std::erase_if(made_, [&](const Signed<Grant>& grant) {
    return expired(grant.body.expires, {now.seconds - kept_after_expiry_s});
  });
  if (made_.size() >= most) return Unexpected{Failure{"4096 invitations are open already: let some expire first"}};
  Entropy entropy(system_entropy());
  auto secret = entropy.secret<GrantSecret>();
  Grant grant;
  grant.id = public_key(secret);
  grant.admin = public_key(admin);
  grant.uses = terms.uses;
  grant.issued = now;
  grant.expires = terms.lifetime ? UnixTime{now.seconds + terms.lifetime->count()} : no_expiry;
  grant.may = terms.may;
  // Under any name: who redeems it must not find out that it cannot be told to others.
  if (!leave_room_for_record(certificate_under(grant, NodeId{}, std::string(limits::name_bytes, 'n')), grant)) {
    return Unexpected{Failure{"an invitation cannot confer these " + std::to_string(grant.may.subnets.size()) +
                              " subnets: with them its nodes could not be told to other members in one datagram. Name fewer, or larger "
                              "networks that hold them (16 of IPv4 or 7 of IPv6 always fit)"}};
  }
  Token token{network, terms.seeds, make_grant(grant, network, admin), std::move(secret), std::nullopt};
  if (terms.uses == 0) token.bundle = bundle;
  made_.push_back(token.grant);
  if (const auto saved = save(); !saved) {
    made_.pop_back();
    return Unexpected{saved.error()};
  }
  return encode_token(token);
}

Outcome<Signed<Grant>> Invites::find(const std::string& id) const {
  if (id.size() < 8) return Unexpected{Failure{"give at least the first 8 digits of the invitation's id, as `wigwag invites` shows it"}};
  const Signed<Grant>* found = nullptr;
  for (const auto& grant : made_) {
    if (to_hex(grant.body.id).rfind(id, 0) != 0) continue;
    if (found != nullptr) return Unexpected{Failure{"several invitations start with " + printable(id, 64) + ": give more digits"}};
    found = &grant;
  }
  if (found == nullptr) return Unexpected{Failure{"no invitation made here starts with " + printable(id, 64) + ": see `wigwag invites`"}};
  return *found;
}

Outcome<void> Invites::save() const {
  std::string text;
  for (const auto& grant : made_) text += to_base64(ByteView(grant.wire)) + "\n";
  return directory_->save_text("invites", text);
}

Signed<Revocation> withdraw(const Grant& grant, const NetworkId& network, const AdminSecret& admin, UnixTime now) {
  Revocation revocation;
  revocation.kind = RevokedKind::grant;
  revocation.target = grant.id.bytes;
  revocation.admin = public_key(admin);
  revocation.at = now;
  // A day longer than the grant, for members whose clocks run late.
  revocation.keep_until = grant.expires == no_expiry ? no_expiry : UnixTime{grant.expires.seconds + 86400};
  return make_revocation(revocation, network, admin);
}

}  // namespace wigwag
