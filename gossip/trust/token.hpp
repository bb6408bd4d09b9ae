#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/result.hpp"
#include "gossip/trust/statements.hpp"

namespace wigwag {

// What `wigwag invite` prints: everything a new node needs. "wigwag1" and the
// base64url of the packed content with a 4-byte BLAKE2b checksum, so that a
// mistyped token is told from an unknown one.
struct Token {
  NetworkId network;
  std::vector<std::string> seeds;   // host[:hello port], at most limits::seeds, tried in order
  Signed<Grant> grant;
  GrantSecret secret;
  // Carried where the grant allows any number of uses: with it a holder certifies itself and needs
  // nobody's answer, so that a whole fleet may start at the same moment. One-use tokens stay short. Decoding
  // has checked that it is the root's.
  std::optional<Signed<Bundle>> bundle{};
};

enum class TokenError : std::uint8_t { not_a_token, newer_format, damaged };
const char* to_string(TokenError error);  // one sentence with what to try

std::string encode_token(const Token& token);
// Surrounding white space is ignored.
Result<Token, TokenError> decode_token(std::string_view text);

}  // namespace wigwag
