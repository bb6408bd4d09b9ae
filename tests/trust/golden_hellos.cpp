#include "gossip/trust/hello_messages.hpp"
#include "tests/trust/golden_vectors.hpp"
#include "tests/trust/hello_pair.hpp"

namespace wigwag::golden {
namespace {

HelloAnswer refusal() {
  return {.verdict = Verdict::refused,
          .reason = TrustError::grant_expired,
          .host_time = SmallWorld::at(120),
          .observed = {},
          .bundle = {},
          .redemption = {},
          .record = {}};
}

// One handshake with fixed keys, always the same, halted where a message is to be tried.
struct Handshake {
  HelloPair pair;
  HelloCaller caller{pair.world.network, pair.caller_entropy};

  bool host_takes(ByteView datagram) {
    const auto reaction = pair.tell_host(datagram);
    return reaction.send || reaction.call;
  }
  bool caller_takes(ByteView datagram) { return pair.tell_caller(caller, datagram).has_value(); }
  Bytes answer(const HelloAnswer& answer) {
    pair.introduce(caller);
    const auto call = pair.prove(caller);
    return pair.host.answer(pair.now, call.session, answer).value();
  }
};

bool call_taken(ByteView datagram) { return Handshake().host_takes(datagram); }

bool cookie_taken(ByteView datagram) { return Handshake().caller_takes(datagram); }

bool introduction_taken(ByteView datagram) { return Handshake().caller_takes(datagram); }

bool proof_taken(ByteView datagram) {
  Handshake handshake;
  handshake.pair.introduce(handshake.caller);
  return handshake.host_takes(datagram);
}

bool answer_taken(ByteView datagram) {
  Handshake handshake;
  handshake.pair.introduce(handshake.caller);
  return handshake.caller_takes(datagram);
}

Bytes altered(Bytes datagram, std::size_t at) {
  datagram[at] ^= 1;
  return datagram;
}

Bytes call_by_hand(const NetworkId& network, const HelloKey& caller) {
  return write_call({.caller = caller, .cookie = {}}, HelloMac(network));
}

// Message 2 by a host that knows the network and claims another's certificate.
Bytes forged_introduction() {
  Handshake handshake;
  HelloPair& pair = handshake.pair;
  return pair.host
      .receive(pair.now, pair.from, handshake.caller.outgoing(), pair.host_chain, pair.world.stranger, pair.world.verifier)
      .send.value();
}

// Message 3 by a caller that claims another's certificate.
Bytes forged_proof() {
  Handshake handshake;
  HelloPair& pair = handshake.pair;
  const Bytes introduction = pair.tell_host(handshake.caller.outgoing()).send.value();
  check(handshake.caller.receive(introduction, pair.world.offer_of(pair.world.joiner), pair.world.stranger, pair.world.verifier)
            .has_value(),
        "an introduction is taken");
  return handshake.caller.outgoing();
}

// The cookie that the host would ask for when busy.
Bytes cookie_for(const HelloKey& caller) {
  HelloCookie cookie{};
  cookie.fill(0x5c);
  return write_cookie(cookie, caller, HelloMac(SmallWorld().network));
}

}  // namespace

std::vector<Vector> good_hellos() {
  Handshake handshake;
  const Bytes call = handshake.caller.outgoing();
  const Bytes cookie = cookie_for(read_call(call).caller);
  Handshake answered_with_cookie;
  check(answered_with_cookie.caller_takes(cookie), "a cookie is taken");
  const Bytes introduction = handshake.pair.introduce(handshake.caller);
  return {
      {"hello-1-call", call, call_taken},
      {"hello-1-call-with-cookie", answered_with_cookie.caller.outgoing(), call_taken},
      {"hello-c-cookie", cookie, cookie_taken},
      {"hello-2-introduction", introduction, introduction_taken},
      {"hello-3-proof", handshake.caller.outgoing(), proof_taken},
      {"hello-4-answer-welcome", Handshake().answer(HelloPair().world.welcome()), answer_taken},
      {"hello-4-answer-refused", Handshake().answer(refusal()), answer_taken},
  };
}

std::vector<Vector> rejected_hellos() {
  const auto good = good_hellos();
  const auto bytes_of = [&](const std::string& name) {
    return std::find_if(good.begin(), good.end(), [&](const Vector& one) { return one.name == name; })->bytes;
  };
  const SmallWorld world;
  const Bytes call = bytes_of("hello-1-call");
  const Bytes introduction = bytes_of("hello-2-introduction");
  const Bytes proof = bytes_of("hello-3-proof");
  const Bytes answer = bytes_of("hello-4-answer-welcome");
  HelloPair crowd;
  crowd.caller();  // takes the first ephemeral, so that the next is another's
  auto other = crowd.caller();
  const Bytes for_other = crowd.tell_host(other.outgoing()).send.value();
  const Bytes call_cut(call.begin(), call.end() - 1);
  return {
      {"rejected-hello-1-call-bad-mac", altered(call, call.size() - 1), call_taken},
      {"rejected-hello-1-call-newer-format", altered(call, 2), call_taken},
      {"rejected-hello-1-call-one-byte-short", call_cut, call_taken},
      {"rejected-hello-1-call-another-network", call_by_hand(NetworkId{{1}}, read_call(call).caller), call_taken},
      {"rejected-hello-1-call-low-order-ephemeral", call_by_hand(world.network, HelloKey{}), call_taken},
      {"rejected-hello-c-cookie-for-another-call", cookie_for(HelloKey{{1}}), cookie_taken},
      {"rejected-hello-2-introduction-for-another-call", for_other, introduction_taken},
      {"rejected-hello-2-introduction-bad-mac", altered(introduction, introduction.size() - 1), introduction_taken},
      {"rejected-hello-2-introduction-forged-signature", forged_introduction(), introduction_taken},
      {"rejected-hello-3-proof-another-session", altered(proof, 4), proof_taken},
      {"rejected-hello-3-proof-bad-tag", altered(proof, proof.size() - 1), proof_taken},
      {"rejected-hello-3-proof-forged-signature", forged_proof(), proof_taken},
      {"rejected-hello-4-answer-another-session", altered(answer, 4), answer_taken},
      {"rejected-hello-4-answer-bad-tag", altered(answer, answer.size() - 1), answer_taken},
  };
}

}  // namespace wigwag::golden
