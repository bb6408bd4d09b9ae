#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gossip/base/bytes.hpp"
#include "gossip/base/key.hpp"
#include "gossip/trust/hello.hpp"
#include "gossip/trust/hello_exchange.hpp"
#include "gossip/trust/hello_guard.hpp"

// The wire forms of the hello datagrams. Every one begins with a header of four bytes:
// 'w', 'h', the format (1), the kind. What follows by kind (sizes in bytes):
//   1 call          caller's ephemeral 32 | cookie 16, zeros for none | zeros up to 1184 | mac(all before) 16; always 1200
//   2 introduction  session 8 | host's ephemeral 32 | box | mac(all before | caller's ephemeral) 16; at most 1200
//   3 proof         session 8 | box
//   4 answer        session 8 | box
//   5 cookie        cookie 16 | mac(all before | caller's ephemeral) 16
// Contents of the boxes, packed arrays (empty binaries for absent parts):
//   2 [certificate, grant, redemption]
//   3 [certificate, grant, redemption, record]
//   4 [verdict, reason, host's time, [address, port], bundle, redemption, record]
// Signatures, keys and macs are in hello_exchange.hpp.
namespace wigwag {

// The kind of a datagram that has the header and a size that this kind may have.
std::optional<HelloKind> hello_kind(ByteView datagram);

// Message 1. Reading: after hello_kind and the mac.
struct HelloCall {
  HelloKey caller;
  HelloCookie cookie{};
};
Bytes write_call(const HelloCall& call, const HelloMac& mac);
HelloCall read_call(ByteView datagram);

// Message c. Reading: after hello_kind and the mac.
Bytes write_cookie(const HelloCookie& cookie, const HelloKey& caller, const HelloMac& mac);
HelloCookie read_cookie(ByteView datagram);

// Message 2. Reading: after hello_kind and the mac.
struct HelloIntroduction {
  std::uint64_t session = 0;
  HelloKey host;
  ByteView box;
};
Bytes write_introduction(const HelloIntroduction& introduction, const HelloKey& caller, const HelloMac& mac);
HelloIntroduction read_introduction(ByteView datagram);

// Messages 3 and 4. Reading: after hello_kind.
struct HelloBoxed {
  std::uint64_t session = 0;
  ByteView box;
};
Bytes write_boxed(HelloKind kind, const HelloBoxed& message);
HelloBoxed read_boxed(ByteView datagram);

Bytes pack_chain(const Chain& chain);
std::optional<Chain> unpack_chain(ByteView content);
Bytes pack_offer(const HelloOffer& offer);
std::optional<HelloOffer> unpack_offer(ByteView content);
Bytes pack_answer(const HelloAnswer& answer);
std::optional<HelloAnswer> unpack_answer(ByteView content);

}  // namespace wigwag
