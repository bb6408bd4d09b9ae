#pragma once

#include <map>
#include <optional>
#include <utility>

#include "gossip/base/ip.hpp"
#include "gossip/base/rng.hpp"
#include "sim/world/weather.hpp"

namespace wigwag::sim {

// A socket behind a router.
struct NatInside {
  std::size_t host = 0;
  std::uint16_t port = 0;
  auto operator<=>(const NatInside&) const = default;
};

// A masquerading router: lends its own ports to the hosts inside, and lets in what its kind lets
// in. A mapping keeps the inside port where it is free, and ends when nothing has gone out through
// it for the idle time; so does the leave of each remote to answer.
class Nat {
 public:
  using Inside = NatInside;

  Nat(const NatKind& kind, std::uint64_t seed) : kind_(kind), rng_(seed) {}

  const NatKind& kind() const { return kind_; }
  // A datagram goes out: the outside port that it gets; nullopt when all ports are taken.
  std::optional<std::uint16_t> outgoing(Instant now, const Inside& inside, const Endpoint& to);
  // One comes to an outside port: whose it is; nullopt when it is not let in.
  std::optional<Inside> incoming(Instant now, std::uint16_t port, const Endpoint& from) const;
  // Forgets all mappings, as after a loss of power, and picks ports of its own from then on.
  void rebind();
  std::size_t mappings() const { return by_port_.size(); }

 private:
  struct Mapping {
    std::pair<Inside, std::optional<Endpoint>> key;
    Instant used{};                      // outwards
    std::map<Endpoint, Instant> remotes; // and for each that was written to
  };
  std::optional<std::uint16_t> free_port(Instant now, std::uint16_t wanted);
  void forget(std::uint16_t port);
  bool idle(Instant now, Instant used) const { return now >= used + kind_.idle; }

  NatKind kind_;
  Rng rng_;
  bool keeps_ports_ = true;
  std::map<std::pair<Inside, std::optional<Endpoint>>, std::uint16_t> outside_;  // the remote: for a symmetric one
  std::map<std::uint16_t, Mapping> by_port_;
};

// Whether two hosts, each behind such a router or behind none, can begin to talk to each other
// when both write to where the other is seen from, without anybody passing on what they send.
bool let_meet(const NatKind* a, const NatKind* b);

}  // namespace wigwag::sim
