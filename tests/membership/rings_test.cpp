#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gossip/membership/rings.hpp"
#include "tests/base/seeded.hpp"
#include "tests/trust/random_statements.hpp"

namespace wigwag {
namespace {

const NetworkId network{blake2b(view_of("rings")).bytes};

std::vector<RingSeat> random_seats(Rng& rng, std::size_t size) {
  std::vector<RingSeat> seats;
  for (std::size_t i = 0; i < size; ++i) {
    const auto node = random_key<NodeId>(rng);
    seats.push_back({node, ring_positions(network, node)});
  }
  return seats;
}

// The rings as one draws them: all seats sorted by position, and walking on from one's own.
std::vector<NodeId> ring_from(const RingSeat& node, std::vector<RingSeat> seats, std::size_t ring) {
  std::erase_if(seats, [&](const RingSeat& seat) { return seat.node == node.node; });
  std::sort(seats.begin(), seats.end(), [&](const auto& a, const auto& b) { return a.at[ring] < b.at[ring]; });
  const auto next = std::find_if(seats.begin(), seats.end(), [&](const auto& seat) { return seat.at[ring] >= node.at[ring]; });
  std::rotate(seats.begin(), next, seats.end());
  std::vector<NodeId> order;
  for (const auto& seat : seats) order.push_back(seat.node);
  return order;
}

std::vector<NodeId> naive_subjects(const RingSeat& node, const std::vector<RingSeat>& seats) {
  std::vector<NodeId> chosen;
  for (std::size_t ring = 0; ring < ring_count(seats.size()); ++ring) {
    for (const auto& id : ring_from(node, seats, ring)) {
      if (std::find(chosen.begin(), chosen.end(), id) != chosen.end()) continue;
      chosen.push_back(id);
      break;
    }
  }
  return chosen;
}

bool naive_may_accuse(const RingSeat& accuser, const RingSeat& subject, const std::vector<RingSeat>& seats) {
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    const auto order = ring_from(accuser, seats, ring);
    const auto steps = std::find(order.begin(), order.end(), subject.node) - order.begin();
    if (steps <= static_cast<std::ptrdiff_t>(observer_slack)) return true;
  }
  return false;
}

TEST(Rings, GiveEveryNodeKDifferentSubjects) {
  for_seeds(60, [](Rng& rng) {
    const auto seats = random_seats(rng, 1 + rng.below(40));
    for (const auto& seat : seats) {
      const auto subjects = subjects_of(seat, seats);
      EXPECT_EQ(subjects.size(), std::min<std::size_t>(8, seats.size() - 1));
      EXPECT_EQ(std::set<NodeId>(subjects.begin(), subjects.end()).size(), subjects.size());
      EXPECT_EQ(std::count(subjects.begin(), subjects.end(), seat.node), 0);
    }
  });
}

TEST(Rings, OfNineOrFewerJoinAllWithAll) {
  for_seeds(40, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(8));
    for (const auto& seat : seats) EXPECT_EQ(subjects_of(seat, seats).size(), seats.size() - 1);
  });
}

TEST(Rings, AreTheSameInEveryOrderOfTheSeats) {
  for_seeds(40, [](Rng& rng) {
    auto seats = random_seats(rng, 2 + rng.below(30));
    const RingSeat node = seats[rng.below(seats.size())];
    const auto subjects = subjects_of(node, seats);
    const auto observers = observers_of(node, seats);
    rng.shuffle(seats);
    EXPECT_EQ(subjects_of(node, seats), subjects);
    EXPECT_EQ(observers_of(node, seats), observers);
  });
}

TEST(Rings, AreThoseThatOneWouldDraw) {
  for_seeds(60, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(40));
    const auto& node = rng.pick(seats);
    EXPECT_EQ(subjects_of(node, seats), naive_subjects(node, seats));
    for (const auto& other : seats) {
      if (other.node != node.node) {
        EXPECT_EQ(may_accuse(other, node, seats), naive_may_accuse(other, node, seats));
      }
    }
  });
}

TEST(Rings, LetEveryTrueObserverAccuse) {
  for_seeds(40, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(60));
    const auto seat_of = [&](const NodeId& id) { return *std::find_if(seats.begin(), seats.end(), [&](const auto& s) { return s.node == id; }); };
    for (const auto& node : seats) {
      for (const auto& observer : observers_of(node, seats)) EXPECT_TRUE(may_accuse(seat_of(observer), node, seats));
    }
  });
}

// Whoever watches a node must be heard even by one whose view lacks a member or has one more.
TEST(Rings, LetThemAccuseInAViewThatDiffersByThree) {
  for_seeds(40, [](Rng& rng) {
    const auto seats = random_seats(rng, 10 + rng.below(40));
    auto view = seats;
    view.resize(view.size() - 3);
    const auto more = random_seats(rng, 3);
    view.insert(view.end(), more.begin(), more.end());
    for (std::size_t i = 0; i + 3 < seats.size(); ++i) {
      for (const auto& observer : observers_of(seats[i], seats)) {
        const auto seat = *std::find_if(seats.begin(), seats.end(), [&](const auto& s) { return s.node == observer; });
        EXPECT_TRUE(may_accuse(seat, seats[i], view));
      }
    }
  });
}

TEST(Rings, LetNobodyAccuseFromAcrossALargeNetwork) {
  Rng rng(7);
  const auto seats = random_seats(rng, 300);
  std::size_t allowed = 0;
  for (const auto& seat : seats) allowed += seat.node != seats[0].node && may_accuse(seat, seats[0], seats) ? 1U : 0U;
  EXPECT_LE(allowed, rings_max * (observer_slack + 1));
  EXPECT_GE(allowed, rings_max);
}

TEST(Rings, DifferFromNetworkToNetwork) {
  const NodeId node{blake2b(view_of("node")).bytes};
  const NetworkId other{blake2b(view_of("other")).bytes};
  EXPECT_NE(ring_positions(network, node), ring_positions(other, node));
}

}  // namespace
}  // namespace wigwag
