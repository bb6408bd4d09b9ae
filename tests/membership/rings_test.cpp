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

Rings rings_of(const std::vector<RingSeat>& seats) {
  Rings rings;
  for (const auto& seat : seats) rings.add(seat);
  return rings;
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

std::vector<NodeId> naive_observers(const RingSeat& node, const std::vector<RingSeat>& seats) {
  std::vector<NodeId> observers;
  if (seats.size() <= rings_max + 1) {
    observers = ring_from(node, seats, 0);
    const auto position = [&](const NodeId& id) { return std::find_if(seats.begin(), seats.end(), [&](const auto& s) { return s.node == id; })->at[0]; };
    std::sort(observers.begin(), observers.end(), [&](const auto& a, const auto& b) { return position(a) < position(b); });
    return observers;
  }
  for (std::size_t ring = 0; ring < rings_max; ++ring) {
    const auto order = ring_from(node, seats, ring);
    if (!order.empty() && std::find(observers.begin(), observers.end(), order.back()) == observers.end()) observers.push_back(order.back());
  }
  return observers;
}

bool naive_may_accuse(const RingSeat& accuser, const RingSeat& subject, const std::vector<RingSeat>& seats) {
  if (seats.size() <= rings_max + 1) return true;
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
      const auto subjects = rings_of(seats).subjects_of(seat);
      EXPECT_EQ(subjects.size(), std::min<std::size_t>(8, seats.size() - 1));
      EXPECT_EQ(std::set<NodeId>(subjects.begin(), subjects.end()).size(), subjects.size());
      EXPECT_EQ(std::count(subjects.begin(), subjects.end(), seat.node), 0);
    }
  });
}

TEST(Rings, OfNineOrFewerJoinAllWithAll) {
  for_seeds(40, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(8));
    for (const auto& seat : seats) {
      EXPECT_EQ(rings_of(seats).subjects_of(seat).size(), seats.size() - 1);
      EXPECT_EQ(rings_of(seats).observers_of(seat).size(), seats.size() - 1);
    }
  });
}

TEST(Rings, AreTheSameInEveryOrderOfTheSeats) {
  for_seeds(40, [](Rng& rng) {
    auto seats = random_seats(rng, 2 + rng.below(30));
    const RingSeat node = seats[rng.below(seats.size())];
    const auto subjects = rings_of(seats).subjects_of(node);
    const auto observers = rings_of(seats).observers_of(node);
    rng.shuffle(seats);
    EXPECT_EQ(rings_of(seats).subjects_of(node), subjects);
    EXPECT_EQ(rings_of(seats).observers_of(node), observers);
  });
}

TEST(Rings, AreThoseThatOneWouldDraw) {
  for_seeds(60, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(40));
    const auto& node = rng.pick(seats);
    EXPECT_EQ(rings_of(seats).subjects_of(node), naive_subjects(node, seats));
    EXPECT_EQ(rings_of(seats).observers_of(node), naive_observers(node, seats));
    for (const auto& other : seats) {
      if (other.node != node.node) {
        EXPECT_EQ(rings_of(seats).may_accuse(other, node), naive_may_accuse(other, node, seats));
      }
    }
  });
}

TEST(Rings, AreTheSameWhoeverCameAndWent) {
  for_seeds(40, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(40));
    Rings rings;
    std::vector<bool> there(seats.size());
    for (int step = 0; step < 100; ++step) {
      const auto one = rng.below(seats.size());
      there[one] ? rings.remove(seats[one]) : rings.add(seats[one]);
      there[one] = !there[one];
      std::vector<RingSeat> left;
      for (std::size_t i = 0; i < seats.size(); ++i) {
        if (there[i]) left.push_back(seats[i]);
      }
      ASSERT_EQ(rings.size(), left.size());
      const auto& node = rng.pick(seats);  // whether it has a seat or not
      auto with_it = left;
      if (std::none_of(left.begin(), left.end(), [&](const auto& seat) { return seat.node == node.node; })) with_it.push_back(node);
      EXPECT_EQ(rings.subjects_of(node), naive_subjects(node, with_it));
      EXPECT_EQ(rings.observers_of(node), naive_observers(node, with_it));
    }
  });
}

TEST(Rings, LetEveryTrueObserverAccuse) {
  for_seeds(40, [](Rng& rng) {
    const auto seats = random_seats(rng, 2 + rng.below(60));
    const auto seat_of = [&](const NodeId& id) { return *std::find_if(seats.begin(), seats.end(), [&](const auto& s) { return s.node == id; }); };
    for (const auto& node : seats) {
      for (const auto& observer : rings_of(seats).observers_of(node)) EXPECT_TRUE(rings_of(seats).may_accuse(seat_of(observer), node));
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
      for (const auto& observer : rings_of(seats).observers_of(seats[i])) {
        const auto seat = *std::find_if(seats.begin(), seats.end(), [&](const auto& s) { return s.node == observer; });
        EXPECT_TRUE(rings_of(view).may_accuse(seat, seats[i]));
      }
    }
  });
}

TEST(Rings, LetNobodyAccuseFromAcrossALargeNetwork) {
  Rng rng(7);
  const auto seats = random_seats(rng, 300);
  std::size_t allowed = 0;
  for (const auto& seat : seats) allowed += seat.node != seats[0].node && rings_of(seats).may_accuse(seat, seats[0]) ? 1U : 0U;
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
