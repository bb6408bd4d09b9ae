#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"
#include "gossip/trust/crypto.hpp"

// What members say to each other inside the tunnel. One datagram is one message: packed
// [type, fields...], then eight bytes of MAC. Encodings are in gossip/README.md.
namespace wigwag {

// Are you there? Kept tiny: one a second per node is most of what an idle mesh sends.
struct Ping {
  std::uint32_t sequence = 0;
};
// `again_ms` asks an observer to begin its next probe that long after this one, so that a
// subject's observers probe it evenly spread over time; 0: whenever it likes.
struct Ack {
  std::uint32_t sequence = 0;
  std::uint16_t again_ms = 0;
};
// Please probe `subject` over your warm edge; answer IndirectAck with my number if it lives.
struct PingRequest {
  std::uint32_t sequence = 0;
  NodeId subject;
};
struct IndirectAck {
  std::uint32_t sequence = 0;
};

enum class ItemKind : std::uint8_t { record, member, accusation, revocation };

// A signed statement on its way. A `member` is a record with the chain that admits its node;
// the other kinds use `statement` only.
struct Item {
  ItemKind kind = ItemKind::record;
  Bytes statement;
  Bytes certificate, grant, redemption;
  // Upper bound of what it takes in a datagram.
  std::size_t packed_size() const { return statement.size() + certificate.size() + grant.size() + redemption.size() + wrapping; }
  static constexpr std::size_t wrapping = 18;
};

struct Push {
  std::vector<Item> items;
};
// Statements the sender holds and could push, by statement_id.
struct Have {
  std::vector<std::uint64_t> ids;
};
// Statements the sender has heard of and lacks.
struct Want {
  std::vector<std::uint64_t> ids;
};
// Members the sender lacks or holds an older version of, by the first eight bytes of their ids.
struct Need {
  std::vector<std::uint64_t> keys;
};

// Range-based set reconciliation (Meyer 2022): each range of the key space carries a
// fingerprint of what the sender holds there, or the list of it.
struct RangeEntry {
  std::uint64_t key = 0;
  std::uint32_t epoch = 0;         // version of the record, 0.0 where there is none
  std::uint32_t sequence = 0;
  std::uint64_t fingerprint = 0;
  bool operator==(const RangeEntry&) const = default;
};
struct Range {
  std::uint64_t first = 0;         // both ends belong to the range
  std::uint64_t last = UINT64_MAX;
  bool listed = false;
  std::uint64_t fingerprint = 0;   // when not listed
  std::uint32_t count = 0;
  std::vector<RangeEntry> entries{}; // when listed
};
struct Compare {
  UnixTime wall;                   // the sender's clock
  std::optional<Endpoint> you;     // where the sender's kernel sees the receiver
  bool confirm = false;            // answer even when equal
  std::vector<Range> ranges;
};

using Message = std::variant<Ping, Ack, PingRequest, IndirectAck, Push, Have, Want, Need, Compare>;

// A message on its way out, and the outbox that every part of the core appends to.
struct Mail {
  NodeId to;
  Message message;
};
using Outbox = std::vector<Mail>;

// The datagram without MAC; never larger than limits::datagram_payload less the MAC for
// messages made within the bounds of message_limits.
Bytes encode_message(const Message& message);
std::optional<Message> decode_message(ByteView payload);

// Adds the MAC, and takes it off again; nullopt when it is wrong.
Bytes protect(Bytes payload, const MacKey& key);
std::optional<ByteView> unprotect(ByteView datagram, const MacKey& key);

// How many of each fit one datagram.
namespace message_limits {
inline constexpr std::size_t mac_bytes = 8;
inline constexpr std::size_t items_bytes = 1200 - mac_bytes - 8;  // sum of packed_size() in a Push
inline constexpr std::size_t items = 16;
inline constexpr std::size_t ids = 120;                           // Have, Want, Need
inline constexpr std::size_t ranges = 16;
inline constexpr std::size_t entries = 36;                        // in one list
inline constexpr std::size_t range_bytes = 36;                    // at most, without its list
inline constexpr std::size_t entry_bytes = 28;                    // at most
inline constexpr std::size_t compare_bytes = 1200 - mac_bytes - 48;  // for all ranges of a Compare
}  // namespace message_limits

// Parts items over as many pushes as they need, in order. An item that fits no datagram is left out.
void push_items(const NodeId& to, std::vector<Item> items, Outbox& out);

}  // namespace wigwag
