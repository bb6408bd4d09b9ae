#include "gossip/membership/message.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"

namespace wigwag {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

static_assert(limits::member_bytes + Item::wrapping <= message_limits::items_bytes, "whoever is admitted can be told to others");

Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }

void encode_ids(Packer& out, const std::vector<std::uint64_t>& ids) {
  out.array(ids.size());
  for (const auto id : ids) out.number(id);
}

std::vector<std::uint64_t> decode_ids(Unpacker& in) {
  std::vector<std::uint64_t> ids(in.array(0, message_limits::ids));
  for (auto& id : ids) id = in.number();
  return ids;
}

void encode_item(Packer& out, const Item& item) {
  const bool chained = item.kind == ItemKind::member;
  out.array(chained ? 5 : 2).number(static_cast<std::uint64_t>(item.kind)).binary(item.statement);
  if (chained) out.binary(item.certificate).binary(item.grant).binary(item.redemption);
}

Item decode_item(Unpacker& in) {
  Item item;
  const auto fields = in.array(2, 5);
  item.kind = in.enumerator(ItemKind::revocation);
  item.statement = bytes_of(in.binary(1, limits::record_bytes));
  if ((item.kind == ItemKind::member) != (fields == 5) || fields == 3 || fields == 4) in.fail();
  if (fields == 5) {
    item.certificate = bytes_of(in.binary(1, limits::certificate_bytes));
    item.grant = bytes_of(in.binary(0, limits::grant_bytes));
    item.redemption = bytes_of(in.binary(0, limits::redemption_bytes));
  }
  return item;
}

// A listed range is [first, last, [entry...]], a fingerprinted one [first, last, fingerprint, count].
void encode_range(Packer& out, const Range& range) {
  out.array(range.listed ? 3 : 4).number(range.first).number(range.last);
  if (!range.listed) {
    out.number(range.fingerprint).number(range.count);
    return;
  }
  out.array(range.entries.size() * 4);
  for (const auto& entry : range.entries) out.number(entry.key).number(entry.epoch).number(entry.sequence).number(entry.fingerprint);
}

Range decode_range(Unpacker& in) {
  Range range;
  range.listed = in.array(3, 4) == 3;
  range.first = in.number();
  range.last = in.number();
  if (range.last < range.first) in.fail();
  if (!range.listed) {
    range.fingerprint = in.number();
    range.count = in.number32();
    return range;
  }
  const auto numbers = in.array(0, message_limits::entries * 4);
  if (numbers % 4 != 0) in.fail();
  range.entries.resize(in.failed() ? 0 : numbers / 4);
  for (auto& entry : range.entries) entry = {in.number(), in.number32(), in.number32(), in.number()};
  return range;
}

Compare decode_compare(Unpacker& in) {
  Compare compare;
  compare.wall.seconds = static_cast<std::int64_t>(in.number(std::uint64_t{1} << 40));
  if (!in.nil()) compare.you = in.endpoint();
  compare.confirm = in.boolean();
  compare.ranges.resize(in.array(0, message_limits::ranges));
  for (auto& range : compare.ranges) range = decode_range(in);
  return compare;
}

// [1, sequence] or [1, sequence, again]; left out when zero.
void encode_ack(Packer& out, const Ack& ack) {
  out.array(ack.again_ms == 0 ? 2 : 3).number(1).number(ack.sequence);
  if (ack.again_ms != 0) out.number(ack.again_ms);
}

Ack decode_ack(std::size_t fields, Unpacker& in) {
  Ack ack{in.number32(), 0};
  if (fields == 2) ack.again_ms = static_cast<std::uint16_t>(in.number(65535));
  return ack;
}

void encode_compare(Packer& out, const Compare& compare) {
  out.array(5).number(8).number(static_cast<std::uint64_t>(std::max<std::int64_t>(compare.wall.seconds, 0)));
  compare.you ? out.endpoint(*compare.you) : out.nil();
  out.boolean(compare.confirm).array(compare.ranges.size());
  for (const auto& range : compare.ranges) encode_range(out, range);
}

