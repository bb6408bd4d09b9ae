#pragma once

#include "gossip/membership/message.hpp"
#include "gossip/membership/record.hpp"
#include "tests/trust/small_world.hpp"

// What the golden vectors are made of: the joiner's record, the sponsor's word against it, and
// the datagrams from the sponsor to the joiner.
namespace wigwag::golden {

struct GossipWorld : SmallWorld {
  NodeId joiner_id = public_key(joiner);
  NodeId sponsor_id = public_key(sponsor);

  Record least() const {
    Record record;
    record.node = joiner_id;
    record.certificate = blake2b(chain_of(joiner, "joiner").certificate.wire);
    record.version = {1'750'000'300, 0};
    record.tunnel_key.bytes.fill(0x11);
    return record;
  }
  // Every part present and as large as it may be, within the 600 bytes of a record.
  Record full() const {
    Record record = least();
    record.version.sequence = 7;
    record.relay = true;
    record.next_tunnel_key = TunnelKey{};
    record.next_tunnel_key->bytes.fill(0x22);
    record.endpoints = {*Endpoint::parse("198.51.100.7:51820"), *Endpoint::parse("[2001:db8::7]:51820"),
                        *Endpoint::parse("203.0.113.9:40001"), *Endpoint::parse("192.168.1.7:51820")};
    record.ipv4 = Address::parse("10.99.3.4");
    record.listen_port = 51820;
    record.hello_port = 51822;
    record.subnets = {prefix_of("10.20.1.0/24"), prefix_of("fd00:20::/64")};
    record.homes = {sponsor_id, public_key(stranger), joiner_id};
    record.expires = UnixTime{1'752'592'300};
    return record;
  }
  Record gone() const {
    Record record = least();
    record.left = true;
    return record;
  }
  Bytes wire(const Record& record) const { return make_record(record, network, joiner).wire; }
  Bytes accusation() const { return make_accusation({joiner_id, least().version, sponsor_id}, network, sponsor).wire; }

  Item record_item() const { return {ItemKind::record, wire(least()), {}, {}, {}}; }
  Item member_item() const {
    const Chain chain = chain_of(joiner, "joiner");
    return {ItemKind::member, wire(least()), chain.certificate.wire, chain.grant->wire, chain.redemption->wire};
  }
  Item accusation_item() const { return {ItemKind::accusation, accusation(), {}, {}, {}}; }
  Item revocation_item() const {
    return {ItemKind::revocation, make_revocation(revocation_body(), network, revoker).wire, {}, {}, {}};
  }
  // As either end has it, for what the sponsor sends to the joiner.
  MacKey mac_key() const { return gossip_mac_key(network, joiner, sponsor_id, joiner_id).value(); }
  MacKey mac_key_back() const { return gossip_mac_key(network, joiner, joiner_id, sponsor_id).value(); }
};

inline Bytes without_last(Bytes bytes) {
  bytes.pop_back();
  return bytes;
}
inline Bytes with_last(Bytes bytes, std::uint8_t last) {
  bytes.push_back(last);
  return bytes;
}

}  // namespace wigwag::golden
