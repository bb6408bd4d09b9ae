#pragma once

#include <optional>

#include "gossip/base/limits.hpp"
#include "gossip/trust/hello.hpp"
#include "tests/trust/small_world.hpp"

// One host, and callers as many as a test wants, with nothing between them but the test.
namespace wigwag {

inline Endpoint endpoint_of(std::string_view text) { return Endpoint::parse(text).value(); }

struct HelloPair {
  SmallWorld world;
  Entropy host_entropy = fixed_entropy(11);
  Entropy caller_entropy = fixed_entropy(12);
  Chain host_chain = world.founder_chain(world.sponsor);
  HelloHost host{world.network, host_entropy};
  Now now{Instant(hours(1)), SmallWorld::at(300)};
  Endpoint from = endpoint_of("198.51.100.7:40000");
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  HelloCaller caller() { return HelloCaller(world.network, caller_entropy); }

  HelloHost::Reaction tell_host(ByteView datagram) { return tell_host(from, datagram); }
  HelloHost::Reaction tell_host(const Endpoint& source, ByteView datagram) {
    auto reaction = host.receive(now, source, datagram, host_chain, world.sponsor, world.verifier);
    bytes_in += datagram.size();
    if (reaction.send) bytes_out += reaction.send->size();
    return reaction;
  }
  Result<HelloCaller::Progress, HelloFailure> tell_caller(HelloCaller& caller, ByteView datagram, const Bundle* known = nullptr) {
    return caller.receive(datagram, world.offer_of(world.joiner), world.joiner, world.verifier, known);
  }

  // Message 2 for a caller's message 1; the caller now offers message 3.
  Bytes introduce(HelloCaller& caller) {
    const Bytes introduction = tell_host(caller.outgoing()).send.value();
    check(tell_caller(caller, introduction).has_value(), "an introduction is taken");
    return introduction;
  }
  HelloHost::Call prove(HelloCaller& caller) { return tell_host(caller.outgoing()).call.value(); }
  // Messages 1 to 4, nothing lost.
  Result<HelloCaller::Progress, HelloFailure> complete(HelloCaller& caller, const HelloAnswer& answer,
                                                       const Bundle* known = nullptr) {
    introduce(caller);
    const auto call = prove(caller);
    return tell_caller(caller, host.answer(now, call.session, answer).value(), known);
  }
  // Calls from addresses of their own until `count` are half done.
  void crowd(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const Endpoint source{Address::ipv4(0xcb007100U + static_cast<std::uint32_t>(i)), 1000};
      auto extra = caller();
      auto reaction = tell_host(source, extra.outgoing());
      if (reaction.send && reaction.send->size() < 100) {  // a cookie
        check(tell_caller(extra, *reaction.send).has_value(), "a cookie is taken");
        reaction = tell_host(source, extra.outgoing());
      }
      check(reaction.send.has_value(), "a crowd finds room");
    }
  }
};

inline std::optional<HelloFailure> failure_of(const Result<HelloCaller::Progress, HelloFailure>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

}  // namespace wigwag
