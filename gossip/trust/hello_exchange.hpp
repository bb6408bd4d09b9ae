#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "gossip/base/bytes.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/secret.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag {

// The kinds of hello datagram, as their fourth byte says.
enum class HelloKind : std::uint8_t { call = 1, introduction = 2, proof = 3, answer = 4, cookie = 5 };

// The key schedule of one join handshake, the same on both sides. "..." below is the
// ASCII text followed by one zero byte, | joins, H is BLAKE2b-256, H512 is BLAKE2b-512,
// a key in brackets makes either keyed; numbers are big-endian.
//
//   mac key     = H("wigwag.hello.mac" | network id)
//   mac(m)      = the first 16 bytes of H[mac key](m)
//   shared      = X25519(one side's ephemeral secret, the other's ephemeral public key)
//   t1          = H("wigwag.hello.1" | network id | caller's ephemeral | host's ephemeral | session, 8 bytes)
//   k2, k3      = the halves of H512[shared]("wigwag.hello.keys" | t1)
//   message 2   = header | session | host's ephemeral | box[k2, t1](content 2 | signature 2)
//                 | mac(all before | caller's ephemeral)
//   t2          = H("wigwag.hello.2" | t1 | message 2)
//   message 3   = header | session | box[k3, t2](content 3 | signature 3)
//   t3          = H("wigwag.hello.3" | t2 | message 3)
//   k4          = H[shared]("wigwag.hello.answer" | t3)
//   message 4   = header | session | box[k4, t3](content 4)
//
// box[k, a](p) is XChaCha20-Poly1305 of p under k with a zero nonce and the associated
// data a, its tag behind it; every k is used for one message. Signature n (n = 2 by the
// host, 3 by the caller, each with the key its certificate names) is Ed25519 in the
// domain "wigwag.hello" over: the byte n | t(n-1) | H(content n).
// Cookies and paddings are not part of a transcript, so a first message repeated with
// a cookie is the same call.
class HelloExchange {
 public:
  // nullopt when the other side's ephemeral is a low-order point.
  static std::optional<HelloExchange> start(const NetworkId& network, const HelloSecret& own, const HelloKey& other,
                                            const HelloKey& caller, const HelloKey& host, std::uint64_t session);

  // The boxes of messages 2 and 3: content with its signature.
  Bytes seal_signed(HelloKind kind, ByteView content, const NodeSecret& signer) const;
  struct SignedContent {
    Bytes content;
    Signature signature;
  };
  // Opens the box; the signature is still to be checked, as only the content says by whom.
  std::optional<SignedContent> open_signed(HelloKind kind, ByteView box) const;
  bool holds(HelloKind kind, const SignedContent& opened, const NodeId& signer, Verifier& verifier) const;

  // The box of message 4; sealed once in an exchange.
  Bytes seal_answer(ByteView content) const;
  std::optional<Bytes> open_answer(ByteView box) const;

  // Takes message 2, and later message 3, into the transcript.
  void append(HelloKind kind, ByteView message);

 private:
  HelloExchange(const NetworkId& network, Secret<struct SharedSecretRole> shared, const Hash32& transcript);
  const BoxKey& key_of(HelloKind kind) const;
  BoxKey answer_key() const;
  Bytes statement(HelloKind kind, ByteView content) const;

  NetworkId network_;
  Secret<struct SharedSecretRole> shared_;
  Hash32 transcript_;
  BoxKey introduction_key_;
  BoxKey proof_key_;
};

// The mac on hello datagrams. Its key follows from the network id, so that whoever does not
// know the network is dropped at the price of one hash.
class HelloMac {
 public:
  static constexpr std::size_t size = 16;
  explicit HelloMac(const NetworkId& network);
  // Over `message`, then `bound`: the ephemeral of the call that a message answers.
  void seal(Bytes& message, ByteView bound = {}) const;
  // Whether the last 16 bytes of `datagram` are the mac of those before.
  bool holds(ByteView datagram, ByteView bound = {}) const;

 private:
  std::array<std::uint8_t, size> over(ByteView message, ByteView bound) const;
  Hash32 key_;
};

// Joins a label, its zero byte and parts, as the schedule writes it.
Bytes hello_input(std::string_view label, std::initializer_list<ByteView> parts);

}  // namespace wigwag
