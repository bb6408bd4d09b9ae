#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gossip/base/key.hpp"

// K hash rings over the node ids (after Rapid's, ATC 2018): who watches whom, and along
// which edges gossip flows. Everything here is a pure function of the set of live members,
// so equal views give equal rings, and nobody can choose its observers.
namespace wigwag {

inline constexpr std::size_t rings_max = 8;       // K
inline constexpr std::size_t eager_edges = 3;     // successors in the first rings get statements at once
inline constexpr std::size_t observer_slack = 4;  // further positions accepted of an accuser, for views that differ

// A node's place in each ring: BLAKE2b-512 of its id, keyed with the network id, in eight
// big-endian numbers.
using RingPositions = std::array<std::uint64_t, rings_max>;
RingPositions ring_positions(const NetworkId& network, const NodeId& node);

// One live member as the rings see it.
struct RingSeat {
  NodeId node;
  RingPositions at;
};

// K for a network of this many live members: min(8, N - 1).
constexpr std::size_t ring_count(std::size_t live) { return live <= 1 ? 0 : live - 1 < rings_max ? live - 1 : rings_max; }
// H: this many of K observers must agree.
// Where some of them abstain, more than half of the rest.
constexpr std::size_t quorum(std::size_t live, std::size_t abstaining = 0) {
  const auto all = ring_count(live);
  return (abstaining < all ? all - abstaining : 0) / 2 + 1;
}
static_assert(quorum(2) == 1 && quorum(3) == 2 && quorum(8) == 4 && quorum(1000) == 5);
static_assert(quorum(1000, 3) == 3 && quorum(1000, 4) == 3 && quorum(3, 9) == 1);

// The seats of the live members, kept in the order of each ring, so that a neighbour is found
// in log N steps and who comes or goes costs no more. Refers to the seats, which stay where they
// are until they are removed.
class Rings {
 public:
  // A seat that is not there yet, and one that is.
  void add(const RingSeat& seat);
  void remove(const RingSeat& seat);
  std::size_t size() const { return order_[0].size(); }

  // The members that `node` watches: in ring after ring its first successor not yet chosen, so
  // that there are K different ones. The node itself may have a seat or not. The first
  // `eager_edges` of them are the eager edges.
  std::vector<NodeId> subjects_of(const RingSeat& node) const;
  // The members that watch `node` for certain: its nearest predecessor in each ring, each once; all
  // others while there are no more of them than rings.
  std::vector<NodeId> observers_of(const RingSeat& node) const;
  // Whether `accuser` may speak about `subject`: in some ring at most `observer_slack` seats
  // stand between them, or there are so few that all watch all.
  bool may_accuse(const RingSeat& accuser, const RingSeat& subject) const;

 private:
  using Order = std::vector<const RingSeat*>;  // by position, then by id
  static std::size_t first_from(const Order& order, std::size_t ring, std::uint64_t position);
  bool holds(const RingSeat& seat) const;

  std::array<Order, rings_max> order_;
};

}  // namespace wigwag
