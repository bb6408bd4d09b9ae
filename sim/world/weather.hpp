#pragma once

#include <cstdint>
#include <optional>

#include "gossip/base/time.hpp"

namespace wigwag::sim {

// Parts in a million: what is rare must be sayable, and integers give one run on every machine.
using Ppm = std::uint32_t;
inline constexpr Ppm always_ppm = 1'000'000;

// How long a datagram is under way, one way.
struct Latency {
  enum class Shape : std::uint8_t {
    fixed,      // `least`
    uniform,    // between `least` and `most`
    long_tail,  // half take at most `least`; one in a thousand takes `most` or longer (Pareto), none ten times that
  };
  Shape shape = Shape::uniform;
  Duration least = milliseconds(5);
  Duration most = milliseconds(45);
  bool operator==(const Latency&) const = default;
};

// Loss that comes in bursts (Gilbert and Elliott): a host's link is good or bad, for random times.
struct LossBursts {
  Ppm loss = 0;                          // while it is bad; 0: it never is
  Duration lasting = milliseconds(500);  // on average
  Duration between = seconds(30);        // on average
  bool operator==(const LossBursts&) const = default;
};

// How links treat what they carry.
struct Weather {
  using Bursts = LossBursts;
  Latency latency{};                     // between hosts whose regions say nothing else
  Ppm loss = 0;                          // of each datagram by itself
  LossBursts bursts{};
  Ppm duplication = 0;
  Ppm reordering = 0;                    // datagrams held back by up to `reordered_by`
  Duration reordered_by = milliseconds(50);
  std::uint64_t bandwidth = 0;           // bytes a second out of a host; 0: without end
  Duration queue = milliseconds(200);    // what may wait for that; more is dropped
  std::uint32_t mtu = 0;                 // IP packets above vanish without a word; 0: none do
  bool operator==(const Weather&) const = default;
};

// What a router does with what its hosts send and with what comes for them (RFC 4787's terms).
struct NatKind {
  enum class Filter : std::uint8_t {
    endpoint_independent,  // "full cone": whoever knows the mapping may answer
    address,               // "address-restricted"
    address_and_port,      // "port-restricted"
  };
  Filter filter = Filter::address_and_port;
  bool symmetric = false;                // another mapping for every destination
  bool hairpin = false;                  // its hosts reach each other by its outside address
  Duration idle = minutes(2);            // a mapping that carries nothing outwards for so long is forgotten
  bool operator==(const NatKind&) const = default;
};

}  // namespace wigwag::sim
