#include "gossip/membership/rings.hpp"

#include <algorithm>

#include "gossip/base/check.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag {
namespace {

// How far one walks from `from` clockwise to `to`; zero only for the same position.
std::uint64_t distance(std::uint64_t from, std::uint64_t to) { return to - from; }

bool chosen_already(const std::vector<NodeId>& chosen, const NodeId& node) {
  return std::find(chosen.begin(), chosen.end(), node) != chosen.end();
}

bool comes_before(const RingSeat& a, const RingSeat& b, std::size_t ring) {
  return a.at[ring] != b.at[ring] ? a.at[ring] < b.at[ring] : a.node < b.node;
}

}  // namespace

RingPositions ring_positions(const NetworkId& network, const NodeId& node) {
  const auto digest = blake2b_512(node.view(), network.view());
  RingPositions positions{};
  for (std::size_t ring = 0; ring < rings_max; ++ring) positions[ring] = load_be64(digest.data() + 8 * ring);
  return positions;
}

// The place of the first seat at or behind a position; the number of seats when there is none.
std::size_t Rings::first_from(const Order& order, std::size_t ring, std::uint64_t position) {
  const auto found = std::lower_bound(order.begin(), order.end(), position, [ring](const RingSeat* seat, std::uint64_t at) { return seat->at[ring] < at; });
  return static_cast<std::size_t>(found - order.begin());
}

void Rings::add(const RingSeat& seat) {
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    auto& order = order_[ring];
    order.insert(std::lower_bound(order.begin(), order.end(), &seat,
                                  [ring](const RingSeat* a, const RingSeat* b) { return comes_before(*a, *b, ring); }),
                 &seat);
  }
}

void Rings::remove(const RingSeat& seat) {
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    auto& order = order_[ring];
    const auto place = std::lower_bound(order.begin(), order.end(), &seat,
                                        [ring](const RingSeat* a, const RingSeat* b) { return comes_before(*a, *b, ring); });
    check(place != order.end() && (*place)->node == seat.node, "who leaves the rings had a seat in each");
    order.erase(place);
  }
}

bool Rings::holds(const RingSeat& seat) const {
  const auto& order = order_[0];
  for (auto at = first_from(order, 0, seat.at[0]); at < order.size() && order[at]->at[0] == seat.at[0]; ++at) {
    if (order[at]->node == seat.node) return true;
  }
  return false;
}

std::vector<NodeId> Rings::subjects_of(const RingSeat& node) const {
  const auto others = size() - (holds(node) ? 1 : 0);
  std::vector<NodeId> chosen;
  for (std::size_t ring = 0; ring < ring_count(others + 1); ++ring) {
    const auto& order = order_[ring];
    const auto first = first_from(order, ring, node.at[ring]);
    for (std::size_t step = 0; step < order.size(); ++step) {
      const NodeId& next = order[(first + step) % order.size()]->node;
      if (next == node.node || chosen_already(chosen, next)) continue;
      chosen.push_back(next);
      break;
    }
  }
  return chosen;
}

std::vector<NodeId> Rings::observers_of(const RingSeat& node) const {
  std::vector<NodeId> observers;
  if (size() - (holds(node) ? 1 : 0) <= rings_max) {
    for (const RingSeat* seat : order_[0]) {
      if (seat->node != node.node) observers.push_back(seat->node);
    }
    return observers;
  }
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    const auto& order = order_[ring];
    const auto behind = first_from(order, ring, node.at[ring] + 1) + (node.at[ring] == UINT64_MAX ? order.size() : 0);
    for (std::size_t step = 1; step <= order.size(); ++step) {
      const NodeId& previous = order[(behind + order.size() - step) % order.size()]->node;
      if (previous == node.node) continue;
      if (!chosen_already(observers, previous)) observers.push_back(previous);
      break;
    }
  }
  return observers;
}

bool Rings::may_accuse(const RingSeat& accuser, const RingSeat& subject) const {
  if (size() <= rings_max + 1) return true;
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    const auto& order = order_[ring];
    const auto span = distance(accuser.at[ring], subject.at[ring]);
    const auto first = first_from(order, ring, accuser.at[ring]);
    std::size_t between = 0;
    for (std::size_t step = 0; step < order.size() && between <= observer_slack; ++step) {
      const RingSeat& seat = *order[(first + step) % order.size()];
      if (distance(accuser.at[ring], seat.at[ring]) >= span) break;
      if (seat.node != accuser.node && seat.node != subject.node) ++between;
    }
    if (between <= observer_slack) return true;
  }
  return false;
}

}  // namespace wigwag
