#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/secret.hpp"
#include "gossip/base/time.hpp"
#include "gossip/trust/crypto.hpp"

// What stands between a stranger's first message and our curve work.
namespace wigwag {

using HelloCookie = std::array<std::uint8_t, 16>;

// Stateless proof that a caller receives at the address it sends from: a keyed hash of that
// address and port. The key is redrawn every two minutes; the one before still counts, so a
// cookie holds for at least two minutes and at most four.
class CookieJar {
 public:
  explicit CookieJar(Entropy& entropy) : entropy_(&entropy) {}
  HelloCookie bake(Instant now, const Endpoint& from);
  bool accepts(Instant now, const Endpoint& from, const HelloCookie& cookie);

 private:
  using Key = Secret<struct CookieKeyRole>;
  void rotate(Instant now);
  static HelloCookie bake_with(const Key& key, const Endpoint& from);

  Entropy* entropy_;
  Key current_;
  Key previous_;
  bool drawn_ = false;
  Instant drawn_at_{};
};

// The first messages that were seen of late, by their ephemeral, so that a replayed one gets no
// answer. Holds limits::remembered_hellos; the oldest is forgotten, and a replay of it would get
// an introduction that only the first sender can read.
class CallMemory {
 public:
  struct Seen {
    Endpoint from;
    bool taken = false;       // led to an introduction; otherwise to a cookie
    std::size_t cookies = 0;  // how many were sent
  };
  // nullptr when not seen.
  Seen* find(const HelloKey& caller);
  // Finds it or begins to remember it. The reference holds until the next call.
  Seen& remember(const HelloKey& caller, const Endpoint& from);

 private:
  std::map<HelloKey, Seen> seen_;
  std::deque<HelloKey> order_;
};

}  // namespace wigwag
