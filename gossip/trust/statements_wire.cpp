#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"
#include "gossip/trust/statements.hpp"

// The bytes of the statements: each body is one packed array that begins with the
// number of its format.
namespace wigwag {
namespace {

constexpr std::uint64_t format = 1;

constexpr std::uint64_t may_relay = 1;
constexpr std::uint64_t may_invite = 2;
constexpr std::uint64_t may_revoke = 4;

bool is_time(UnixTime time) { return time.seconds >= 0 && time.seconds <= latest_unix_second; }

void pack_time(Packer& out, UnixTime time) { out.number(static_cast<std::uint64_t>(time.seconds)); }

UnixTime read_time(Unpacker& in) { return UnixTime{static_cast<std::int64_t>(in.number(latest_unix_second))}; }

void read_format(Unpacker& in) {
  if (in.number() != format) in.fail();
}

// Two values of the enclosing array: flags, subnets.
void pack_rights(Packer& out, const Rights& rights) {
  out.number((rights.relay ? may_relay : 0) | (rights.invite ? may_invite : 0)).array(rights.subnets.size());
  for (const Prefix& subnet : rights.subnets) out.prefix(subnet);
}

Rights read_rights(Unpacker& in) {
  const std::uint64_t flags = in.number(may_relay | may_invite);
  Rights rights{.relay = (flags & may_relay) != 0, .invite = (flags & may_invite) != 0, .subnets = {}};
  const std::size_t count = in.array(0, limits::subnets_per_node);
  for (std::size_t i = 0; i < count; ++i) rights.subnets.push_back(in.prefix());
  return rights;
}

Bytes pack(const Bundle& body) {
  Packer out;
  out.array(6).number(format).number(body.epoch).text(body.network_name).prefix(body.ipv4).array(body.admins.size());
  for (const auto& admin : body.admins) {
    out.array(2).key(admin.id).number((admin.may_invite ? may_invite : 0) | (admin.may_revoke ? may_revoke : 0));
  }
  body.next_root ? out.key(*body.next_root) : out.nil();
  return out.take();
}

Bundle read(Unpacker& in, const Bundle*) {
  Bundle body;
  in.array(6, 6);
  read_format(in);
  body.epoch = in.number32();
  body.network_name = in.text(limits::name_bytes);
  body.ipv4 = in.prefix();
  const std::size_t count = in.array(0, limits::admins);
  for (std::size_t i = 0; i < count; ++i) {
    in.array(2, 2);
    Bundle::Admin admin{.id = in.key<AdminId>()};
    const std::uint64_t flags = in.number(may_invite | may_revoke);
    if ((flags & may_relay) != 0) in.fail();
    admin.may_invite = (flags & may_invite) != 0;
    admin.may_revoke = (flags & may_revoke) != 0;
    body.admins.push_back(admin);
  }
  if (!in.nil()) body.next_root = in.key<NetworkId>();
  return body;
}

Bytes pack(const Grant& body) {
  Packer out;
  out.array(10).number(format).key(body.id).key(body.admin).number(body.uses);
  pack_time(out, body.issued);
  pack_time(out, body.expires);
  out.number(body.certificate_lifetime_s);
  pack_rights(out, body.may);
  out.text(body.name_pattern);
  return out.take();
}

Grant read(Unpacker& in, const Grant*) {
  Grant body;
  in.array(10, 10);
  read_format(in);
  body.id = in.key<GrantId>();
  body.admin = in.key<AdminId>();
  body.uses = in.number32();
  body.issued = read_time(in);
  body.expires = read_time(in);
  body.certificate_lifetime_s = in.number32();
  body.may = read_rights(in);
  body.name_pattern = in.text(limits::name_bytes);
  return body;
}

Bytes pack(const Certificate& body) {
  Packer out;
  out.array(9)
      .number(format)
      .key(body.node)
      .number(static_cast<std::uint64_t>(body.issuer))
      .binary(body.issuer_key)
      .text(body.name);
  pack_time(out, body.issued);
  pack_time(out, body.expires);
  pack_rights(out, body.may);
  return out.take();
}

Certificate read(Unpacker& in, const Certificate*) {
  Certificate body;
  in.array(9, 9);
  read_format(in);
  body.node = in.key<NodeId>();
  body.issuer = in.enumerator(Issuer::admin);
  body.issuer_key = in.key<Hash32>().bytes;
  body.name = in.text(limits::name_bytes);
  body.issued = read_time(in);
  body.expires = read_time(in);
  body.may = read_rights(in);
  return body;
}

Bytes pack(const Redemption& body) {
  Packer out;
  out.array(5).number(format).key(body.grant).key(body.node).key(body.sponsor);
  pack_time(out, body.at);
  return out.take();
}

Redemption read(Unpacker& in, const Redemption*) {
  Redemption body;
  in.array(5, 5);
  read_format(in);
  body.grant = in.key<GrantId>();
  body.node = in.key<NodeId>();
  body.sponsor = in.key<NodeId>();
  body.at = read_time(in);
  return body;
}

Bytes pack(const Revocation& body) {
  Packer out;
  out.array(6).number(format).number(static_cast<std::uint64_t>(body.kind)).binary(body.target).key(body.admin);
  pack_time(out, body.at);
  pack_time(out, body.keep_until);
  return out.take();
}

Revocation read(Unpacker& in, const Revocation*) {
  Revocation body;
  in.array(6, 6);
  read_format(in);
  body.kind = in.enumerator(RevokedKind::admin);
  body.target = in.key<Hash32>().bytes;
  body.admin = in.key<AdminId>();
  body.at = read_time(in);
  body.keep_until = read_time(in);
  return body;
}

// The rules on values; sizes on the wire are apart, because what was just decoded has kept them.
bool is_valid(const Rights& rights) {
  const auto& subnets = rights.subnets;
  return subnets.size() <= limits::subnets_per_node && std::is_sorted(subnets.begin(), subnets.end()) &&
         std::adjacent_find(subnets.begin(), subnets.end()) == subnets.end() &&
         std::all_of(subnets.begin(), subnets.end(), [](const Prefix& subnet) {
           return subnet.length <= subnet.address.bits() && Prefix::covering(subnet.address, subnet.length) == subnet;
         });
}

bool is_valid(const Bundle& body) {
  if (body.epoch == 0 || !is_valid_name(body.network_name) || body.admins.size() > limits::admins) return false;
  const Prefix& range = body.ipv4;
  // A /30 is the smallest range with addresses between its first and its last.
  if (range.address.family != Family::ipv4 || range.length < 1 || range.length > 30) return false;
  if (Prefix::covering(range.address, range.length) != range) return false;
  for (std::size_t i = 0; i < body.admins.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (body.admins[i].id == body.admins[j].id) return false;
    }
  }
  return true;
}

bool is_valid(const Grant& body) {
  return is_time(body.issued) && is_time(body.expires) && is_valid(body.may) && is_valid_name_pattern(body.name_pattern);
}

bool is_valid(const Certificate& body) {
  return is_valid_name(body.name) && is_time(body.issued) && is_time(body.expires) && is_valid(body.may);
}

bool is_valid(const Redemption& body) { return is_time(body.at); }

bool is_valid(const Revocation& body) { return is_time(body.at) && is_time(body.keep_until); }

template <class Body>
std::size_t wire_bytes(const Body& body) {
  return join_signed(pack(body), Signature{}).size();
}

template <class Body>
bool fits(const Body& body, std::size_t wire_bytes_max) {
  return wire_bytes(body) <= wire_bytes_max;
}

template <class Body>
Result<Signed<Body>, TrustError> decode(ByteView wire, std::size_t wire_bytes_max) {
  const auto parts = split_signed(wire, wire_bytes_max);
  if (!parts) return Unexpected{TrustError::malformed};
  Unpacker in(parts->body, 128);
  Body body = read(in, static_cast<const Body*>(nullptr));
  if (!in.done() || !is_valid(body)) return Unexpected{TrustError::malformed};
  return Signed<Body>{std::move(body), Bytes(wire.begin(), wire.end())};
}

template <class Body, class Key>
Signed<Body> make(Domain domain, const Body& body, const NetworkId& network, const Key& key) {
  const Bytes packed = pack(body);
  return {body, join_signed(packed, sign(domain, network, packed, key.open()))};
}

}  // namespace

