#include <gtest/gtest.h>

#include <algorithm>

#include "tests/base/seeded.hpp"
#include "tests/membership/random_messages.hpp"

namespace wigwag {
namespace {

constexpr std::size_t payload_max = limits::datagram_payload - message_limits::mac_bytes;

MacKey random_mac_key(Rng& rng) {
  MacKey key;
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(rng.next());
  return key;
}

Item item_of_size(ItemKind kind, std::size_t packed) {
  Item item{kind, Bytes(1, 1), {}, {}, {}};
  item.statement.resize(packed - item.packed_size() + 1, 7);
  return item;
}

TEST(Message, IsReadAsItWasWritten) {
  for_seeds(400, [](Rng& rng) {
    const Message message = random_message(rng);
    const Bytes wire = encode_message(message);
    ASSERT_LE(wire.size(), payload_max) << "kind " << message.index();
    const auto read = decode_message(wire);
    ASSERT_TRUE(read) << "kind " << message.index();
    EXPECT_EQ(read->index(), message.index());
    EXPECT_EQ(to_hex(encode_message(*read)), to_hex(wire));
  });
}

TEST(Message, KeepsWhatItSays) {
  const auto ack = decode_message(encode_message(Ack{7, 6250}));
  ASSERT_TRUE(ack);
  EXPECT_EQ(std::get<Ack>(*ack).sequence, 7U);
  EXPECT_EQ(std::get<Ack>(*ack).again_ms, 6250);
  const Range listed{.first = 5, .last = 9, .listed = true, .entries = {{6, 1, 2, 3}, {7, 4, 5, 6}}};
  const auto compare = decode_message(encode_message(Compare{UnixTime{99}, Endpoint::parse("198.51.100.7:9"), true, {listed}}));
  ASSERT_TRUE(compare);
  const auto& read = std::get<Compare>(*compare);
  EXPECT_EQ(read.wall, UnixTime{99});
  EXPECT_EQ(read.you, Endpoint::parse("198.51.100.7:9"));
  EXPECT_TRUE(read.confirm);
  ASSERT_EQ(read.ranges.size(), 1U);
  EXPECT_EQ(read.ranges[0].entries, listed.entries);
}

TEST(Message, CutAnywhereIsRefused) {
  for_seeds(40, [](Rng& rng) {
    const Bytes wire = encode_message(random_message(rng));
    for (std::size_t size = 0; size < wire.size(); ++size) {
      ASSERT_FALSE(decode_message(ByteView(wire).first(size))) << "cut to " << size << " of " << wire.size();
    }
  });
}

TEST(Message, WithSomethingAfterItIsRefused) {
  for_seeds(40, [](Rng& rng) {
    Bytes wire = encode_message(random_message(rng));
    wire.push_back(0);
    EXPECT_FALSE(decode_message(wire));
  });
}

TEST(Message, OfRandomBytesNeitherCrashesNorChangesWhenReadTwice) {
  for_seeds(2000, [](Rng& rng) {
    Bytes wire = encode_message(random_message(rng));
    for (auto flips = rng.below(4); flips > 0 && !wire.empty(); --flips) wire[rng.below(wire.size())] = static_cast<std::uint8_t>(rng.next());
    const auto read = decode_message(wire);
    if (!read) return;
    const Bytes again = encode_message(*read);
    const auto reread = decode_message(again);
    ASSERT_TRUE(reread);
    EXPECT_EQ(to_hex(encode_message(*reread)), to_hex(again));
  });
}

TEST(Message, OfTheGreatestSizeFitsOneDatagram) {
  constexpr auto top = UINT64_MAX;
  const std::vector<std::uint64_t> ids(message_limits::ids, top);
  for (const Message& message : {Message(Have{ids}), Message(Want{ids}), Message(Need{ids})}) {
    const Bytes wire = encode_message(message);
    EXPECT_LE(wire.size(), payload_max);
    EXPECT_TRUE(decode_message(wire));
  }
  const Endpoint far{*Address::parse("2001:db8::1"), 65535};
  Compare listed{UnixTime{std::int64_t{1} << 40}, far, true, {}};
  Range list{.first = top - 1, .last = top, .listed = true};
  list.entries.assign(message_limits::entries, {top, UINT32_MAX, UINT32_MAX, top});
  listed.ranges = {list};
  Compare split{UnixTime{std::int64_t{1} << 40}, far, true, {}};
  split.ranges.assign(message_limits::ranges, {.first = top - 1, .last = top, .fingerprint = top, .count = UINT32_MAX});
  for (const auto& compare : {listed, split}) {
    const Bytes wire = encode_message(compare);
    EXPECT_LE(wire.size(), payload_max);
    EXPECT_TRUE(decode_message(wire));
  }
}

TEST(Message, WithAWrongMacIsRefused) {
  for_seeds(40, [](Rng& rng) {
    const MacKey key = random_mac_key(rng);
    const Bytes payload = encode_message(random_message(rng));
    const Bytes datagram = protect(payload, key);
    const auto opened = unprotect(datagram, key);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(std::equal(opened->begin(), opened->end(), payload.begin(), payload.end()));
    EXPECT_FALSE(unprotect(datagram, random_mac_key(rng)));
    for (int tries = 0; tries < 50; ++tries) {
      Bytes altered = datagram;
      altered[rng.below(altered.size())] ^= static_cast<std::uint8_t>(1 + rng.below(255));
      ASSERT_FALSE(unprotect(altered, key));
    }
  });
}

TEST(Message, TooShortOrTooLongForADatagramIsRefused) {
  const MacKey key{};
  EXPECT_FALSE(unprotect(protect({}, key), key)) << "a MAC around nothing";
  EXPECT_FALSE(unprotect(Bytes{}, key));
  EXPECT_TRUE(unprotect(protect(Bytes(payload_max, 1), key), key));
  EXPECT_FALSE(unprotect(protect(Bytes(payload_max + 1, 1), key), key));
}

TEST(Push, PartsItemsOverAsManyDatagramsAsTheyNeed) {
  for_seeds(100, [](Rng& rng) {
    std::vector<Item> items;
    for (auto i = rng.below(60); i > 0; --i) items.push_back(random_item(rng));
    Outbox out;
    push_items(NodeId{}, items, out);
    std::vector<Bytes> arrived;
    for (const auto& mail : out) {
      const Bytes wire = encode_message(mail.message);
      ASSERT_LE(wire.size(), payload_max);
      const auto read = decode_message(wire);
      ASSERT_TRUE(read);
      for (const auto& item : std::get<Push>(*read).items) arrived.push_back(item.statement);
    }
    std::vector<Bytes> sent;
    for (const auto& item : items) sent.push_back(item.statement);
    EXPECT_EQ(arrived, sent) << "all of them, in order";
  });
}

TEST(Push, LeavesOutOnlyWhatFitsNoDatagram) {
  // A member's parts at their own limits are more than a datagram holds.
  const Item huge{ItemKind::member, Bytes(limits::record_bytes, 1), Bytes(limits::certificate_bytes, 2), Bytes(limits::grant_bytes, 3),
                  Bytes(limits::redemption_bytes, 4)};
  ASSERT_GT(huge.packed_size(), message_limits::items_bytes);
  const Item small = item_of_size(ItemKind::record, 100);
  Outbox out;
  push_items(NodeId{}, {small, huge, small}, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::get<Push>(out[0].message).items.size(), 2U);
}

TEST(Push, OfTheGreatestItemFits) {
  Item item{ItemKind::member, Bytes(limits::record_bytes, 1), {}, {}, {}};
  item.certificate = Bytes(limits::certificate_bytes, 2);
  item.grant.resize(message_limits::items_bytes - item.packed_size(), 3);
  Outbox out;
  push_items(NodeId{}, {item}, out);
  ASSERT_EQ(out.size(), 1U);
  const Bytes wire = encode_message(out[0].message);
  EXPECT_LE(wire.size(), payload_max);
  EXPECT_TRUE(decode_message(wire));
}

}  // namespace
}  // namespace wigwag
