#pragma once

#include <memory>
#include <optional>

#include "gossip/base/bytes.hpp"
#include "gossip/base/key.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag {

// A statement with its signature as it travels and is stored: packed [body, signature].
// Signed bytes are kept and forwarded as they came, never encoded again.
struct SignedParts {
  ByteView body;        // points into the wire bytes
  Signature signature;
};
std::optional<SignedParts> split_signed(ByteView wire, std::size_t wire_bytes_max);
Bytes join_signed(ByteView body, const Signature& signature);

// A decoded statement together with the bytes it was decoded from.
template <class Body>
struct Signed {
  Body body;
  Bytes wire;
};

// What was verified is never changed, and what is the same may be held once for all who hold it
// (see Verifier::share).
template <class Value>
using Shared = std::shared_ptr<const Value>;

}  // namespace wigwag
