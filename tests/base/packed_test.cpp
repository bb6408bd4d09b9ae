#include "gossip/base/packed.hpp"

#include <gtest/gtest.h>

#include "gossip/base/limits.hpp"
#include "tests/base/seeded.hpp"

namespace wigwag {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

TEST(Packer, WritesTheShortestForm) {
  EXPECT_EQ(to_hex(Packer().number(127).bytes()), "7f");
  EXPECT_EQ(to_hex(Packer().number(128).bytes()), "cc80");
  EXPECT_EQ(to_hex(Packer().number(65535).bytes()), "cdffff");
  EXPECT_EQ(to_hex(Packer().number(UINT64_MAX).bytes()), "cfffffffffffffffff");
  EXPECT_EQ(to_hex(Packer().array(2).boolean(true).nil().bytes()), "92c3c0");
  EXPECT_EQ(to_hex(Packer().text("ab").bytes()), "a26162");
  EXPECT_EQ(to_hex(Packer().binary(Bytes{1, 2}).bytes()), "c4020102");
  EXPECT_EQ(to_hex(Packer().endpoint(*Endpoint::parse("10.0.0.1:80")).bytes()), "92c4040a00000150");
}

TEST(Unpacker, ReadsWhatWasWritten) {
  const NodeId key{{1, 2, 3}};
  const Signature signature{{9, 8, 7}};
  Packer out;
  out.array(10).number(UINT64_MAX).boolean(true).text("name").binary(Bytes{5}).nil().key(key).signature(signature);
  out.address(*Address::parse("fd00::1")).prefix(*Prefix::parse("10.20.0.0/24")).endpoint(*Endpoint::parse("[::1]:9"));
  Unpacker in(out.bytes());
  EXPECT_EQ(in.array(1, 10), 10U);
  EXPECT_EQ(in.number(), UINT64_MAX);
  EXPECT_TRUE(in.boolean());
  EXPECT_EQ(in.text(4), "name");
  EXPECT_EQ(in.binary(1, 1).size(), 1U);
  EXPECT_TRUE(in.nil());
  EXPECT_EQ(in.key<NodeId>(), key);
  EXPECT_EQ(in.signature(), signature);
  EXPECT_EQ(to_string(in.address()), "fd00::1");
  EXPECT_EQ(to_string(in.prefix()), "10.20.0.0/24");
  EXPECT_EQ(to_string(in.endpoint()), "[::1]:9");
  EXPECT_TRUE(in.done());
}

TEST(Unpacker, StaysFailedAfterTheFirstSurprise) {
  Packer out;
  out.array(2).text("not a number").number(7);
  Unpacker in(out.bytes());
  in.array(2, 2);
  EXPECT_EQ(in.number(), 0U);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.text(100), "");
  EXPECT_EQ(in.number(), 0U);
  EXPECT_FALSE(in.done());
}

TEST(Unpacker, IsNotDoneWhileSomethingIsLeft) {
  const Bytes packed = Packer().array(2).number(1).number(2).take();
  Unpacker in(packed);
  in.array(2, 2);
  in.number();
  EXPECT_FALSE(in.done());
  in.number();
  EXPECT_TRUE(in.done());
}

TEST(Unpacker, EnforcesTheLimitsOfEachGetter) {
  const auto fails = [](const Bytes& packed, auto read) {
    Unpacker in(packed);
    read(in);
    return in.failed();
  };
  EXPECT_TRUE(fails(Packer().number(8).take(), [](auto& in) { in.number(7); }));
  EXPECT_FALSE(fails(Packer().number(7).take(), [](auto& in) { in.number(7); }));
  EXPECT_TRUE(fails(Packer().text("abc").take(), [](auto& in) { in.text(2); }));
  EXPECT_TRUE(fails(Packer().binary(Bytes(3)).take(), [](auto& in) { in.binary(4, 9); }));
  EXPECT_TRUE(fails(Packer().binary(Bytes(3)).take(), [](auto& in) { in.binary(0, 2); }));
  EXPECT_TRUE(fails(Packer().array(1).nil().take(), [](auto& in) { in.array(2, 3); }));
  EXPECT_TRUE(fails(Packer().array(2).nil().nil().take(), [](auto& in) { in.array(0, 1); }));
  EXPECT_TRUE(fails(Packer().binary(Bytes(31)).take(), [](auto& in) { in.template key<NodeId>(); }));
  EXPECT_TRUE(fails(Packer().binary(Bytes(63)).take(), [](auto& in) { in.signature(); }));
  EXPECT_TRUE(fails(Packer().binary(Bytes(5)).take(), [](auto& in) { in.address(); }));
}

