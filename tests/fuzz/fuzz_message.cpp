#include <cstddef>
#include <cstdint>

#include "gossip/base/check.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/record.hpp"

namespace wigwag {
namespace {

template <class Body>
void hold_to_rules(const Result<Signed<Body>, TrustError>& decoded, ByteView wire) {
  if (!decoded) return check(decoded.error() == TrustError::malformed, "a decoder refuses by form only");
  check(std::equal(wire.begin(), wire.end(), decoded->wire.begin(), decoded->wire.end()), "the bytes are kept");
}

void read_message(ByteView payload) {
  const auto message = decode_message(payload);
  if (!message) return;
  const Bytes again = encode_message(*message);
  check(again.size() <= payload.size(), "our form is the shortest");
  const auto reread = decode_message(again);
  check(reread && encode_message(*reread) == again, "what was read can be written and read again");
}

}  // namespace
}  // namespace wigwag

// The first byte picks a decoder; the rest is the payload of a gossip datagram, a record or an accusation.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wigwag;
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0: read_message(input); break;
    case 1: hold_to_rules(decode_record(input), input); break;
    default: hold_to_rules(decode_accusation(input), input); break;
  }
  return 0;
}
