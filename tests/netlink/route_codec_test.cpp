#include "netlink/route_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "gossip/base/bytes.hpp"

namespace wigwag {
namespace {

using testing::ElementsAre;

Bytes body_of(Message message) {
  const auto sealed = message.seal(1);
  return {sealed.begin() + sizeof(nlmsghdr), sealed.end()};
}

TEST(RouteCodec, AddsARouteWithItsMarkAndNeverReplaces) {
  const TunnelRoute route{*Prefix::parse("10.99.0.7/32"), RouteKind::through_tunnel, 100};
  auto message = encode_add_route(route, 5);
  EXPECT_EQ(message.flags(), NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  EXPECT_EQ(to_hex(message.seal(1)),
            "34000000"
            "1800"
            "0506"
            "01000000"
            "00000000"  // length, RTM_NEWROUTE, flags, sequence, port
            "02"
            "20"
            "00"
            "00"
            "fe"
            "9b"
            "fd"
            "01"
            "00000000"  // IPv4 /32, main table, protocol 155, scope link, unicast
            "0800"
            "0100"
            "0a630007"
            "0800"
            "0600"
            "64000000"
            "0800"
            "0400"
            "05000000");
}

TEST(RouteCodec, ReadsBackARouteItAdded) {
  for (const RouteKind kind : {RouteKind::through_tunnel, RouteKind::unreachable}) {
    for (const char* text : {"10.99.0.0/16", "fd99::/48", "::/0"}) {
      const TunnelRoute route{*Prefix::parse(text), kind, 4294967295u};
      const auto read = decode_route(body_of(encode_add_route(route, 9)));
      ASSERT_TRUE(read) << text;
      EXPECT_EQ(read->destination, route.destination);
      EXPECT_EQ(read->metric, route.metric);
      EXPECT_EQ(read->protocol, 155);
      EXPECT_EQ(read->type, kind == RouteKind::unreachable ? RouteType::unreachable : RouteType::unicast);
      EXPECT_EQ(read->interface, kind == RouteKind::unreachable ? 0u : 9u);
      EXPECT_EQ(read->table, static_cast<std::uint32_t>(RT_TABLE_MAIN));
    }
  }
}

TEST(RouteCodec, ReadsAnAddressWithItsHostBits) {
  const Prefix address{*Address::parse("192.0.2.5"), 24};
  const auto read = decode_address(body_of(encode_add_address(3, address)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address, address);
  EXPECT_EQ(read->index, 3u);
  EXPECT_TRUE(read->usable);
  EXPECT_FALSE(read->by_kernel);
}

TEST(RouteCodec, ReadsALinkWithItsKind) {
  Message message(RTM_NEWLINK);
  ifinfomsg info{};
  info.ifi_index = 4;
  info.ifi_flags = IFF_UP | IFF_POINTOPOINT;
  message.fixed(info).put_text(IFLA_IFNAME, "wigwag0").put_u32(IFLA_MTU, 1420);
  const auto nest = message.begin(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "wireguard");
  message.end(nest);
  Link expected;
  expected.index = 4;
  expected.name = "wigwag0";
  expected.kind = "wireguard";
  expected.mtu = 1420;
  expected.up = true;
  EXPECT_EQ(decode_link(body_of(std::move(message))), expected);
}

TEST(RouteCodec, RefusesLengthsThatAreNone) {
  auto body = body_of(encode_add_route({*Prefix::parse("10.99.0.0/16"), RouteKind::through_tunnel, 100}, 9));
  body[1] = 33;  // rtm_dst_len
  EXPECT_FALSE(decode_route(body));
  auto address = body_of(encode_add_address(3, *Prefix::parse("10.0.0.1/32")));
  address[1] = 200;  // ifa_prefixlen
  EXPECT_FALSE(decode_address(address));
}

TEST(RouteCodec, SurvivesEveryCut) {
  const auto whole = body_of(encode_add_route({*Prefix::parse("fd99::/48"), RouteKind::through_tunnel, 100}, 9));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    (void)decode_route(cut);
    (void)decode_link(cut);
    (void)decode_address(cut);
  }
  EXPECT_FALSE(decode_route(ByteView(whole).first(whole.size() - 2)));
}

TEST(MessageReader, StopsAtALengthThatLies) {
  Message message(20);
  message.put_u32(1, 7);
  const auto sealed = message.seal(3);
  Bytes datagram(sealed.begin(), sealed.end());
  datagram.insert(datagram.end(), sealed.begin(), sealed.end());
  datagram[sealed.size()] = 0xff;  // the second message claims to be longer than it is
  MessageReader reader(datagram);
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.malformed());
}

TEST(UsableAddresses, LeaveOutWhatIsReachedThroughAnotherTunnel) {
  std::vector<Link> links(3);
  const std::array kinds = {"wireguard", "tun", ""};
  std::vector<InterfaceAddress> addresses;
  for (std::uint32_t at = 0; at < 3; ++at) {
    links[at].index = at + 1;
    links[at].name = "if" + std::to_string(at);
    links[at].kind = kinds[at];
    links[at].up = true;
    addresses.push_back({at + 1, Prefix::host(Address::ipv4(0xc0000201u + at)), true, false});
  }
  EXPECT_THAT(usable_addresses(links, addresses, {"if1"}), ElementsAre(Address::ipv4(0xc0000203u)));
}

TEST(UsableAddresses, LeaveOutOwnLoopbackDownAndLinkLocal) {
  const auto link = [](std::uint32_t index, const char* name, bool up, bool loopback) {
    Link made;
    made.index = index;
    made.name = name;
    made.up = up;
    made.loopback = loopback;
    return made;
  };
  const auto address = [](std::uint32_t index, const char* text, bool usable = true) {
    return InterfaceAddress{index, Prefix::host(*Address::parse(text)), usable, false};
  };
  const std::vector<Link> links{link(1, "lo", true, true), link(2, "eth0", true, false), link(3, "eth1", false, false),
                                link(4, "wigwag0", true, false)};
  const std::vector<InterfaceAddress> addresses{
      address(1, "127.0.0.1"), address(1, "203.0.113.9"), address(2, "192.0.2.1"),          address(2, "192.0.2.1"),
      address(2, "fe80::1"),   address(2, "2001:db8::1"), address(2, "2001:db8::2", false), address(3, "192.0.2.3"),
      address(4, "10.99.0.1"), address(7, "192.0.2.7")};
  EXPECT_THAT(usable_addresses(links, addresses, {"wigwag0", "wigwag0r"}),
              ElementsAre(*Address::parse("192.0.2.1"), *Address::parse("2001:db8::1")));
}

TEST(OwnNetworks, AreThoseOfAllInterfacesButOurs) {
  std::vector<Link> links(4);
  const std::array names = {"eth0", "wg0", "wigwag0", "eth1"};
  std::vector<InterfaceAddress> addresses;
  for (std::uint32_t at = 0; at < 4; ++at) {
    links[at].index = at + 1;
    links[at].name = names[at];
    links[at].kind = at == 1 ? "wireguard" : "";
    links[at].up = at != 3;
    addresses.push_back({at + 1, {Address::ipv4(0x0a140001u + (at << 16)), 24}, true, false});
  }
  addresses.push_back({1, {*Address::parse("fe80::1"), 64}, false, true});
  addresses.push_back({1, {*Address::parse("2001:db8:20::1"), 64}, false, false});
  EXPECT_THAT(own_networks(links, addresses, {"wigwag0", "wigwag0r"}),
              ElementsAre(*Prefix::parse("10.20.0.0/24"), *Prefix::parse("10.21.0.0/24"), *Prefix::parse("2001:db8:20::/64")));
}

}  // namespace
}  // namespace wigwag
