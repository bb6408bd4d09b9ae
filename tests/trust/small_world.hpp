#pragma once

#include <optional>
#include <string>
#include <utility>

#include "gossip/base/packed.hpp"
#include "gossip/trust/chain.hpp"
#include "gossip/trust/crypto.hpp"
#include "gossip/trust/hello.hpp"

// A network with fixed keys: a root, two admins, one many-use invitation, and a sponsor.
namespace wigwag {

template <class S>
S fixed_secret(std::uint8_t number) {
  std::array<std::uint8_t, S::size> raw{};
  raw.fill(number);
  return S(raw);
}

inline Entropy fixed_entropy(std::uint8_t number) { return Entropy(fixed_secret<Secret<struct EntropySeedRole>>(number)); }

inline Prefix prefix_of(std::string_view text) { return Prefix::parse(text).value(); }

struct SmallWorld {
  static constexpr UnixTime start{1'750'000'000};
  static UnixTime at(std::int64_t seconds_after_start) { return UnixTime{start.seconds + seconds_after_start}; }

  RootSecret root = fixed_secret<RootSecret>(1);
  NetworkId network = public_key(root);
  AdminSecret admin = fixed_secret<AdminSecret>(2);
  AdminSecret revoker = fixed_secret<AdminSecret>(3);  // may revoke, may not invite
  GrantSecret invitation = fixed_secret<GrantSecret>(4);
  NodeSecret sponsor = fixed_secret<NodeSecret>(5);
  NodeSecret joiner = fixed_secret<NodeSecret>(6);
  NodeSecret stranger = fixed_secret<NodeSecret>(7);
  Verifier verifier;

  Bundle bundle_body() const {
    return {.epoch = 1,
            .network_name = "home",
            .ipv4 = prefix_of("10.99.0.0/16"),
            .admins = {{.id = public_key(admin), .may_invite = true, .may_revoke = true},
                       {.id = public_key(revoker), .may_invite = false, .may_revoke = true}},
            .next_root = std::nullopt};
  }
  Signed<Bundle> bundle() const { return make_bundle(bundle_body(), network, root); }

  Grant grant_body() const {
    return {.id = public_key(invitation),
            .admin = public_key(admin),
            .uses = 0,
            .issued = start,
            .expires = at(86'400),
            .certificate_lifetime_s = 0,
            .may = {.relay = true, .invite = false, .subnets = {prefix_of("10.20.0.0/16")}},
            .name_pattern = ""};
  }
  Signed<Grant> grant() const { return make_grant(grant_body(), network, admin); }

  Certificate certificate_body(const NodeSecret& node, std::string name) const {
    return {.node = public_key(node),
            .issuer = Issuer::grant,
            .issuer_key = public_key(invitation).bytes,
            .name = std::move(name),
            .issued = at(60),
            .expires = no_expiry,
            .may = {.relay = true, .invite = false, .subnets = {prefix_of("10.20.1.0/24")}}};
  }
  Redemption redemption_body(const NodeSecret& node) const {
    return {.grant = public_key(invitation), .node = public_key(node), .sponsor = public_key(sponsor), .at = at(120)};
  }
  Revocation revocation_body() const {
    return {.kind = RevokedKind::node,
            .target = public_key(stranger).bytes,
            .admin = public_key(revoker),
            .at = at(200),
            .keep_until = at(90'000)};
  }

  // Certified by the invitation; with or without a sponsor's word.
  Chain chain_of(const NodeSecret& node, std::string name, bool redeemed = true) const {
    Chain chain{make_certificate(certificate_body(node, std::move(name)), network, invitation), grant(), std::nullopt};
    if (redeemed) chain.redemption = make_redemption(redemption_body(node), network, sponsor);
    return chain;
  }
  // Certified by an admin, as a founder is.
  Chain founder_chain(const NodeSecret& node) const {
    Certificate body = certificate_body(node, "founder");
    body.issuer = Issuer::admin;
    body.issuer_key = public_key(admin).bytes;
    return {make_certificate(body, network, admin), std::nullopt, std::nullopt};
  }

  HelloOffer offer_of(const NodeSecret& node, std::string name = "joiner") const {
    return {.chain = chain_of(node, std::move(name), false), .record = Bytes(300, 0xab)};
  }
  HelloAnswer welcome() const {
    return {.verdict = Verdict::welcome,
            .reason = TrustError::malformed,
            .host_time = at(120),
            .observed = {},
            .bundle = bundle().wire,
            .redemption = make_redemption(redemption_body(joiner), network, sponsor).wire,
            .record = Bytes(250, 0xcd)};
  }
};

// [body, signature] around any body, signed or not: for what no make_* would make.
template <class Signer>
Bytes sign_raw(Domain domain, const NetworkId& network, ByteView body, const Signer& signer) {
  return join_signed(body, sign(domain, network, body, signer.open()));
}

}  // namespace wigwag
