#include <cstddef>
#include <cstdint>
#include <string>

#include "gossip/base/check.hpp"
#include "gossip/trust/token.hpp"

// The first byte: even, the rest is a token's text; odd, it is a token's content, whose checksum is made right.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wigwag;
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 == 1) {
    Bytes content(data + 1, data + size);
    const Hash32 hash = blake2b(content);
    content.insert(content.end(), hash.bytes.begin(), hash.bytes.begin() + 4);
    text = "wigwag1" + to_base64url(content);
  }
  const auto token = decode_token(text);
  if (!token) return 0;
  const auto again = decode_token(encode_token(*token));
  check(again.has_value(), "what was read can be written and read again");
  check(again->network == token->network && again->seeds == token->seeds && again->grant.wire == token->grant.wire &&
            again->bundle.has_value() == token->bundle.has_value() && again->secret.open() == token->secret.open(),
        "and is the same");
  return 0;
}