// Type numbers are the positions in the Message variant; fields counts the array's rest.
std::optional<Message> decode_fields(std::uint64_t type, std::size_t fields, Unpacker& in) {
  constexpr std::array<std::size_t, 9> expected = {1, 1, 2, 1, 1, 1, 1, 1, 4};
  const bool timed_ack = type == 1 && fields == 2;
  if (type >= expected.size() || (fields != expected[type] && !timed_ack)) return std::nullopt;
  switch (type) {
    case 0: return Ping{in.number32()};
    case 1: return decode_ack(fields, in);
    case 2: {
      const auto sequence = in.number32();
      return PingRequest{sequence, in.key<NodeId>()};
    }
    case 3: return IndirectAck{in.number32()};
    case 4: {
      Push push;
      push.items.resize(in.array(0, message_limits::items));
      for (auto& item : push.items) item = decode_item(in);
      return push;
    }
    case 5: return Have{decode_ids(in)};
    case 6: return Want{decode_ids(in)};
    case 7: return Need{decode_ids(in)};
    case 8: return decode_compare(in);
    default: return std::nullopt;
  }
}

}  // namespace

Bytes encode_message(const Message& message) {
  Packer out;
  std::visit(Overloaded{
                 [&](const Ping& m) { out.array(2).number(0).number(m.sequence); },
                 [&](const Ack& m) { encode_ack(out, m); },
                 [&](const PingRequest& m) { out.array(3).number(2).number(m.sequence).key(m.subject); },
                 [&](const IndirectAck& m) { out.array(2).number(3).number(m.sequence); },
                 [&](const Push& m) {
                   out.array(2).number(4).array(m.items.size());
                   for (const auto& item : m.items) encode_item(out, item);
                 },
                 [&](const Have& m) { encode_ids(out.array(2).number(5), m.ids); },
                 [&](const Want& m) { encode_ids(out.array(2).number(6), m.ids); },
                 [&](const Need& m) { encode_ids(out.array(2).number(7), m.keys); },
                 [&](const Compare& m) { encode_compare(out, m); },
             },
             message);
  return out.take();
}

std::optional<Message> decode_message(ByteView payload) {
  if (payload.size() > limits::datagram_payload) return std::nullopt;
  Unpacker in(payload);
  const auto fields = in.array(2, 5);
  const auto type = in.number();
  if (in.failed()) return std::nullopt;
  auto message = decode_fields(type, fields - 1, in);
  return in.done() ? message : std::nullopt;
}

Bytes protect(Bytes payload, const MacKey& key) {
  const auto mac = siphash(payload, key);
  payload.resize(payload.size() + message_limits::mac_bytes);
  store_be64(payload.data() + payload.size() - message_limits::mac_bytes, mac);
  return payload;
}

std::optional<ByteView> unprotect(ByteView datagram, const MacKey& key) {
  if (datagram.size() <= message_limits::mac_bytes || datagram.size() > limits::datagram_payload) return std::nullopt;
  const auto payload = datagram.first(datagram.size() - message_limits::mac_bytes);
  std::array<std::uint8_t, message_limits::mac_bytes> expected{};
  store_be64(expected.data(), siphash(payload, key));
  if (!equal_in_constant_time(expected, datagram.last(message_limits::mac_bytes))) return std::nullopt;
  return payload;
}

void push_items(const NodeId& to, std::vector<Item> items, Outbox& out) {
  Push push;
  std::size_t size = 0;
  const auto flush = [&] {
    if (!push.items.empty()) out.push_back({to, std::move(push)});
    push = Push{};
    size = 0;
  };
  for (auto& item : items) {
    const auto more = item.packed_size();
    if (more > message_limits::items_bytes) continue;
    if (size + more > message_limits::items_bytes || push.items.size() == message_limits::items) flush();
    size += more;
    push.items.push_back(std::move(item));
  }
  flush();
}

}  // namespace wigwag
