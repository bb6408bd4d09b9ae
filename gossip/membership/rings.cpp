#include "gossip/membership/rings.hpp"

#include <algorithm>

#include "gossip/trust/crypto.hpp"

namespace wigwag {
namespace {

// How far one walks from `from` clockwise to `to`; zero only for the same position.
std::uint64_t distance(std::uint64_t from, std::uint64_t to) { return to - from; }

bool holds(const std::vector<NodeId>& chosen, const NodeId& node) {
  return std::find(chosen.begin(), chosen.end(), node) != chosen.end();
}

}  // namespace

RingPositions ring_positions(const NetworkId& network, const NodeId& node) {
  const auto digest = blake2b_512(node.view(), network.view());
  RingPositions positions{};
  for (std::size_t ring = 0; ring < rings_max; ++ring) positions[ring] = load_be64(digest.data() + 8 * ring);
  return positions;
}

std::vector<NodeId> subjects_of(const RingSeat& node, std::span<const RingSeat> seats) {
  const auto others = static_cast<std::size_t>(std::count_if(seats.begin(), seats.end(), [&](const auto& s) { return s.node != node.node; }));
  std::vector<NodeId> chosen;
  for (std::size_t ring = 0; ring < ring_count(others + 1); ++ring) {
    const RingSeat* nearest = nullptr;
    for (const auto& seat : seats) {
      if (seat.node == node.node || holds(chosen, seat.node)) continue;
      if (nearest == nullptr || distance(node.at[ring], seat.at[ring]) < distance(node.at[ring], nearest->at[ring])) nearest = &seat;
    }
    if (nearest != nullptr) chosen.push_back(nearest->node);
  }
  return chosen;
}

std::vector<NodeId> observers_of(const RingSeat& node, std::span<const RingSeat> seats) {
  std::vector<NodeId> observers;
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    const RingSeat* nearest = nullptr;
    for (const auto& seat : seats) {
      if (seat.node == node.node) continue;
      if (nearest == nullptr || distance(seat.at[ring], node.at[ring]) < distance(nearest->at[ring], node.at[ring])) nearest = &seat;
    }
    if (nearest != nullptr && !holds(observers, nearest->node)) observers.push_back(nearest->node);
  }
  return observers;
}

bool may_accuse(const RingSeat& accuser, const RingSeat& subject, std::span<const RingSeat> seats) {
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    const auto span = distance(accuser.at[ring], subject.at[ring]);
    std::size_t between = 0;
    for (const auto& seat : seats) {
      if (seat.node == accuser.node || seat.node == subject.node) continue;
      if (distance(accuser.at[ring], seat.at[ring]) < span && ++between > observer_slack) break;
    }
    if (between <= observer_slack) return true;
  }
  return false;
}

}  // namespace wigwag