TEST(Unpacker, RefusesAddressesWithASecondForm) {
  const auto mapped =
      hex("c410"
          "00000000000000000000ffff0a000001");
  Unpacker in(mapped);
  in.address();
  EXPECT_TRUE(in.failed()) << "an IPv4 address in IPv6 clothes";

  const auto host_bits = Packer().array(2).address(*Address::parse("10.0.0.1")).number(24).take();
  Unpacker prefix(host_bits);
  prefix.prefix();
  EXPECT_TRUE(prefix.failed());

  const auto too_long = Packer().array(2).address(*Address::parse("10.0.0.1")).number(33).take();
  Unpacker longer(too_long);
  longer.prefix();
  EXPECT_TRUE(longer.failed());

  const auto port_zero = Packer().array(2).address(*Address::parse("10.0.0.1")).number(0).take();
  Unpacker endpoint(port_zero);
  endpoint.endpoint();
  EXPECT_TRUE(endpoint.failed());
}

TEST(Unpacker, KnowsNoMapsFloatsExtensionsOrNegativeNumbers) {
  for (const char* text : {"80", "8101c0", "ca00000000", "cb0000000000000000", "ff", "d0ff", "d40101", "c7010101", "c1"}) {
    EXPECT_TRUE(Unpacker(hex(text)).failed()) << text;
  }
}

TEST(Unpacker, RefusesEmptyCutAndOverlongInput) {
  EXPECT_TRUE(Unpacker(ByteView{}).failed());
  EXPECT_TRUE(Unpacker(hex("92c0")).failed()) << "an element is missing";
  EXPECT_TRUE(Unpacker(hex("c4ff00")).failed()) << "a binary ends early";
  EXPECT_TRUE(Unpacker(hex("c0c0")).failed()) << "something follows";
  EXPECT_TRUE(Unpacker(hex("ddffffffff")).failed()) << "four billion elements";
  EXPECT_TRUE(Unpacker(hex("c6ffffffff")).failed()) << "four billion bytes";
}

TEST(Unpacker, LimitsNestingAndTheNumberOfValues) {
  Bytes nested(limits::pack_depth, 0x91);
  nested.push_back(0xc0);
  EXPECT_FALSE(Unpacker(nested).failed());
  nested.insert(nested.begin(), 0x91);
  EXPECT_TRUE(Unpacker(nested).failed());

  const auto three = Packer().array(2).nil().nil().take();
  EXPECT_FALSE(Unpacker(three, 3).failed());
  EXPECT_TRUE(Unpacker(three, 2).failed());
}

// Reads values of whatever kind is asked for, in an order the generator picks.
void read_anything(Unpacker& in, Rng& rng) {
  for (int i = 0; i < 40 && !in.failed(); ++i) {
    switch (rng.below(8)) {
      case 0: in.array(0, 100); break;
      case 1: in.number(); break;
      case 2: in.boolean(); break;
      case 3: in.text(1000); break;
      case 4: in.binary(0, 1000); break;
      case 5: in.nil(); break;
      case 6: in.prefix(); break;
      default: in.endpoint(); break;
    }
  }
}

TEST(Unpacker, SurvivesAnyBytes) {
  for_seeds(20, [](Rng& rng) {
    for (int i = 0; i < 500; ++i) {
      Bytes input = random_bytes(rng, rng.below(64));
      if (!input.empty() && rng.chance(500)) input[0] = static_cast<std::uint8_t>(0x90 | rng.below(16));
      Unpacker in(input);
      read_anything(in, rng);
      EXPECT_FALSE(in.failed() && in.done());
    }
  });
}

TEST(Unpacker, ReadsEveryValueItWouldWriteAgainTheSame) {
  for_seeds(300, [](Rng& rng) {
    const Bytes blob = random_bytes(rng, rng.below(300));
    const std::uint64_t number = rng.next() >> rng.below(64);
    const Address address = *Address::from_bytes(random_bytes(rng, rng.chance(500) ? 4 : 16));
    const Prefix prefix =
        Prefix::covering(address, static_cast<std::uint8_t>(rng.below(static_cast<std::uint64_t>(address.bits()) + 1)));
    const Endpoint endpoint{address, static_cast<std::uint16_t>(1 + rng.below(65535))};
    const Bytes packed = Packer().array(4).number(number).binary(blob).prefix(prefix).endpoint(endpoint).take();
    Unpacker in(packed);
    EXPECT_EQ(in.array(4, 4), 4U);
    EXPECT_EQ(in.number(), number);
    const auto read = in.binary(0, 300);
    EXPECT_EQ(Bytes(read.begin(), read.end()), blob);
    EXPECT_EQ(in.prefix(), prefix);
    EXPECT_EQ(in.endpoint(), endpoint);
    EXPECT_TRUE(in.done());
    for (std::size_t cut = 0; cut < packed.size(); ++cut) EXPECT_TRUE(Unpacker(ByteView(packed).first(cut)).failed());
  });
}

}  // namespace
}  // namespace wigwag
