#include "gossip/trust/token.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"
#include "gossip/trust/chain.hpp"

namespace wigwag {
namespace {

constexpr std::string_view token_family = "wigwag";
constexpr char token_format = '1';
constexpr std::size_t checksum_bytes = 4;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_seed(std::string_view seed) {
  return !seed.empty() && seed.size() <= limits::seed_chars &&
         std::all_of(seed.begin(), seed.end(), [](char c) { return c > ' ' && c < 127; });
}

ByteView checksum(const Hash32& hash) { return hash.view().first(checksum_bytes); }

std::optional<Token> read_content(ByteView content) {
  Unpacker in(content, 8 + limits::seeds);
  in.array(5, 5);
  Token token;
  token.network = in.key<NetworkId>();
  const std::size_t seeds = in.array(0, limits::seeds);
  for (std::size_t i = 0; i < seeds; ++i) {
    token.seeds.emplace_back(in.text(limits::seed_chars));
    if (!is_seed(token.seeds.back())) in.fail();
  }
  auto grant = decode_grant(in.binary(1, limits::grant_bytes));
  auto secret = GrantSecret::from(in.binary(GrantSecret::size, GrantSecret::size));
  const auto bundle = in.binary(0, limits::bundle_bytes);
  if (!in.done() || !grant || !secret) return std::nullopt;
  if (!bundle.empty()) {
    auto decoded = decode_bundle(bundle);
    Verifier verifier(0);
    if (!decoded || !verify_bundle(*decoded, token.network, verifier)) return std::nullopt;
    token.bundle = std::move(*decoded);
  }
  token.grant = std::move(*grant);
  token.secret = std::move(*secret);
  if (public_key(token.secret) != token.grant.body.id) return std::nullopt;
  return token;
}

}  // namespace

const char* to_string(TokenError error) {
  switch (error) {
    case TokenError::not_a_token: return "This is not a wigwag token: one begins with wigwag1 and is printed by wigwag invite.";
    case TokenError::newer_format:
      return "This token was made by a newer wigwag: upgrade this machine, or ask for a token made by its version.";
    case TokenError::damaged: return "This token is incomplete or was altered: copy it again in full, as one line.";
  }
  return "";
}

std::string encode_token(const Token& token) {
  Packer out;
  out.array(5).key(token.network).array(token.seeds.size());
  for (const auto& seed : token.seeds) out.text(seed);
  out.binary(token.grant.wire).binary(token.secret.open()).binary(token.bundle ? ByteView(token.bundle->wire) : ByteView());
  Bytes content = out.take();
  const Hash32 hash = blake2b(content);
  content.insert(content.end(), hash.bytes.begin(), hash.bytes.begin() + checksum_bytes);
  std::string text(token_family);
  text += token_format + to_base64url(content);
  wipe(content.data(), content.size());
  return text;
}

Result<Token, TokenError> decode_token(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with(token_family)) return Unexpected{TokenError::not_a_token};
  text.remove_prefix(token_family.size());
  if (text.empty() || text.front() < '1' || text.front() > '9') return Unexpected{TokenError::not_a_token};
  if (text.front() != token_format) return Unexpected{TokenError::newer_format};
  text.remove_prefix(1);
  if (text.size() > limits::token_chars) return Unexpected{TokenError::damaged};
  auto raw = from_base64url(text);
  if (!raw || raw->size() <= checksum_bytes) return Unexpected{TokenError::damaged};
  const ByteView content = ByteView(*raw).first(raw->size() - checksum_bytes);
  const Hash32 hash = blake2b(content);
  const ByteView sum = ByteView(*raw).last(checksum_bytes);
  auto token = std::equal(sum.begin(), sum.end(), checksum(hash).begin()) ? read_content(content) : std::nullopt;
  wipe(raw->data(), raw->size());
  if (!token) return Unexpected{TokenError::damaged};
  return std::move(*token);
}

}  // namespace wigwag
