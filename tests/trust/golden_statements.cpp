#include "gossip/base/limits.hpp"
#include "gossip/trust/token.hpp"
#include "tests/trust/golden_vectors.hpp"
#include "tests/trust/small_world.hpp"

namespace wigwag::golden {
namespace {

template <class Decode>
auto reads(Decode decode) {
  return [decode](ByteView wire) { return decode(wire).has_value(); };
}

bool reads_token(ByteView text) {
  return decode_token(std::string_view(reinterpret_cast<const char*>(text.data()), text.size())).has_value();
}

Bytes text_of(const Token& token) {
  const std::string text = encode_token(token);
  return Bytes(text.begin(), text.end());
}

Bytes without_last(Bytes bytes) {
  bytes.pop_back();
  return bytes;
}
Bytes with_last(Bytes bytes, std::uint8_t last) {
  bytes.push_back(last);
  return bytes;
}

// A grant by hand, value by value, so that each can be wrong.
struct GrantByHand {
  const SmallWorld& world;
  std::uint64_t format = 1;
  std::uint64_t expires = 1'750'086'400;
  std::uint64_t flags = 1;
  std::vector<Bytes> subnets = {Packer().array(2).address(Address::ipv4(0x0a140000)).number(16).take()};
  std::string pattern = {};
  std::size_t values = 10;

