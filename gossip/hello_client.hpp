#pragma once

#include <map>
#include <optional>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/base/time.hpp"
#include "gossip/input.hpp"
#include "gossip/trust/identity.hpp"

namespace wigwag {

// Our outgoing hellos: at most attempts_max at a time, each to one endpoint, repeated with
// growing pauses until answered or given up.
class HelloClient {
 public:
  static constexpr std::size_t attempts_max = 4;
  static constexpr Duration patience = seconds(8);

  HelloClient(const NetworkId& network, std::uint64_t seed) : network_(network), rng_(seed) {}

  // Begins an attempt; nothing when one to this endpoint runs or there is no room.
  void call(const Endpoint& to, Instant now, Entropy& entropy, Outputs& out);

  struct Finished {
    Endpoint host;
    std::optional<HelloAnswer> answer;     // absent: who answered cannot be trusted
    std::optional<Chain> chain;            // the host's
  };
  std::optional<Finished> receive(const HelloDatagram& datagram, Instant now, const HelloOffer& offer, Identity& self,
                                  Verifier& verifier, const Bundle* known, Outputs& out);

  // Repeats what is due; returns the endpoints that were given up.
  std::vector<Endpoint> tick(Instant now, Outputs& out);
  Instant next_wakeup() const;

 private:
  struct Attempt {
    HelloCaller caller;
    Instant began;
    Instant repeat;
    Duration pause;
  };
  void send(const Endpoint& to, Attempt& attempt, Instant now, Outputs& out);

  NetworkId network_;
  Rng rng_;
  std::map<Endpoint, Attempt> attempts_;
};

}  // namespace wigwag
