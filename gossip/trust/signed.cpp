#include "gossip/trust/signed.hpp"

#include <algorithm>

#include "gossip/base/packed.hpp"

namespace wigwag {

std::optional<SignedParts> split_signed(ByteView wire, std::size_t wire_bytes_max) {
  if (wire.size() > wire_bytes_max) return std::nullopt;
  Unpacker in(wire, 3);
  in.array(2, 2);
  const ByteView body = in.binary(1, wire_bytes_max);
  const Signature signature = in.signature();
  if (!in.done()) return std::nullopt;
  // The wrapping is not signed. If it had two forms, whoever forwards a statement could
  // make a second, different one out of it, which would look like its author's doing.
  const Bytes canonical = join_signed(body, signature);
  if (!std::equal(wire.begin(), wire.end(), canonical.begin(), canonical.end())) return std::nullopt;
  return SignedParts{body, signature};
}

Bytes join_signed(ByteView body, const Signature& signature) {
  Packer out;
  out.array(2).binary(body).signature(signature);
  return out.take();
}

}  // namespace wigwag
