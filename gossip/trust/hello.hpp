#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/result.hpp"
#include "gossip/base/time.hpp"
#include "gossip/trust/chain.hpp"
#include "gossip/trust/crypto.hpp"
#include "gossip/trust/hello_exchange.hpp"
#include "gossip/trust/hello_guard.hpp"

// The join handshake (DESIGN section 3, "Hello"): four UDP messages outside the tunnel,
// SIGMA-shaped (Krawczyk 2003): X25519 ephemerals, XChaCha20-Poly1305, Ed25519.
//   1 caller: ephemeral, cookie or zeros, padded to limits::datagram_payload, MAC under a key from the network id
//   2 host:   ephemeral, {its chain, signature over the transcript}
//   3 caller: {its chain, record, signature over the transcript}
//   4 host:   {verdict, its clock, the address it sees, bundle, redemption, its record}
//   c host:   a stateless cookie, when busy, instead of 2
// No answer is longer than its question before the caller has proven itself in 3, and whoever
// does not know the network id gets none. Who does know it may learn the host's identity from 2;
// the caller's goes to whoever answered its 1, so 3 holds nothing that could be used in its stead.
// Both sides are pure: they take datagrams and return datagrams.
// Keys and signatures are in hello_exchange.hpp, wire forms in hello_messages.hpp.
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
  Endpoint observed;                           // the caller's address as the host sees it; HelloHost fills it in
  Bytes bundle;
  Bytes redemption;                            // empty when the caller needs none
  Bytes record;                                // the host's own
};

enum class HelloFailure : std::uint8_t {
  not_for_us,  // no part of this attempt, or altered on the way: the attempt goes on
  malformed,   // ours, but not to be read, of a newer wigwag perhaps: the attempt goes on
  bad_host,    // whoever answered is no member: the attempt has ended
  refused,     // a datagram after the attempt ended in a refusal
};

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
  // or against `known`, the bundle we hold already, where that has the higher epoch. It may have a
  // sponsor we cannot know, and nothing in it expires: that is for the owner to judge who knows
  // members and the time. A welcome is always from a proven host. A refusal that brought no bundle
  // to someone who has none comes without `host`: a hint for the operator, proven by nobody.
  Result<Progress, HelloFailure> receive(ByteView datagram, const HelloOffer& offer, const NodeSecret& self, Verifier& verifier,
                                         const Bundle* known = nullptr);

 private:
  enum class Stage : std::uint8_t { waiting_for_host, waiting_for_answer, ended };
  using Received = Result<Progress, HelloFailure>;

  Received take_cookie(ByteView datagram);
  Received take_introduction(ByteView datagram, const HelloOffer& offer, const NodeSecret& self, Verifier& verifier);
  Received take_answer(ByteView datagram, Verifier& verifier, const Bundle* known);
  bool redeems_us(const HelloAnswer& answer, Verifier& verifier) const;
  void end() { stage_ = Stage::ended, outgoing_.clear(), exchange_.reset(); }

  NetworkId network_;
  HelloSecret ephemeral_;
  HelloKey ephemeral_key_;
  Stage stage_ = Stage::waiting_for_host;
  bool refused_ = false;
  Bytes outgoing_;
  HelloCookie cookie_{};
  std::size_t cookies_taken_ = 0;
  std::uint64_t session_ = 0;
  std::optional<HelloExchange> exchange_;
  std::optional<Chain> host_;
  Certificate offered_;  // the certificate that message 3 bore
};

// The answering side: at most limits::pending_hellos half-done calls, dropped after ten
// seconds; above half of that a caller must first return a cookie. When there is no room, the
// oldest makes some if it has had a second or more to come back, else the newcomer's own
// repetition will find room. Repeated messages are answered again verbatim a few times, a
// replayed first message not at all. One address (of IPv6: one /64) has few half-done calls at a
// time, and few refusals in ten seconds.
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
  Reaction receive(Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain, const NodeSecret& self,
                   Verifier& verifier);

  // Message 4 for a call; kept for repeating. nullopt when the call is no longer pending.
  std::optional<Bytes> answer(Now now, std::uint64_t session, const HelloAnswer& answer);

  std::uint64_t dropped() const { return dropped_; }

 private:
  // A call that was introduced to us and has yet to prove itself.
  struct Pending {
    HelloKey caller;
    Endpoint from;
    Instant since;
    std::uint64_t session = 0;
    HelloExchange exchange;
    Bytes introduction;
    std::size_t repeats = 0;
  };
  // A call that has proven itself: waits for the owner's answer, then is kept to repeat it.
  struct Proven {
    Endpoint from;
    Instant since;
    std::uint64_t session = 0;
    HelloExchange exchange;
    Hash32 proof;            // of message 3: only the same bytes are answered again
    Bytes answer;            // empty until there is one
    bool refused = false;
    std::size_t repeats = 0;
  };

  Reaction take_call(Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain, const NodeSecret& self);
  Reaction take_proof(Now now, const Endpoint& from, ByteView datagram, Verifier& verifier);
  std::optional<Bytes> repeat_introduction(const Endpoint& from, Pending& pending);
  std::optional<Bytes> ask_for_cookie(Now now, const Endpoint& from, const HelloKey& caller);
  std::optional<Bytes> introduce(Now now, const Endpoint& from, const HelloKey& caller, const Chain& own_chain,
                                 const NodeSecret& self);
  bool over_budget(const Endpoint& from) const;
  bool make_room(Now now);
  void forget_old(Now now);

  NetworkId network_;
  Entropy* entropy_;
  HelloMac mac_;
  CookieJar cookies_;
  CallMemory memory_;
  std::vector<Pending> pending_;  // oldest first
  std::deque<Proven> proven_;     // oldest first
  std::uint64_t dropped_ = 0;
};

}  // namespace wigwag
