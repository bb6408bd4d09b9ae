#include "gossip/base/limits.hpp"
#include "tests/membership/golden_vectors.hpp"
#include "tests/membership/golden_world.hpp"

namespace wigwag::golden {
namespace {

bool reads_message(ByteView payload) { return decode_message(payload).has_value(); }

// What the joiner takes for a datagram of the sponsor's.
bool joiner_takes(ByteView datagram) {
  const auto payload = unprotect(datagram, GossipWorld().mac_key());
  return payload && reads_message(*payload);
}

Bytes message(const Message& content) { return encode_message(content); }

Compare listed(std::size_t entries) {
  Range range{.first = 0x1000, .last = 0x1fff'ffff'ffff'ffff, .listed = true};
  for (std::size_t i = 0; i < entries; ++i) {
    range.entries.push_back({0x1000 + i, 1'750'000'300, static_cast<std::uint32_t>(i), 0xfedc'ba98'7654'3210});
  }
  return {SmallWorld::at(300), std::nullopt, false, {range}};
}

Compare opening(std::optional<Endpoint> you, bool confirm) {
  return {SmallWorld::at(300), you, confirm, {{.fingerprint = 0x0123'4567'89ab'cdef, .count = 12}}};
}

// [8, wall, you, confirm, ranges] by hand.
Packer compare_by_hand(std::uint64_t wall) {
  Packer out;
  out.array(5).number(8).number(wall).nil().boolean(false);
  return out;
}

Bytes seen_at(ByteView address, std::uint64_t port) {
  Packer out;
  out.array(5).number(8).number(1).array(2).binary(address).number(port).boolean(false).array(0);
  return out.take();
}

Bytes push_of(std::size_t fields, std::uint64_t kind, std::size_t statement_bytes) {
  Packer out;
  out.array(2).number(4).array(1).array(fields).number(kind).binary(Bytes(statement_bytes, 7));
  for (std::size_t field = 2; field < fields; ++field) out.binary(Bytes(8, 7));
  return out.take();
}

std::vector<Vector> rejected_small() {
  Bytes negative = Packer().array(2).number(5).array(1).take();
  negative.push_back(0xff);
  Packer short_key;
  short_key.array(3).number(2).number(7).binary(Bytes(31, 1));
  return {
      {"rejected-message-unknown-type", Packer().array(2).number(9).number(7).take(), reads_message},
      {"rejected-message-a-map", Bytes{0x81, 0x00, 0x07}, reads_message},
      {"rejected-message-nothing", Bytes{}, reads_message},
      {"rejected-message-too-long", message(Push{{{ItemKind::record, Bytes(600, 7), {}, {}, {}}, {ItemKind::record, Bytes(600, 7), {}, {}, {}}}}),
       reads_message},
      {"rejected-ping-without-number", Packer().array(1).number(0).take(), reads_message},
      {"rejected-ping-one-value-more", Packer().array(3).number(0).number(7).number(7).take(), reads_message},
      {"rejected-ping-one-byte-more", with_last(message(Ping{7}), 0xc0), reads_message},
      {"rejected-ping-number-beyond-32-bits", Packer().array(2).number(0).number(1ULL << 32).take(), reads_message},
      {"rejected-ack-wait-beyond-16-bits", Packer().array(3).number(1).number(7).number(65'536).take(), reads_message},
      {"rejected-ping-request-short-key", short_key.take(), reads_message},
      {"rejected-have-negative-id", negative, reads_message},
      {"rejected-have-121-ids", message(Have{std::vector<std::uint64_t>(message_limits::ids + 1, 7)}), reads_message},
      {"rejected-want-cut", without_last(message(Want{{1, 2, 3}})), reads_message},
      {"rejected-need-nested", Packer().array(2).number(7).array(1).array(1).number(7).take(), reads_message},
  };
}

std::vector<Vector> rejected_pushes() {
  return {
      {"rejected-push-17-items", message(Push{std::vector<Item>(message_limits::items + 1, {ItemKind::record, Bytes(8, 7), {}, {}, {}})}),
       reads_message},
      {"rejected-push-unknown-kind", push_of(2, 4, 8), reads_message},
      {"rejected-push-record-with-a-chain", push_of(5, 0, 8), reads_message},
      {"rejected-push-member-without-a-chain", push_of(2, 1, 8), reads_message},
      {"rejected-push-member-with-half-a-chain", push_of(4, 1, 8), reads_message},
      {"rejected-push-empty-statement", push_of(2, 0, 0), reads_message},
      {"rejected-push-statement-too-long", push_of(2, 0, limits::record_bytes + 1), reads_message},
  };
}

std::vector<Vector> rejected_compares() {
  const Bytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7};
  Compare crowd = opening(std::nullopt, false);
  crowd.ranges.assign(message_limits::ranges + 1, crowd.ranges[0]);
  return {
      {"rejected-compare-17-ranges", message(crowd), reads_message},
      {"rejected-compare-37-entries", message(listed(message_limits::entries + 1)), reads_message},
      {"rejected-compare-backwards", compare_by_hand(1).array(1).array(4).number(9).number(8).number(0).number(0).take(), reads_message},
      {"rejected-compare-list-not-of-fours", compare_by_hand(1).array(1).array(3).number(0).number(9).array(5).number(1).number(1).number(1)
           .number(1).number(1).take(),
       reads_message},
      {"rejected-compare-clock-beyond-40-bits", compare_by_hand((1ULL << 40) + 1).array(0).take(), reads_message},
      {"rejected-compare-endpoint-without-port", seen_at(Address::ipv4(0xC6336407).view(), 0), reads_message},
      {"rejected-compare-mapped-endpoint", seen_at(mapped, 51820), reads_message},
  };
}

std::vector<Vector> rejected_datagrams() {
  const GossipWorld world;
  const Bytes ping = message(Ping{4242});
  Bytes altered = protect(ping, world.mac_key());
  altered.back() ^= 1;
  Bytes other_number = protect(ping, world.mac_key());
  other_number[2] ^= 1;
  return {
      {"rejected-datagram-altered-mac", altered, joiner_takes},
      {"rejected-datagram-altered-message", other_number, joiner_takes},
      {"rejected-datagram-of-the-other-direction", protect(ping, world.mac_key_back()), joiner_takes},
      {"rejected-datagram-a-mac-alone", protect({}, world.mac_key()), joiner_takes},
      {"rejected-datagram-without-mac", ping, joiner_takes},
  };
}

}  // namespace

std::vector<Vector> good_messages() {
  const GossipWorld world;
  const std::vector<std::uint64_t> ids = {0, 127, 128, 0x0123'4567'89ab'cdef, UINT64_MAX};
  return {
      {"ping", message(Ping{4242}), reads_message},
      {"ack", message(Ack{4242, 0}), reads_message},
      {"ack-again", message(Ack{4242, 6250}), reads_message},
      {"ping-request", message(PingRequest{4242, world.joiner_id}), reads_message},
      {"indirect-ack", message(IndirectAck{4242}), reads_message},
      {"push-record", message(Push{{world.record_item()}}), reads_message},
      {"push-member", message(Push{{world.member_item()}}), reads_message},
      {"push-accusation-and-revocation", message(Push{{world.accusation_item(), world.revocation_item()}}), reads_message},
      {"have", message(Have{ids}), reads_message},
      {"want", message(Want{ids}), reads_message},
      {"need", message(Need{ids}), reads_message},
      {"compare-opening", message(opening(Endpoint::parse("198.51.100.7:51820"), true)), reads_message},
      {"compare-without-endpoint", message(opening(std::nullopt, false)), reads_message},
      {"compare-listed", message(listed(3)), reads_message},
      {"compare-full-list", message(listed(message_limits::entries)), reads_message},
      {"datagram-ping", protect(message(Ping{4242}), world.mac_key()), joiner_takes},
  };
}

std::vector<Vector> rejected_messages() {
  std::vector<Vector> all;
  for (auto part : {rejected_small(), rejected_pushes(), rejected_compares(), rejected_datagrams()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace wigwag::golden
