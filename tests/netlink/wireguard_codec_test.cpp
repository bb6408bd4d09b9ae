#include "netlink/wireguard_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/genetlink.h>

#include "gossip/base/bytes.hpp"
#include "netlink/limits.hpp"
#include "netlink/wireguard_uapi.hpp"
#include "tests/netlink/values.hpp"

namespace wigwag {
namespace {

using test::key;

constexpr std::uint16_t family = 0x1f;

Prefix host(std::uint32_t n) { return Prefix::host(Address::ipv4(0x0a000000u + n)); }

// A message as the kernel would send it: sealed, and without the netlink header.
Bytes body_of(Message& message) {
  const auto sealed = message.seal(1);
  return {sealed.begin() + sizeof(nlmsghdr), sealed.end()};
}
std::vector<Attribute> attributes_in(ByteView bytes) {
  std::vector<Attribute> found;
  AttributeReader reader(bytes);
  while (const auto one = reader.next()) found.push_back(*one);
  EXPECT_FALSE(reader.malformed());
  return found;
}
std::optional<Attribute> find(ByteView bytes, std::uint16_t type) {
  for (const Attribute& one : attributes_in(bytes))
    if (one.type == type) return one;
  return std::nullopt;
}
// The peers of one message, as attribute ranges.
std::vector<ByteView> peers_in(ByteView body) {
  std::vector<ByteView> peers;
  const auto list = find(body.subspan(sizeof(genlmsghdr)), wg::device_peers);
  if (!list) return peers;
  for (const Attribute& one : attributes_in(list->payload)) peers.push_back(one.payload);
  return peers;
}

TEST(WireguardCodec, WritesAPeerByteForByte) {
  SetPeer change;
  change.key = key(0xaa);
  change.endpoint = Endpoint::parse("192.0.2.1:51820");
  change.add = {*Prefix::parse("10.0.0.1/32")};
  change.remove = {*Prefix::parse("fd00::/64")};
  change.keepalive = std::chrono::seconds{25};
  auto messages = encode_set_peers(family, "wg0", {change});
  ASSERT_EQ(messages.size(), 1u);
  // Little-endian hosts only: netlink speaks host byte order.
  EXPECT_EQ(to_hex(messages[0].seal(7)),
            "bc000000"
            "1f00"
            "0500"
            "07000000"
            "00000000"  // length, family, REQUEST|ACK, sequence, port
            "01010000"  // SET_DEVICE, version 1
            "0800"
            "0200"
            "77673000"  // interface name
            "a000"
            "0880"  // peers
            "9c00"
            "0080"  // peer 0
            "2400"
            "0100"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "0800"
            "0300"
            "04000000"  // UPDATE_ONLY
            "1400"
            "0400"
            "0200ca6cc00002010000000000000000"  // endpoint
            "0600"
            "0500"
            "19000000"  // keepalive
            "5000"
            "0980"  // allowed IPs
            "1c00"
            "0080"
            "0600"
            "0100"
            "02000000"
            "0800"
            "0200"
            "0a000001"
            "0500"
            "0300"
            "20000000"
            "3000"
            "0080"
            "0600"
            "0100"
            "0a000000"
            "1400"
            "0200"
            "fd000000000000000000000000000000"
            "0500"
            "0300"
            "40000000"
            "0800"
            "0400"
            "01000000");
}

TEST(WireguardCodec, SplitsLongListsAndKeepsTheFlagsInTheFirstPart) {
  SetPeer change;
  change.key = key(1);
  change.create = change.replace = true;
  for (std::uint32_t n = 0; n < 3000; ++n) change.add.push_back(host(n));
  auto messages = encode_set_peers(family, "wigwag0", {RemovePeer{key(9)}, change});
  ASSERT_GT(messages.size(), 2u);
  std::size_t allowed = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_LE(messages[i].size(), netlink_limits::message_bytes);
    const Bytes body = body_of(messages[i]);
    EXPECT_EQ(find(ByteView(body).subspan(sizeof(genlmsghdr)), wg::device_ifname)->text(), "wigwag0");
    const auto peers = peers_in(body);
    ASSERT_FALSE(peers.empty());
    const auto flags = find(peers.back(), wg::peer_flags)->value<std::uint32_t>();
    EXPECT_EQ(flags, i == 0 ? wg::peer_f_replace_allowed_ips : wg::peer_f_update_only);
    EXPECT_EQ(TunnelKey::from(find(peers.back(), wg::peer_public_key)->payload), key(1));
    allowed += attributes_in(find(peers.back(), wg::peer_allowed_ips)->payload).size();
  }
  EXPECT_EQ(allowed, 3000u);
}

TEST(WireguardCodec, ReadsBackWhatItWrote) {
  // What is set and what is dumped have the same shape, but for the flags.
  std::vector<PeerChange> changes;
  for (std::uint8_t n = 0; n < 200; ++n) {
    SetPeer one;
    one.key = key(n);
    one.create = true;
    one.keepalive = std::chrono::seconds{n};
    one.endpoint = Endpoint{n % 2 ? Address::ipv4(n) : *Address::parse("2001:db8::1"), static_cast<std::uint16_t>(n + 1)};
    for (std::uint32_t i = 0; i < 20; ++i) one.add.push_back(host(n * 100u + i));
    changes.emplace_back(one);
  }
  auto messages = encode_set_peers(family, "wigwag0", changes);
  ASSERT_GT(messages.size(), 1u);
  WireguardDumpReader reader(family);
  for (Message& message : messages) ASSERT_TRUE(reader.read(family, body_of(message)));
  const auto state = reader.take();
  ASSERT_EQ(state.peers.size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    const auto& wanted = std::get<SetPeer>(changes[i]);
    EXPECT_EQ(state.peers[i].key, wanted.key);
    EXPECT_EQ(state.peers[i].endpoint, wanted.endpoint);
    EXPECT_EQ(state.peers[i].keepalive, wanted.keepalive);
    EXPECT_EQ(state.peers[i].allowed_ips, wanted.add);
  }
}

TEST(WireguardCodec, StartsAfreshAfterAnInterruption) {
  SetPeer one;
  one.key = key(1);
  auto message = encode_set_peers(family, "wg0", {one});
  WireguardDumpReader reader(family);
  ASSERT_TRUE(reader.read(family, body_of(message[0])));
  reader.restart();
  EXPECT_TRUE(reader.take().peers.empty());
}

TEST(WireguardCodec, RefusesEveryCutAndSurvivesEveryFlip) {
  SetPeer one;
  one.key = key(1);
  one.endpoint = Endpoint::parse("[2001:db8::1]:1");
  one.add = {host(1), *Prefix::parse("fd00::/64")};
  auto message = encode_set_peers(family, "wg0", {one});
  const Bytes whole = body_of(message[0]);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(),
                    whole.begin() + static_cast<std::ptrdiff_t>(size));  // its own allocation: sanitizers see an overrun
    WireguardDumpReader reader(family);
    const bool taken = reader.read(family, cut);
    EXPECT_TRUE(!taken || reader.take().peers.empty()) << size;
  }
  for (std::size_t at = 0; at < whole.size() * 8; ++at) {
    Bytes flipped = whole;
    flipped[at / 8] = static_cast<std::uint8_t>(flipped[at / 8] ^ (1u << (at % 8)));
    WireguardDumpReader reader(family);
    (void)reader.read(family, flipped);
    EXPECT_LE(reader.take().peers.size(), 1u);
  }
}

TEST(WireguardCodec, LeavesOutAMappedPrefixThatOnlyOthersWrite) {
  Message message(family);
  message.fixed(genlmsghdr{0, 1, 0});
  const auto peers = message.begin(wg::device_peers), peer = message.begin(0);
  message.put(wg::peer_public_key, key(1).view());
  const auto list = message.begin(wg::peer_allowed_ips), entry = message.begin(0);
  message.put_u16(wg::allowed_ip_family, 10);
  message.put(wg::allowed_ip_address, *from_hex("00000000000000000000ffff0a000000"));
  message.put_u8(wg::allowed_ip_length, 104);
  for (const auto nest : {entry, list, peer, peers}) message.end(nest);
  WireguardDumpReader reader(family);
  ASSERT_TRUE(reader.read(family, body_of(message)));
  EXPECT_TRUE(reader.take().peers.at(0).allowed_ips.empty());
}

}  // namespace
}  // namespace wigwag
