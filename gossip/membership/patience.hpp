#pragma once

#include <cstddef>
#include <map>

#include "gossip/base/key.hpp"
#include "gossip/base/time.hpp"

namespace wigwag {

// How often each member may still have an accuser answered whom we have refuted so often that nobody
// ought to count it any more. Whoever has come back remembers none of that and would take us for Down:
// it is answered as often as it takes to ignore the accuser, and once more, and then once a minute, so that
// liars who show each other's accusations do not make us speak all day. Holds at most askers_max; when full
// the one with most of its patience left makes room, because it loses least.
class Patience {
 public:
  bool take(const NodeId& asker, Instant now);

  static constexpr double answers = 4;
  static constexpr Duration regained = minutes(1);  // one of them
  static constexpr std::size_t askers_max = 256;

 private:
  struct Left {
    double answers = Patience::answers;
    Instant counted{};
    void fill(Instant now);
  };
  void make_room(Instant now);

  std::map<NodeId, Left> left_;
};

}  // namespace wigwag
