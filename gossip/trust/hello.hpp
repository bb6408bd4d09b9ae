#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/result.hpp"
#include "gossip/base/time.hpp"
#include "gossip/trust/chain.hpp"
#include "gossip/trust/crypto.hpp"

// The join handshake (DESIGN section 3, "Hello"): four UDP messages outside the tunnel,
// SIGMA-shaped (Krawczyk 2003): X25519 ephemerals, XChaCha20-Poly1305, Ed25519.
//   1 caller: ephemeral, cookie or zeros, padded to limits::datagram_payload, MAC under a key from the network id
//   2 host:   ephemeral, {its chain, signature over the transcript}
//   3 caller: {its chain, record, signature over the transcript}
//   4 host:   {verdict, its clock, the address it sees, bundle, redemption, its record}
//   c host:   a stateless cookie, when busy, instead of 2
// No answer is longer than its question before the caller has proven itself in 3.
// Both sides are pure: they take datagrams and return datagrams.
namespace wigwag {

enum class Verdict : std::uint8_t { welcome, refused };

// What the caller offers in message 3. The record is opaque here: membership reads it.
struct HelloOffer {
  Chain chain;
  Bytes record;
};

// What the host answers in message 4.
struct HelloAnswer {
  Verdict verdict = Verdict::welcome;
  TrustError reason = TrustError::malformed;   // of a refusal
  UnixTime host_time;                          // tells the caller how wrong its clock is
  Endpoint observed;                           // the caller's address as the host sees it
  Bytes bundle;
  Bytes redemption;                            // empty when the caller needs none
  Bytes record;                                // the host's own
};

enum class HelloFailure : std::uint8_t { not_for_us, malformed, bad_host, refused };

// The calling side of one attempt at one seed. Retransmission is the owner's: it sends
// outgoing() again after a pause until something changes or it gives up.
class HelloCaller {
 public:
  HelloCaller(const NetworkId& network, Entropy& entropy);

  // The datagram to (re)send now; empty when the attempt has ended.
  const Bytes& outgoing() const { return outgoing_; }

  struct Progress {
    bool send_now = false;                     // outgoing() has changed: send it at once
    std::optional<HelloAnswer> answer;         // message 4: the end, welcome or refused
    std::optional<Chain> host;                 // who answered, with message 4
  };
  // A datagram that came from the seed. `offer` and `self` are used for message 3. The host's
  // chain is verified once message 4 has brought the bundle (whose signature must be the root's),
  // or against `known`, the bundle we hold already, where that has the higher epoch.
  Result<Progress, HelloFailure> receive(ByteView datagram, const HelloOffer& offer, const NodeSecret& self, Verifier& verifier,
                                         const Bundle* known = nullptr);

 private:
  enum class Stage : std::uint8_t { waiting_for_host, waiting_for_answer, ended };
  // ... (private state is the implementer's)
};

// The answering side: at most limits::pending_hellos half-done calls, dropped after ten
// seconds; above half of that a caller must first return a cookie. Repeated messages are
// answered again verbatim a few times, a replayed first message not at all.
class HelloHost {
 public:
  HelloHost(const NetworkId& network, Entropy& entropy);

  // A caller that has proven its identity (transcript signature by the certificate's node).
  // Whether its chain is good is for the owner to judge; it then calls answer().
  struct Call {
    std::uint64_t session = 0;
    Endpoint from;
    HelloOffer offer;
  };
  struct Reaction {
    std::optional<Bytes> send;                 // back to where the datagram came from
    std::optional<Call> call;
  };
  // Never fails: what is not a valid hello gets an empty reaction and is counted.
  Reaction receive(Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain, const NodeSecret& self, Verifier& verifier);

  // Message 4 for a call; kept for repeating. nullopt when the call is no longer pending.
  std::optional<Bytes> answer(Now now, std::uint64_t session, const HelloAnswer& answer);

  std::uint64_t dropped() const { return dropped_; }

 private:
  std::uint64_t dropped_ = 0;
};

}  // namespace wigwag