bool is_well_formed(const Rights& rights) { return is_valid(rights); }
bool is_well_formed(const Bundle& body) { return is_valid(body) && fits(body, limits::bundle_bytes); }
bool is_well_formed(const Grant& body) { return is_valid(body) && fits(body, limits::grant_bytes); }
bool is_well_formed(const Certificate& body) { return is_valid(body) && fits(body, limits::certificate_bytes); }
bool is_well_formed(const Redemption& body) { return is_valid(body) && fits(body, limits::redemption_bytes); }
bool is_well_formed(const Revocation& body) { return is_valid(body) && fits(body, limits::revocation_bytes); }

Certificate certificate_under(const Grant& grant, const NodeId& node, std::string name) {
  Certificate body;
  body.node = node;
  body.issuer_key = grant.id.bytes;
  body.name = std::move(name);
  body.may = grant.may;
  body.issued = grant.issued;
  if (grant.certificate_lifetime_s != 0) body.expires = UnixTime{grant.issued.seconds + grant.certificate_lifetime_s};
  return body;
}

bool leave_room_for_record(const Certificate& certificate, const Grant& grant) {
  constexpr std::size_t others = limits::redemption_bytes + limits::plain_record_bytes;
  return is_well_formed(certificate) && is_well_formed(grant) &&
         wire_bytes(certificate) + wire_bytes(grant) + others <= limits::member_bytes;
}

