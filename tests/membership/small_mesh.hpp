#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gossip/membership/roster.hpp"
#include "tests/trust/small_world.hpp"

// Members with fixed keys on top of SmallWorld, and rosters that hold them.
namespace wigwag {

inline NodeSecret numbered_identity(std::uint64_t number) {
  std::array<std::uint8_t, 32> raw{};
  raw[0] = 0x6d;
  store_be64(raw.data() + 24, number);
  return NodeSecret(raw);
}
inline NodeId numbered_id(std::uint64_t number) { return public_key(numbered_identity(number)); }

inline Instant instant(Duration since_start) { return Instant{} + hours(1) + since_start; }

// What of one kind is in an outbox, with its receivers.
template <class Kind>
std::vector<std::pair<NodeId, Kind>> sent(const Outbox& out) {
  std::vector<std::pair<NodeId, Kind>> found;
  for (const auto& mail : out) {
    if (const auto* message = std::get_if<Kind>(&mail.message)) found.emplace_back(mail.to, *message);
  }
  return found;
}

// Members are numbers from 1 on; number 0 is the sponsor of all others and was let in by an admin.
struct SmallMesh : SmallWorld {
  NodeSecret identity(std::uint64_t number) const { return number == 0 ? sponsor.duplicate() : numbered_identity(number); }
  NodeId id(std::uint64_t number) const { return public_key(identity(number)); }

  Record record_body(std::uint64_t number, Version version = {1, 0}) const {
    Record record;
    record.node = id(number);
    record.certificate = blake2b(chain(number).certificate.wire);
    record.version = version;
    record.tunnel_key.bytes.fill(static_cast<std::uint8_t>(number + 1));
    store_be64(record.tunnel_key.bytes.data(), number);
    record.endpoints = {{Address::ipv4(0xC6120000U + static_cast<std::uint32_t>(number)), 51820}};
    record.ipv4 = Address::ipv4(0x0a630000U + 1 + static_cast<std::uint32_t>(number));
    record.listen_port = 51820;
    record.hello_port = 51822;
    return record;
  }
  Signed<Record> record(std::uint64_t number, Version version = {1, 0}) const { return sign(record_body(number, version), number); }
  Signed<Record> sign(const Record& body, std::uint64_t number) const { return make_record(body, network, identity(number)); }

  Chain chain(std::uint64_t number) const {
    const auto secret = identity(number);
    return number == 0 ? founder_chain(secret) : chain_of(secret, "node-" + std::to_string(number));
  }
  // The same, standing on another admission.
  Signed<Record> record_on(const Chain& other, std::uint64_t number, Version version = {1, 0}) const {
    Record body = record_body(number, version);
    body.certificate = blake2b(other.certificate.wire);
    return sign(body, number);
  }
  static Item record_item(const Signed<Record>& record) { return {ItemKind::record, record.wire, {}, {}, {}}; }
  static Item member_item(const Signed<Record>& record, const Chain& chain) {
    Item item{ItemKind::member, record.wire, chain.certificate.wire, {}, {}};
    if (chain.grant) item.grant = chain.grant->wire;
    if (chain.redemption) item.redemption = chain.redemption->wire;
    return item;
  }
  Item member(std::uint64_t number, Version version = {1, 0}) const { return member_item(record(number, version), chain(number)); }

  Item accusation(std::uint64_t accuser, std::uint64_t subject, Version version = {1, 0}) const {
    return {ItemKind::accusation, make_accusation({id(subject), version, id(accuser)}, network, identity(accuser)).wire, {}, {}, {}};
  }

  Roster empty_roster(std::size_t members_max = 10'000, const NodeId& self = {}) {
    Roster roster({network, members_max, self}, verifier);
    roster.set_bundle(bundle());
    return roster;
  }
  Outcome apply(Roster& roster, const Item& item) const {
    switch (item.kind) {
      case ItemKind::record:
      case ItemKind::member: return roster.apply_record(item, at(300), at(300));
      case ItemKind::accusation: return roster.apply_accusation(item, instant(seconds(0)));
      case ItemKind::revocation: return roster.apply_revocation(item);
    }
    return {};
  }
  // Holds members 0 to size - 1.
  Roster roster_of(std::size_t size) {
    Roster roster = empty_roster();
    for (std::uint64_t number = 0; number < size; ++number) check(apply(roster, member(number)).applied == Applied::added, "a member is added");
    return roster;
  }
};

inline Hash32 fingerprint_of(const std::vector<RangeEntry>& entries) {
  Bytes all;
  for (const auto& entry : entries) {
    for (const std::uint64_t value : {entry.key, std::uint64_t{entry.epoch}, std::uint64_t{entry.sequence}, entry.fingerprint}) {
      std::array<std::uint8_t, 8> raw{};
      store_be64(raw.data(), value);
      all.insert(all.end(), raw.begin(), raw.end());
    }
  }
  return blake2b(all);
}

}  // namespace wigwag
