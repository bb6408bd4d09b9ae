#include "gossip/base/bytes.hpp"

#include <gtest/gtest.h>

#include "tests/base/seeded.hpp"

namespace wigwag {
namespace {

std::string base64_of(std::string_view text) { return to_base64(view_of(text)); }
std::string base64url_of(std::string_view text) { return to_base64url(view_of(text)); }

TEST(Bytes, PrintsHexInLowerCaseAndReadsBoth) {
  const Bytes bytes = {0x00, 0x0f, 0xa5, 0xff};
  EXPECT_EQ(to_hex(bytes), "000fa5ff");
  EXPECT_EQ(from_hex("000fa5ff"), bytes);
  EXPECT_EQ(from_hex("000FA5Ff"), bytes);
  EXPECT_EQ(from_hex(""), Bytes{});
}

TEST(Bytes, RefusesHexThatIsNone) {
  for (const char* text : {"0", "0g", "g0", " 00", "0x00", "00 "}) EXPECT_EQ(from_hex(text), std::nullopt) << text;
}

TEST(Bytes, EncodesTheBase64VectorsOfTheRfc) {
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(base64_of("f"), "Zg==");
  EXPECT_EQ(base64_of("fo"), "Zm8=");
  EXPECT_EQ(base64_of("foo"), "Zm9v");
  EXPECT_EQ(base64_of("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_of("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_of("foobar"), "Zm9vYmFy");
}

TEST(Bytes, WritesUrlsWithoutPaddingOrCharactersThatShellsKnow) {
  EXPECT_EQ(base64url_of("f"), "Zg");
  EXPECT_EQ(to_base64(Bytes{0xfb, 0xff, 0xfe}), "+//+");
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff, 0xfe}), "-__-");
}

TEST(Bytes, RefusesBase64ThatHasASecondForm) {
  EXPECT_EQ(from_base64("Zh=="), std::nullopt) << "bits behind the last byte";
  EXPECT_EQ(from_base64("Zg"), std::nullopt) << "padding missing";
  EXPECT_EQ(from_base64("Z==="), std::nullopt);
  EXPECT_EQ(from_base64("===="), std::nullopt);
  EXPECT_EQ(from_base64("Zg==Zg=="), std::nullopt);
  EXPECT_EQ(from_base64("Zm9v\n"), std::nullopt);
  EXPECT_EQ(from_base64url("Zg=="), std::nullopt) << "padding where there is none";
  EXPECT_EQ(from_base64url("Z"), std::nullopt);
  EXPECT_EQ(from_base64("-__-"), std::nullopt) << "the other alphabet";
  EXPECT_EQ(from_base64url("+//+"), std::nullopt) << "the other alphabet";
}

TEST(Bytes, ReadBackWhatTheyWrote) {
  for_seeds(200, [](Rng& rng) {
    const Bytes bytes = random_bytes(rng, rng.below(100));
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  });
}

TEST(Bytes, StoreNumbersMostSignificantByteFirst) {
  std::array<std::uint8_t, 8> raw{};
  store_be64(raw.data(), 0x0102030405060708ULL);
  EXPECT_EQ(raw, (std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(load_be64(raw.data()), 0x0102030405060708ULL);
}

}  // namespace
}  // namespace wigwag