Result<Signed<Bundle>, TrustError> decode_bundle(ByteView wire) { return decode<Bundle>(wire, limits::bundle_bytes); }
Result<Signed<Grant>, TrustError> decode_grant(ByteView wire) { return decode<Grant>(wire, limits::grant_bytes); }
Result<Signed<Certificate>, TrustError> decode_certificate(ByteView wire) {
  return decode<Certificate>(wire, limits::certificate_bytes);
}
Result<Signed<Redemption>, TrustError> decode_redemption(ByteView wire) {
  return decode<Redemption>(wire, limits::redemption_bytes);
}
Result<Signed<Revocation>, TrustError> decode_revocation(ByteView wire) {
  return decode<Revocation>(wire, limits::revocation_bytes);
}

Signed<Bundle> make_bundle(const Bundle& body, const NetworkId& network, const RootSecret& root) {
  return make(Domain::bundle, body, network, root);
}
Signed<Grant> make_grant(const Grant& body, const NetworkId& network, const AdminSecret& admin) {
  return make(Domain::grant, body, network, admin);
}
Signed<Certificate> make_certificate(const Certificate& body, const NetworkId& network, const GrantSecret& grant) {
  return make(Domain::certificate, body, network, grant);
}
Signed<Certificate> make_certificate(const Certificate& body, const NetworkId& network, const AdminSecret& admin) {
  return make(Domain::certificate, body, network, admin);
}
Signed<Redemption> make_redemption(const Redemption& body, const NetworkId& network, const NodeSecret& sponsor) {
  return make(Domain::redemption, body, network, sponsor);
}
Signed<Redemption> make_redemption(const Redemption& body, const NetworkId& network, Signer& sponsor) {
  const Bytes packed = pack(body);
  return {body, join_signed(packed, sponsor.sign(Domain::redemption, network, packed))};
}
Signed<Revocation> make_revocation(const Revocation& body, const NetworkId& network, const AdminSecret& admin) {
  return make(Domain::revocation, body, network, admin);
}

}  // namespace wigwag
