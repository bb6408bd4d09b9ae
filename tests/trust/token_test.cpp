#include "gossip/trust/token.hpp"

#include <gtest/gtest.h>

#include "gossip/base/limits.hpp"
#include "tests/base/seeded.hpp"
#include "tests/trust/small_world.hpp"

namespace wigwag {
namespace {

Token token_of(const SmallWorld& world, std::vector<std::string> seeds) {
  return {.network = world.network,
          .seeds = std::move(seeds),
          .grant = world.grant(),
          .secret = world.invitation.duplicate(),
          .bundle = std::nullopt};
}

// A token around any content, its checksum right.
std::string wrapped(Bytes content) {
  const Hash32 hash = blake2b(content);
  content.insert(content.end(), hash.bytes.begin(), hash.bytes.begin() + 4);
  return "wigwag1" + to_base64url(content);
}

Packer content_of(const SmallWorld& world, const std::vector<std::string>& seeds) {
  Packer out;
  out.array(5).key(world.network).array(seeds.size());
  for (const auto& seed : seeds) out.text(seed);
  return out;
}

TEST(Token, CarriesEverythingANewNodeNeeds) {
  const SmallWorld world;
  const std::string text = encode_token(token_of(world, {"203.0.113.5", "seed.example.net:4000"}));
  EXPECT_TRUE(text.starts_with("wigwag1"));
  EXPECT_EQ(text.find_first_of(" \t\n+/="), std::string::npos) << "one word in any shell";
  const auto token = decode_token(text);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->network, world.network);
  EXPECT_EQ(token->seeds, (std::vector<std::string>{"203.0.113.5", "seed.example.net:4000"}));
  EXPECT_EQ(token->grant.wire, world.grant().wire);
  EXPECT_EQ(token->secret.open(), world.invitation.open());
}

TEST(Token, IgnoresWhiteSpaceAround) {
  const SmallWorld world;
  EXPECT_TRUE(decode_token(" \t\n" + encode_token(token_of(world, {})) + "\r\n"));
}

TEST(Token, TellsWhatIsWrong) {
  const SmallWorld world;
  const std::string text = encode_token(token_of(world, {"203.0.113.5"}));
  for (const char* none : {"", "hello", "wigwag", "wigwagx", "wigwag0abc", "Wigwag1abc", "1wigwag"}) {
    EXPECT_EQ(decode_token(none).error(), TokenError::not_a_token) << none;
  }
  EXPECT_EQ(decode_token("wigwag2" + text.substr(7)).error(), TokenError::newer_format);
  EXPECT_EQ(decode_token("wigwag1").error(), TokenError::damaged);
  EXPECT_EQ(decode_token(text.substr(0, 40) + " " + text.substr(40)).error(), TokenError::damaged);
  EXPECT_EQ(decode_token(text + text).error(), TokenError::damaged);
  EXPECT_EQ(decode_token("wigwag1" + std::string(limits::token_chars + 1, 'A')).error(), TokenError::damaged);
  for (const auto error : {TokenError::not_a_token, TokenError::newer_format, TokenError::damaged}) {
    EXPECT_GT(std::string(to_string(error)).size(), 40U);
  }
}

TEST(Token, NoticesEveryMissingAndEveryMistypedCharacter) {
  const SmallWorld world;
  const std::string text = encode_token(token_of(world, {"203.0.113.5"}));
  for (std::size_t i = 7; i < text.size(); ++i) {
    EXPECT_EQ(decode_token(text.substr(0, i)).error(), TokenError::damaged) << i;
    std::string typo = text;
    typo[i] = typo[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(decode_token(typo).error(), TokenError::damaged) << i;
  }
}

TEST(Token, CarriesTheBundleForAFleet) {
  const SmallWorld world;
  Token token = token_of(world, {"203.0.113.5"});
  token.bundle = world.bundle();
  const auto decoded = decode_token(encode_token(token));
  ASSERT_TRUE(decoded && decoded->bundle);
  EXPECT_EQ(decoded->bundle->body, world.bundle_body());
  EXPECT_EQ(decoded->bundle->wire, world.bundle().wire);
  token.bundle = make_bundle(world.bundle_body(), world.network, fixed_secret<RootSecret>(99));
  EXPECT_EQ(decode_token(encode_token(token)).error(), TokenError::damaged) << "not the root's";
}

TEST(Token, RefusesContentThatDoesNotFitTogether) {
  const SmallWorld world;
  const Bytes grant = world.grant().wire;
  const auto secret = world.invitation.open();
  const Bytes no_bundle;
  const auto damaged = [](Bytes content) {
    const auto decoded = decode_token(wrapped(std::move(content)));
    return !decoded && decoded.error() == TokenError::damaged;
  };
  EXPECT_FALSE(damaged(content_of(world, {"a"}).binary(grant).binary(secret).binary(no_bundle).take()));
  EXPECT_TRUE(damaged(content_of(world, {"a"}).binary(grant).binary(world.joiner.open()).binary(no_bundle).take()))
      << "a secret of another invitation";
  EXPECT_TRUE(damaged(content_of(world, {"a"}).binary(world.bundle().wire).binary(secret).binary(no_bundle).take()));
  EXPECT_TRUE(damaged(content_of(world, {"a"}).binary(grant).binary(Bytes(31)).binary(no_bundle).take()));
  EXPECT_TRUE(damaged(content_of(world, {"a"}).binary(grant).binary(secret).binary(grant).take()));
  EXPECT_TRUE(damaged(content_of(world, {"a b"}).binary(grant).binary(secret).binary(no_bundle).take()));
  EXPECT_TRUE(damaged(content_of(world, {""}).binary(grant).binary(secret).binary(no_bundle).take()));
  const std::vector<std::string> crowd(limits::seeds + 1, "a");
  EXPECT_TRUE(damaged(content_of(world, crowd).binary(grant).binary(secret).binary(no_bundle).take()));
  const std::string endless(limits::seed_chars + 1, 'a');
  EXPECT_TRUE(damaged(content_of(world, {endless}).binary(grant).binary(secret).binary(no_bundle).take()));
}

TEST(Token, HasRoomForAsManySeedsAsThereMayBe) {
  const SmallWorld world;
  const std::vector<std::string> seeds(limits::seeds, std::string(limits::seed_chars, 's'));
  Token largest = token_of(world, seeds);
  largest.bundle = world.bundle();
  const auto token = decode_token(encode_token(largest));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->seeds, seeds);
}

TEST(Token, SurvivesAnyText) {
  const SmallWorld world;
  const std::string text = encode_token(token_of(world, {"203.0.113.5"}));
  for_seeds(300, [&](Rng& rng) {
    std::string tried = text;
    for (std::uint64_t i = 0; i <= rng.below(4); ++i) tried[rng.below(tried.size())] = static_cast<char>(rng.below(256));
    EXPECT_TRUE(!decode_token(tried) || tried == text || tried.substr(7) == text.substr(7));
    const Bytes content = random_bytes(rng, rng.below(80));
    EXPECT_FALSE(decode_token(wrapped(content)));
  });
}

}  // namespace
}  // namespace wigwag
