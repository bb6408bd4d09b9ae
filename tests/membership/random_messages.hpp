#pragma once

#include <string>

#include "gossip/base/limits.hpp"
#include "gossip/membership/message.hpp"
#include "tests/trust/random_statements.hpp"

// Messages as a generator draws them, each within the bounds that its makers keep.
namespace wigwag {

inline Item random_item(Rng& rng) {
  const auto bytes = [&](std::size_t least, std::size_t most) { return random_bytes(rng, least + rng.below(most - least + 1)); };
  Item item;
  item.kind = static_cast<ItemKind>(rng.below(4));
  item.statement = bytes(1, 400);
  if (item.kind == ItemKind::member) {
    item.certificate = bytes(1, 250);
    item.grant = bytes(0, 200);
    item.redemption = bytes(0, limits::redemption_bytes);
  }
  return item;
}

inline std::vector<std::uint64_t> random_ids(Rng& rng) {
  std::vector<std::uint64_t> ids(rng.below(message_limits::ids + 1));
  for (auto& id : ids) id = rng.next() >> rng.below(64);
  return ids;
}

inline Range random_range(Rng& rng, std::size_t& room) {
  Range range{.first = rng.next(), .last = rng.next()};
  if (range.last < range.first) std::swap(range.first, range.last);
  range.listed = rng.chance(500);
  room -= message_limits::range_bytes;
  if (!range.listed) {
    range.fingerprint = rng.next();
    range.count = random_number(rng);
    return range;
  }
  const auto most = std::min(message_limits::entries, room / message_limits::entry_bytes);
  range.entries.resize(rng.below(most + 1));
  for (auto& entry : range.entries) entry = {rng.next(), random_number(rng), random_number(rng), rng.next()};
  room -= range.entries.size() * message_limits::entry_bytes;
  return range;
}

inline Compare random_compare(Rng& rng) {
  Compare compare{.wall = random_time(rng), .you = std::nullopt, .confirm = rng.chance(500), .ranges = {}};
  if (rng.chance(500)) {
    compare.you = Endpoint{*Address::from_bytes(random_bytes(rng, rng.chance(500) ? 4 : 16)), static_cast<std::uint16_t>(1 + rng.below(65535))};
  }
  std::size_t room = message_limits::compare_bytes;
  for (auto i = rng.below(message_limits::ranges + 1); i > 0 && room >= message_limits::range_bytes; --i) {
    compare.ranges.push_back(random_range(rng, room));
  }
  return compare;
}

inline Push random_push(Rng& rng) {
  Push push;
  std::size_t size = 0;
  for (auto i = rng.below(message_limits::items + 1); i > 0; --i) {
    Item item = random_item(rng);
    size += item.packed_size();
    if (size > message_limits::items_bytes) break;
    push.items.push_back(std::move(item));
  }
  return push;
}

inline Message random_message(Rng& rng) {
  switch (rng.below(9)) {
    case 0: return Ping{random_number(rng)};
    case 1: return Ack{random_number(rng), static_cast<std::uint16_t>(rng.below(65536))};
    case 2: return PingRequest{random_number(rng), random_key<NodeId>(rng)};
    case 3: return IndirectAck{random_number(rng)};
    case 4: return random_push(rng);
    case 5: return Have{random_ids(rng)};
    case 6: return Want{random_ids(rng)};
    case 7: return Need{random_ids(rng)};
    default: return random_compare(rng);
  }
}

}  // namespace wigwag
