#include "gossip/membership/record.hpp"

#include <algorithm>
#include <limits>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t format = 1;
constexpr std::uint64_t flag_left = 1;
constexpr std::uint64_t flag_relay = 2;
constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();

template <class Sequence>
bool sorted_and_unique(const Sequence& items) {
  return std::adjacent_find(items.begin(), items.end(), [](const auto& a, const auto& b) { return !(a < b); }) == items.end();
}

UnixTime unix_time(Unpacker& in) { return UnixTime{static_cast<std::int64_t>(in.number(std::uint64_t{1} << 40))}; }

Bytes encode(const Record& record) {
  Packer out;
  out.array(15).number(format).key(record.node).key(record.certificate).number(record.version.epoch).number(record.version.sequence);
  out.number((record.left ? flag_left : 0) | (record.relay ? flag_relay : 0)).key(record.tunnel_key);
  record.next_tunnel_key ? out.key(*record.next_tunnel_key) : out.nil();
  out.array(record.endpoints.size());
  for (const auto& endpoint : record.endpoints) out.endpoint(endpoint);
  record.ipv4 ? out.address(*record.ipv4) : out.nil();
  out.number(record.listen_port).number(record.hello_port);
  out.array(record.subnets.size());
  for (const auto& subnet : record.subnets) out.prefix(subnet);
  out.array(record.homes.size());
  for (const auto& home : record.homes) out.key(home);
  out.number(static_cast<std::uint64_t>(record.expires.seconds));
  return out.take();
}

std::optional<Record> decode_record_body(ByteView body) {
  Unpacker in(body);
  Record record;
  in.array(15, 15);
  if (in.number() != format) in.fail();
  record.node = in.key<NodeId>();
  record.certificate = in.key<Hash32>();
  record.version.epoch = in.number32();
  record.version.sequence = in.number32();
  const auto flags = in.number(flag_left | flag_relay);
  record.left = (flags & flag_left) != 0;
  record.relay = (flags & flag_relay) != 0;
  record.tunnel_key = in.key<TunnelKey>();
  if (!in.nil()) record.next_tunnel_key = in.key<TunnelKey>();
  record.endpoints.resize(in.array(0, limits::endpoints_per_record));
  for (auto& endpoint : record.endpoints) endpoint = in.endpoint();
  if (!in.nil()) record.ipv4 = in.address();
  record.listen_port = static_cast<std::uint16_t>(in.number(65535));
  record.hello_port = static_cast<std::uint16_t>(in.number(65535));
  record.subnets.resize(in.array(0, limits::subnets_per_node));
  for (auto& subnet : record.subnets) subnet = in.prefix();
  record.homes.resize(in.array(0, limits::homes_per_record));
  for (auto& home : record.homes) home = in.key<NodeId>();
  record.expires = unix_time(in);
  if (!in.done() || !sorted_and_unique(record.subnets) || record.tunnel_key.is_zero()) return std::nullopt;
  return record;
}

std::optional<Accusation> decode_accusation_body(ByteView body) {
  Unpacker in(body);
  Accusation accusation;
  in.array(5, 5);
  if (in.number() != format) in.fail();
  accusation.subject = in.key<NodeId>();
  accusation.version.epoch = in.number32();
  accusation.version.sequence = in.number32();
  accusation.accuser = in.key<NodeId>();
  if (!in.done() || accusation.subject == accusation.accuser) return std::nullopt;
  return accusation;
}

Bytes encode(const Accusation& body) {
  Packer out;
  out.array(5).number(format).key(body.subject).number(body.version.epoch).number(body.version.sequence).key(body.accuser);
  return out.take();
}

template <class Body>
Signed<Body> sealed(const Body& body, Domain domain, const NetworkId& network, const NodeSecret& signer) {
  const Bytes encoded = encode(body);
  return {body, join_signed(encoded, sign(domain, network, encoded, signer.open()))};
}

template <class Body>
Signed<Body> sealed(const Body& body, Domain domain, const NetworkId& network, Signer& signer) {
  const Bytes encoded = encode(body);
  return {body, join_signed(encoded, signer.sign(domain, network, encoded))};
}

template <class Body>
Result<Signed<Body>, TrustError> opened(ByteView wire, std::size_t most, std::optional<Body> (*decode)(ByteView)) {
  const auto parts = split_signed(wire, most);
  if (!parts) return Unexpected{TrustError::malformed};
  const auto body = decode(parts->body);
  if (!body) return Unexpected{TrustError::malformed};
  return Signed<Body>{*body, Bytes(wire.begin(), wire.end())};
}

bool signed_by(ByteView wire, Domain domain, const NetworkId& network, const NodeId& signer, Verifier& verifier) {
  const auto parts = split_signed(wire, wire.size());
  return parts && verifier.verify(domain, network, parts->body, parts->signature, signer.bytes);
}

}  // namespace

Version next_version(Version version) {
  if (version.sequence != most_u32) return {version.epoch, version.sequence + 1};
  if (version.epoch != most_u32) return {version.epoch + 1, 0};
  return version;
}

bool says_the_same(const Record& a, const Record& b) {
  Record other = b;
  other.version = a.version;
  other.expires = a.expires;
  return a == other;
}

Result<Signed<Record>, TrustError> decode_record(ByteView wire) {
  return opened<Record>(wire, limits::record_bytes, decode_record_body);
}

Result<Signed<Accusation>, TrustError> decode_accusation(ByteView wire) {
  return opened<Accusation>(wire, limits::accusation_bytes, decode_accusation_body);
}

Signed<Record> make_record(const Record& body, const NetworkId& network, const NodeSecret& identity) {
  return sealed(body, Domain::record, network, identity);
}

Signed<Accusation> make_accusation(const Accusation& body, const NetworkId& network, const NodeSecret& accuser) {
  return sealed(body, Domain::accusation, network, accuser);
}

Signed<Record> make_record(const Record& body, const NetworkId& network, Signer& owner) {
  return sealed(body, Domain::record, network, owner);
}

Signed<Accusation> make_accusation(const Accusation& body, const NetworkId& network, Signer& accuser) {
  return sealed(body, Domain::accusation, network, accuser);
}

bool verify_record(const Signed<Record>& record, const NetworkId& network, Verifier& verifier) {
  return signed_by(record.wire, Domain::record, network, record.body.node, verifier);
}

bool verify_accusation(const Signed<Accusation>& accusation, const NetworkId& network, Verifier& verifier) {
  return signed_by(accusation.wire, Domain::accusation, network, accusation.body.accuser, verifier);
}

std::uint64_t statement_id(ByteView wire) { return load_be64(blake2b(wire).bytes.data()); }

}  // namespace wigwag
