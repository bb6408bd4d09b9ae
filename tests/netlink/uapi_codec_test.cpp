#include "netlink/uapi_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/netlink/values.hpp"

namespace wigwag {
namespace {

using test::key;
using testing::HasSubstr;

std::string hex(const char* two) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += two;
  return text;
}

TEST(UapiCodec, WritesPeers) {
  SetPeer set;
  set.key = key(0xab);
  set.create = true;
  set.endpoint = Endpoint::parse("[2001:db8::1]:7");
  set.replace = true;
  set.add = {*Prefix::parse("10.0.0.1/32"), *Prefix::parse("fd00::/64")};
  set.keepalive = std::chrono::seconds{25};
  EXPECT_EQ(encode_uapi_set_peers({set, RemovePeer{key(1)}}),
            "set=1\npublic_key=" + hex("ab") +
                "\nendpoint=[2001:db8::1]:7\nreplace_allowed_ips=true\nallowed_ip=10.0.0.1/32\nallowed_ip=fd00::/64\n"
                "persistent_keepalive_interval=25\npublic_key=" +
                hex("01") + "\nupdate_only=true\nremove=true\n\n");
}

TEST(UapiCodec, WritesTheDevice) {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(0x40);
  const TunnelSecret secret(raw);
  EXPECT_EQ(encode_uapi_set_device(&secret, 51820), "set=1\nprivate_key=" + hex("40") + "\nlisten_port=51820\n\n");
}

TEST(UapiCodec, ReadsAnAnswer) {
  const auto answer = decode_uapi_answer("private_key=" + hex("40") + "\nlisten_port=51820\nfwmark=3\npublic_key=" + hex("bb") +
                                         "\npreshared_key=" + hex("00") +
                                         "\nprotocol_version=1\nendpoint=[fe80::1%eth0]:7\nlast_handshake_time_sec="
                                         "1700000000\nlast_handshake_time_nsec=5\ntx_bytes=10\nrx_bytes=20\n"
                                         "persistent_keepalive_interval=25\nallowed_ip=10.0.0.2/32\nallowed_ip=10.0.0.1/"
                                         "32\nallowed_ip=::ffff:0.0.0.0/96\npublic_key=" +
                                         hex("aa") + "\nsomething_new=1\nerrno=0\n\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 0);
  EXPECT_TRUE(answer->interface.key);
  EXPECT_EQ(answer->interface.state.listen_port, 51820);
  const auto& peers = answer->interface.state.peers;
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].key, key(0xaa));
  EXPECT_EQ(peers[1].endpoint, Endpoint::parse("[fe80::1]:7"));
  EXPECT_EQ(peers[1].last_handshake_unix_s, 1700000000);
  EXPECT_EQ(peers[1].rx_bytes, 20u);
  EXPECT_EQ(peers[1].tx_bytes, 10u);
  EXPECT_EQ(peers[1].keepalive, std::chrono::seconds{25});
  EXPECT_EQ(peers[1].allowed_ips, (std::vector{*Prefix::parse("10.0.0.1/32"), *Prefix::parse("10.0.0.2/32")}));
}

TEST(UapiCodec, TakesAZeroKeyForNone) {
  const auto answer = decode_uapi_answer("private_key=" + hex("00") + "\nerrno=0\n\n");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->interface.key);
}

TEST(UapiCodec, ReadsErrnoWithEitherSign) {
  EXPECT_EQ(decode_uapi_answer("errno=-98\n\n")->code, EADDRINUSE);
  EXPECT_EQ(decode_uapi_answer("errno=98\n\n")->code, EADDRINUSE);
}

TEST(UapiCodec, RefusesWhatIsNoAnswer) {
  for (const std::string text : {"", "\n\n", "errno=0", "errno=x\n\n", "listen_port=70000\nerrno=0\n\n",
                                 "public_key=00\nerrno=0\n\n", "private_key=zz\nerrno=0\n\n", "nonsense\nerrno=0\n\n"})
    EXPECT_FALSE(decode_uapi_answer(text)) << text;
  EXPECT_FALSE(decode_uapi_answer("public_key=" + hex("aa") + "\nallowed_ip=10.0.0.1/99\nerrno=0\n\n"));
}

TEST(NetError, SaysWhatFailedAndWhatToTry) {
  EXPECT_EQ(to_string(net_error(EADDRINUSE, "set interface wigwag0 up on UDP port 51820")),
            "set interface wigwag0 up on UDP port 51820 failed: Address already in use (another program listens on this UDP "
            "port: choose "
            "another one or stop that program)");
  EXPECT_THAT(to_string(net_error(EPERM, "create WireGuard interface wigwag0")), HasSubstr("CAP_NET_ADMIN"));
}

}  // namespace
}  // namespace wigwag
