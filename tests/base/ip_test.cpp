#include "gossip/base/ip.hpp"

#include <gtest/gtest.h>

#include "tests/base/seeded.hpp"

namespace wigwag {
namespace {

Address address(std::string_view text) { return Address::parse(text).value(); }
Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

TEST(Address, ReadsAndPrintsBothFamilies) {
  for (const char* text : {"0.0.0.0", "10.99.0.1", "255.255.255.255", "::", "::1", "fd00:1:2::3", "2001:db8::7"}) {
    EXPECT_EQ(to_string(address(text)), text);
  }
}

TEST(Address, HasOneValueForAMappedAddress) {
  EXPECT_EQ(address("::ffff:10.0.0.1"), address("10.0.0.1"));
  EXPECT_EQ(Address::from_bytes(Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}), address("10.0.0.1"));
}

TEST(Address, RefusesWhatIsNoNumericAddress) {
  for (const char* text : {"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1 ", "fe80::1%eth0", "1::2::3", "[::1]"}) {
    EXPECT_EQ(Address::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(Address::parse(std::string_view("10.0.0.1\0.5", 11)), std::nullopt);
  for (const std::size_t size : {0U, 3U, 5U, 15U, 17U}) EXPECT_EQ(Address::from_bytes(Bytes(size)), std::nullopt) << size;
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(address("0.0.0.0").is_unspecified());
  EXPECT_TRUE(address("::").is_unspecified());
  EXPECT_TRUE(address("127.9.9.9").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_FALSE(address("::2").is_loopback());
  EXPECT_TRUE(address("224.0.0.1").is_multicast());
  EXPECT_TRUE(address("255.255.255.255").is_multicast());
  EXPECT_TRUE(address("ff02::1").is_multicast());
  EXPECT_FALSE(address("223.255.255.255").is_multicast());
  EXPECT_TRUE(address("169.254.1.1").is_link_local());
  EXPECT_TRUE(address("febf::1").is_link_local());
  EXPECT_FALSE(address("fec0::1").is_link_local());
  for (const char* text :
       {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.0.1", "fd00::1", "fc00::1"}) {
    EXPECT_TRUE(address(text).is_private()) << text;
  }
  for (const char* text :
       {"11.0.0.1", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "100.63.0.1", "2001:db8::1", "fe00::1"}) {
    EXPECT_FALSE(address(text).is_private()) << text;
  }
}

TEST(Address, TurnsIntoANumberAndBack) {
  EXPECT_EQ(Address::ipv4(0x0a630001), address("10.99.0.1"));
  EXPECT_EQ(address("10.99.0.1").ipv4_number(), 0x0a630001U);
}

TEST(Prefix, ReadsAndPrints) {
  for (const char* text : {"0.0.0.0/0", "10.20.0.0/24", "10.20.0.1/32", "::/0", "fd00::/8", "fd00::1/128"}) {
    EXPECT_EQ(to_string(prefix(text)), text);
  }
  EXPECT_EQ(prefix("10.20.0.1"), prefix("10.20.0.1/32"));
}

TEST(Prefix, RefusesHostBitsAndLengthsThatAreNone) {
  for (const char* text :
       {"10.20.0.1/24", "fd00::1/64", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8", "10.0.0.0/256"}) {
    EXPECT_EQ(Prefix::parse(text), std::nullopt) << text;
  }
}

TEST(Prefix, ClearsHostBitsWhenCovering) {
  EXPECT_EQ(Prefix::covering(address("10.20.30.40"), 20), prefix("10.20.16.0/20"));
  EXPECT_EQ(Prefix::covering(address("fd00:ffff::1"), 17), prefix("fd00:8000::/17"));
  EXPECT_EQ(Prefix::covering(address("10.20.30.40"), 0), prefix("0.0.0.0/0"));
}

TEST(Prefix, ContainsItselfAndLongerOnesOfItsFamily) {
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(address("10.255.0.1")));
  EXPECT_FALSE(prefix("10.0.0.0/8").contains(address("11.0.0.1")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
  EXPECT_TRUE(prefix("10.0.0.0/9").contains(prefix("10.0.0.0/9")));
  EXPECT_TRUE(prefix("10.0.0.0/9").contains(prefix("10.127.0.0/16")));
  EXPECT_FALSE(prefix("10.0.0.0/9").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.0.0.0/9").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.0.0.0/9").overlaps(prefix("10.128.0.0/9")));
}

TEST(Prefix, ContainsExactlyTheAddressesThatShareItsBits) {
  for_seeds(300, [](Rng& rng) {
    const std::size_t size = rng.chance(500) ? 4 : 16;
    const Address base = *Address::from_bytes(random_bytes(rng, size));
    Address other = base;
    const auto bit = rng.below(static_cast<std::uint64_t>(base.bits()));
    other.bytes[bit / 8] = static_cast<std::uint8_t>(other.bytes[bit / 8] ^ (0x80U >> (bit % 8)));
    const auto length = static_cast<std::uint8_t>(rng.below(static_cast<std::uint64_t>(base.bits()) + 1));
    const Prefix range = Prefix::covering(base, length);
    EXPECT_TRUE(range.contains(base));
    EXPECT_EQ(range.contains(other), bit >= length) << to_string(range) << " " << to_string(other);
    EXPECT_EQ(Prefix::parse(to_string(range)), range);
  });
}

TEST(Endpoint, ReadsAndPrintsBothFamilies) {
  EXPECT_EQ(to_string(Endpoint::parse("198.51.100.7:51820").value()), "198.51.100.7:51820");
  EXPECT_EQ(to_string(Endpoint::parse("[2001:db8::7]:1").value()), "[2001:db8::7]:1");
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"198.51.100.7", "198.51.100.7:0", "198.51.100.7:65536", "2001:db8::7:1", "[198.51.100.7]:1", "[::1]",
                           ":1", "a:1", "[::1]:+1"}) {
    EXPECT_EQ(Endpoint::parse(text), std::nullopt) << text;
  }
}

TEST(Port, IsADecimalNumberFrom1To65535) {
  EXPECT_EQ(parse_port("1"), 1);
  EXPECT_EQ(parse_port("65535"), 65535);
  for (const char* text : {"", "0", "65536", "-1", "+1", " 1", "1 ", "0x10"}) EXPECT_EQ(parse_port(text), std::nullopt) << text;
}

}  // namespace
}  // namespace wigwag
