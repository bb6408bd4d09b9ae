#include <cstddef>
#include <cstdint>

#include "gossip/trust/chain.hpp"
#include "tests/trust/small_world.hpp"

// The first byte picks a decoder; the rest is the wire form, or (from 0x80 on) a body in a proper wrapping.
namespace wigwag {
namespace {

template <class Body>
void hold_to_rules(const Result<Signed<Body>, TrustError>& decoded, ByteView wire) {
  if (!decoded) {
    check(decoded.error() == TrustError::malformed, "a decoder refuses by form only");
    return;
  }
  check(is_well_formed(decoded->body), "what is read keeps the rules");
  check(std::equal(wire.begin(), wire.end(), decoded->wire.begin(), decoded->wire.end()), "the bytes are kept");
}

void decode_one(std::uint8_t which, ByteView wire) {
  switch (which % 5) {
    case 0: return hold_to_rules(decode_bundle(wire), wire);
    case 1: return hold_to_rules(decode_grant(wire), wire);
    case 2: return hold_to_rules(decode_certificate(wire), wire);
    case 3: return hold_to_rules(decode_redemption(wire), wire);
    default: return hold_to_rules(decode_revocation(wire), wire);
  }
}

// Three parts, each behind two bytes of length.
void decode_parts(ByteView input) {
  static SmallWorld world;
  static const Bundle bundle = world.bundle_body();
  std::array<ByteView, 3> parts;
  for (auto& part : parts) {
    if (input.size() < 2) break;
    const std::size_t size = std::min<std::size_t>(input[0] * 256U + input[1], input.size() - 2);
    part = input.subspan(2, size);
    input = input.subspan(2 + size);
  }
  const auto chain = decode_chain(parts[0], parts[1], parts[2]);
  if (!chain) return;
  const ChainContext context{.bundle = bundle,
                             .network = world.network,
                             .now = SmallWorld::at(300),
                             .sponsor_known = true,
                             .grant_withdrawn = false,
                             .withdrawn_at = {}};
  if (verify_chain(*chain, context, world.verifier)) {
    check(chain->certificate.body.issuer == Issuer::admin || chain->grant.has_value(), "a good chain is whole");
  }
}

}  // namespace
}  // namespace wigwag

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wigwag;
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  if (data[0] == 0x7f) {
    decode_parts(input);
  } else if (data[0] >= 0x80) {
    decode_one(data[0] & 0x7f, join_signed(input, Signature{}));
  } else {
    decode_one(data[0], input);
  }
  return 0;
}
