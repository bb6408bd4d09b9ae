#include <cstddef>
#include <cstdint>

#include "gossip/trust/hello_messages.hpp"
#include "tests/trust/hello_pair.hpp"

// The first byte picks who hears the rest and as what: a bare datagram from a stranger, or a content that
// someone with the keys has sealed, so that the readers behind macs and boxes are reached too.
namespace wigwag {
namespace {

void host_hears(HelloPair& pair, ByteView datagram) {
  const auto reaction = pair.tell_host(datagram);
  check(!reaction.call, "nobody proves himself by chance");
  check(!reaction.send || reaction.send->size() <= datagram.size(), "no answer is longer than its question");
}

void host_hears_call(HelloPair& pair, ByteView input) {
  HelloCall call;
  std::copy_n(input.begin(), std::min(input.size(), call.caller.bytes.size()), call.caller.bytes.begin());
  if (input.size() > call.caller.bytes.size()) call.cookie.fill(input[call.caller.bytes.size()]);
  host_hears(pair, write_call(call, HelloMac(pair.world.network)));
}

// A member-like caller with any content in message 3.
void host_hears_proof(HelloPair& pair, ByteView content) {
  const NetworkId& network = pair.world.network;
  const auto secret = pair.caller_entropy.secret<HelloSecret>();
  const HelloKey key = public_key(secret);
  const Bytes introduction = pair.tell_host(write_call({.caller = key, .cookie = {}}, HelloMac(network))).send.value();
  const auto message = read_introduction(introduction);
  auto exchange = HelloExchange::start(network, secret, message.host, key, message.host, message.session).value();
  exchange.append(HelloKind::introduction, introduction);
  const Bytes proof = write_boxed(
      HelloKind::proof, {.session = message.session, .box = exchange.seal_signed(HelloKind::proof, content, pair.world.joiner)});
  const auto reaction = pair.tell_host(proof);
  check(!reaction.send, "a proof is answered by the owner alone");
  if (reaction.call) {
    check(reaction.call->offer.chain.certificate.body.node == public_key(pair.world.joiner), "who signed is who is named");
  }
}

// A host with keys of its own and any content in message 2, or after a proper one in message 4.
void caller_hears(HelloPair& pair, HelloKind kind, ByteView content) {
  const NetworkId& network = pair.world.network;
  auto caller = pair.caller();
  const HelloKey caller_key = read_call(caller.outgoing()).caller;
  const auto secret = pair.host_entropy.secret<HelloSecret>();
  const HelloKey key = public_key(secret);
  constexpr std::uint64_t session = 77;
  auto exchange = HelloExchange::start(network, secret, caller_key, caller_key, key, session).value();
  const Bytes chain = pack_chain(pair.host_chain);
  const Bytes box =
      exchange.seal_signed(HelloKind::introduction, kind == HelloKind::answer ? ByteView(chain) : content, pair.world.sponsor);
  const Bytes introduction = write_introduction({.session = session, .host = key, .box = box}, caller_key, HelloMac(network));
  const auto introduced = pair.tell_caller(caller, introduction);
  if (kind != HelloKind::answer) return;
  check(introduced.has_value(), "a proper introduction is taken");
  exchange.append(HelloKind::introduction, introduction);
  exchange.append(HelloKind::proof, caller.outgoing());
  const Bytes answer = write_boxed(HelloKind::answer, {.session = session, .box = exchange.seal_answer(content)});
  const auto progress = pair.tell_caller(caller, answer);
  if (progress && progress->answer->verdict == Verdict::welcome)
    check(progress->host.has_value(), "a welcome is from a proven host");
}

void hear(std::uint8_t how, ByteView input) {
  HelloPair pair;
  pair.caller_entropy = fixed_entropy(13);  // so that recorded messages, in the corpus perhaps, are another's
  auto caller = pair.caller();
  switch (how % 7) {
    case 0: host_hears(pair, input); break;
    case 1: host_hears_call(pair, input); break;
    case 2: host_hears_proof(pair, input); break;
    case 3: check(!pair.tell_caller(caller, input), "nothing bare is taken for an introduction"); break;
    case 4: caller_hears(pair, HelloKind::introduction, input); break;
    case 5: caller_hears(pair, HelloKind::answer, input); break;
    default:
      pair.introduce(caller);
      check(!pair.tell_caller(caller, input), "nothing bare is taken for an answer");
      break;
  }
}

}  // namespace
}  // namespace wigwag

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) wigwag::hear(data[0], wigwag::ByteView(data + 1, size - 1));
  return 0;
}