  Bytes signed_bytes() const {
    Packer out;
    out.array(values).number(format).key(public_key(world.invitation)).key(public_key(world.admin)).number(0);
    out.number(1'750'000'000).number(expires).number(0).number(flags).array(subnets.size());
    Bytes body = out.take();
    for (const Bytes& subnet : subnets) body.insert(body.end(), subnet.begin(), subnet.end());
    const Bytes last = Packer().text(pattern).take();
    body.insert(body.end(), last.begin(), last.end());
    if (values == 11) body.push_back(0xc0);
    return sign_raw(Domain::grant, world.network, body, world.admin);
  }
};

Bytes subnet(std::string_view address, std::uint64_t length) {
  return Packer().array(2).address(Address::parse(address).value()).number(length).take();
}

Bytes second_wrapping(const Bytes& wire) {
  // The body's length in two bytes where one is enough.
  Bytes other = wire;
  other[1] = 0xc5;
  other.insert(other.begin() + 2, 0);
  return other;
}

std::vector<Vector> rejected_grants(const SmallWorld& world) {
  const auto grant = reads(decode_grant);
  const std::vector<Bytes> unsorted = {subnet("10.2.0.0", 16), subnet("10.1.0.0", 16)};
  const std::vector<Bytes> twice = {subnet("10.1.0.0", 16), subnet("10.1.0.0", 16)};
  std::vector<Bytes> crowd;
  for (std::size_t i = 0; i <= limits::subnets_per_node; ++i) crowd.push_back(subnet("10." + std::to_string(i) + ".0.0", 16));
  check(GrantByHand{.world = world}.signed_bytes() == world.grant().wire, "by hand or not, a good grant is the same");
  return {
      {"rejected-grant-unknown-format", GrantByHand{.world = world, .format = 2}.signed_bytes(), grant},
      {"rejected-grant-one-value-more", GrantByHand{.world = world, .values = 11}.signed_bytes(), grant},
      {"rejected-grant-expires-after-9999", GrantByHand{.world = world, .expires = 253'402'300'800}.signed_bytes(), grant},
      {"rejected-grant-unknown-right", GrantByHand{.world = world, .flags = 4}.signed_bytes(), grant},
      {"rejected-grant-subnet-with-host-bits", GrantByHand{.world = world, .subnets = {subnet("10.1.0.1", 16)}}.signed_bytes(),
       grant},
      {"rejected-grant-subnets-not-sorted", GrantByHand{.world = world, .subnets = unsorted}.signed_bytes(), grant},
      {"rejected-grant-subnet-twice", GrantByHand{.world = world, .subnets = twice}.signed_bytes(), grant},
      {"rejected-grant-too-many-subnets", GrantByHand{.world = world, .subnets = crowd}.signed_bytes(), grant},
      {"rejected-grant-name-pattern-with-a-dot", GrantByHand{.world = world, .pattern = "web.*"}.signed_bytes(), grant},
      {"rejected-grant-second-form-of-the-wrapping", second_wrapping(world.grant().wire), grant},
      {"rejected-grant-cut", without_last(world.grant().wire), grant},
      {"rejected-grant-one-byte-more", with_last(world.grant().wire, 0xc0), grant},
      {"rejected-grant-a-map", sign_raw(Domain::grant, world.network, Bytes{0x80}, world.admin), grant},
      {"rejected-grant-nested-too-deep",
       sign_raw(Domain::grant, world.network, Bytes{0x91, 0x91, 0x91, 0x91, 0x91, 0x90}, world.admin), grant},
      {"rejected-grant-an-empty-body", join_signed({}, Signature{}), grant},
  };
}

std::vector<Vector> rejected_bundles(const SmallWorld& world) {
  const auto made = [&](auto change) {
    Bundle body = world.bundle_body();
    change(body);
    return make_bundle(body, world.network, world.root).wire;
  };
  // An admin's flags with the bit that stands for relaying elsewhere.
  Packer admin_may_relay;
  admin_may_relay.array(6).number(1).number(1).text("home").prefix(prefix_of("10.99.0.0/16")).array(1);
  admin_may_relay.array(2).key(public_key(world.admin)).number(1).nil();
  const auto bundle = reads(decode_bundle);
  return {
      {"rejected-bundle-epoch-zero", made([](Bundle& body) { body.epoch = 0; }), bundle},
      {"rejected-bundle-name-not-a-label", made([](Bundle& body) { body.network_name = "My Home"; }), bundle},
      {"rejected-bundle-ipv4-too-narrow", made([](Bundle& body) { body.ipv4 = prefix_of("10.0.0.0/31"); }), bundle},
      {"rejected-bundle-ipv6-for-ipv4", made([](Bundle& body) { body.ipv4 = prefix_of("fd00::/16"); }), bundle},
      {"rejected-bundle-admin-with-unknown-right",
       sign_raw(Domain::bundle, world.network, admin_may_relay.bytes(), world.root), bundle},
      {"rejected-bundle-admin-twice", made([](Bundle& body) { body.admins.push_back(body.admins.front()); }), bundle},
      {"rejected-bundle-too-many-admins", made([](Bundle& body) {
         body.admins.clear();
         for (std::uint8_t i = 0; i <= limits::admins; ++i) body.admins.push_back({.id = AdminId{{i}}});
       }),
       bundle},
  };
}

std::vector<Vector> rejected_others(const SmallWorld& world) {
  const auto certificate_named = [&](const std::string& name) {
    return make_certificate(world.certificate_body(world.joiner, name), world.network, world.invitation).wire;
  };
  Certificate issued_by_nobody = world.certificate_body(world.joiner, "joiner");
  issued_by_nobody.issuer = static_cast<Issuer>(2);
  Revocation of_nothing = world.revocation_body();
  of_nothing.kind = static_cast<RevokedKind>(3);
  Packer short_key;
  short_key.array(5).number(1).binary(Bytes(31, 1)).key(NodeId{}).key(NodeId{}).number(1);
  Packer negative;
  negative.array(5).number(1).key(GrantId{}).key(NodeId{}).key(NodeId{});
  const Token token{.network = world.network,
                    .seeds = {"203.0.113.5"},
                    .grant = world.grant(),
                    .secret = world.invitation.duplicate(),
                    .bundle = std::nullopt};
  const Token mismatched{.network = world.network,
                         .seeds = {},
                         .grant = world.grant(),
                         .secret = fixed_secret<GrantSecret>(99),
                         .bundle = std::nullopt};
  Bytes mistyped = text_of(token);
  mistyped[50] = mistyped[50] == 'A' ? 'B' : 'A';
  Bytes newer = text_of(token);
  newer[6] = '2';
  return {
      {"rejected-certificate-name-in-capitals", certificate_named("Joiner"), reads(decode_certificate)},
      {"rejected-certificate-name-ends-with-hyphen", certificate_named("joiner-"), reads(decode_certificate)},
      {"rejected-certificate-name-too-long", certificate_named(std::string(64, 'n')), reads(decode_certificate)},
      {"rejected-certificate-unknown-issuer", make_certificate(issued_by_nobody, world.network, world.invitation).wire,
       reads(decode_certificate)},
      {"rejected-certificate-a-grant", world.grant().wire, reads(decode_certificate)},
      {"rejected-redemption-short-key", sign_raw(Domain::redemption, world.network, short_key.take(), world.sponsor),
       reads(decode_redemption)},
      {"rejected-redemption-negative-time",
       sign_raw(Domain::redemption, world.network, with_last(negative.take(), 0xff), world.sponsor), reads(decode_redemption)},
      {"rejected-revocation-unknown-kind", make_revocation(of_nothing, world.network, world.revoker).wire,
       reads(decode_revocation)},
      {"rejected-token-mistyped", mistyped, reads_token},
      {"rejected-token-newer-format", newer, reads_token},
      {"rejected-token-cut", without_last(text_of(token)), reads_token},
      {"rejected-token-secret-of-another-grant", text_of(mismatched), reads_token},
  };
}

}  // namespace

std::vector<Vector> good_statements() {
  const SmallWorld world;
  Bundle with_next_root = world.bundle_body();
  with_next_root.epoch = 7;
  with_next_root.next_root = NetworkId{{9}};
  Grant once = world.grant_body();
  once.uses = 1;
  once.certificate_lifetime_s = 86'400;
  once.may = {.relay = true, .invite = true, .subnets = {prefix_of("10.20.0.0/16"), prefix_of("fd00:20::/32")}};
  once.name_pattern = "web-*";
  const Chain chain = world.chain_of(world.joiner, "joiner");
  const auto token = [&](std::optional<Signed<Bundle>> bundle) {
    return text_of({.network = world.network,
                    .seeds = {"203.0.113.5", "seed.example.net:4000"},
                    .grant = world.grant(),
                    .secret = world.invitation.duplicate(),
                    .bundle = std::move(bundle)});
  };
  return {
      {"bundle", world.bundle().wire, reads(decode_bundle)},
      {"bundle-with-next-root", make_bundle(with_next_root, world.network, world.root).wire, reads(decode_bundle)},
      {"grant-many-uses", world.grant().wire, reads(decode_grant)},
      {"grant-one-use", make_grant(once, world.network, world.admin).wire, reads(decode_grant)},
      {"certificate-by-grant", chain.certificate.wire, reads(decode_certificate)},
      {"certificate-by-admin", world.founder_chain(world.sponsor).certificate.wire, reads(decode_certificate)},
      {"redemption", chain.redemption->wire, reads(decode_redemption)},
      {"revocation", make_revocation(world.revocation_body(), world.network, world.revoker).wire, reads(decode_revocation)},
      {"token", token(std::nullopt), reads_token},
      {"token-with-bundle", token(world.bundle()), reads_token},
  };
}

std::vector<Vector> rejected_statements() {
  const SmallWorld world;
  std::vector<Vector> all;
  for (auto part : {rejected_grants(world), rejected_bundles(world), rejected_others(world)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace wigwag::golden
