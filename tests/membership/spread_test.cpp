#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gossip/membership/record.hpp"
#include "gossip/membership/spread.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

Item statement(std::uint64_t number, std::size_t size = 100) {
  Item item{ItemKind::record, Bytes(size, 0), {}, {}, {}};
  store_be64(item.statement.data(), number);
  return item;
}
std::uint64_t number_of(const Item& item) { return load_be64(item.statement.data()); }
std::uint64_t id_of(std::uint64_t number) { return statement_id(statement(number).statement); }

class SpreadTest : public testing::Test {
 protected:
  Outbox tick(Duration since) {
    Outbox out;
    spread.tick(instant(since), edges, out);
    return out;
  }
  static std::vector<std::uint64_t> pushed(const Outbox& out, const NodeId& to) {
    std::vector<std::uint64_t> numbers;
    for (const auto& mail : out) {
      const auto* push = std::get_if<Push>(&mail.message);
      if (push == nullptr || mail.to != to) continue;
      for (const auto& item : push->items) numbers.push_back(number_of(item));
    }
    return numbers;
  }
  template <class Kind>
  static std::vector<std::uint64_t> ids(const Outbox& out, const NodeId& to) {
    std::vector<std::uint64_t> all;
    for (const auto& mail : out) {
      const auto* message = std::get_if<Kind>(&mail.message);
      if (message != nullptr && mail.to == to) all.insert(all.end(), message->ids.begin(), message->ids.end());
    }
    return all;
  }
  using Numbers = std::vector<std::uint64_t>;

  Spread spread;
  const NodeId eager = numbered_id(1), eager_too = numbered_id(2), lazy = numbered_id(3), lazy_too = numbered_id(4);
  Spread::Edges edges{{eager, eager_too}, {lazy, lazy_too}};
};

TEST_F(SpreadTest, SendsAllToTheEagerAndIdsToTheLazy) {
  spread.add(statement(7), Urgency::records, std::nullopt);
  const auto out = tick(seconds(0));
  EXPECT_EQ(pushed(out, eager), Numbers{7});
  EXPECT_EQ(pushed(out, eager_too), Numbers{7});
  EXPECT_EQ(pushed(out, lazy), Numbers{});
  EXPECT_EQ(ids<Have>(out, lazy), Numbers{id_of(7)});
  EXPECT_EQ(ids<Have>(out, eager), Numbers{});
  EXPECT_TRUE(tick(seconds(1)).empty()) << "once";
}

TEST_F(SpreadTest, TellsNothingBackToWhoToldIt) {
  spread.add(statement(7), Urgency::records, eager);
  spread.add(statement(8), Urgency::records, lazy);
  const auto out = tick(seconds(0));
  EXPECT_EQ(pushed(out, eager), Numbers{8});
  EXPECT_EQ(pushed(out, eager_too), (Numbers{7, 8}));
  EXPECT_EQ(ids<Have>(out, lazy), Numbers{id_of(7)});
  EXPECT_EQ(ids<Have>(out, lazy_too), (Numbers{id_of(7), id_of(8)}));
}

TEST_F(SpreadTest, BatchesWhatComesWithinFiftyMilliseconds) {
  spread.add(statement(1), Urgency::records, std::nullopt);
  EXPECT_EQ(tick(seconds(0)).size(), 4U);
  spread.add(statement(2), Urgency::records, std::nullopt);
  spread.add(statement(3), Urgency::records, std::nullopt);
  EXPECT_TRUE(tick(milliseconds(49)).empty());
  EXPECT_EQ(spread.next_wakeup(), instant(milliseconds(50)));
  const auto out = tick(milliseconds(50));
  EXPECT_EQ(out.size(), 4U) << "one datagram an edge";
  EXPECT_EQ(pushed(out, eager), (Numbers{2, 3}));
  EXPECT_EQ(spread.next_wakeup(), never);
}

TEST_F(SpreadTest, AsksAfterAPauseForWhatItLacks) {
  spread.on_have(lazy, Have{{id_of(5)}}, instant(seconds(0)));
  EXPECT_TRUE(spread.awaiting());
  EXPECT_TRUE(tick(milliseconds(99)).empty()) << "the eager copy may be on its way";
  EXPECT_EQ(ids<Want>(tick(milliseconds(100)), lazy), Numbers{id_of(5)});
  EXPECT_TRUE(tick(milliseconds(200)).empty());
}

TEST_F(SpreadTest, AsksTheNextHolderAndThenLeavesItToAntiEntropy) {
  spread.on_have(lazy, Have{{id_of(5)}}, instant(seconds(0)));
  spread.on_have(lazy_too, Have{{id_of(5)}}, instant(seconds(0)));
  EXPECT_EQ(ids<Want>(tick(milliseconds(100)), lazy), Numbers{id_of(5)});
  EXPECT_EQ(ids<Want>(tick(milliseconds(700)), lazy_too), Numbers{id_of(5)});
  EXPECT_TRUE(tick(milliseconds(1300)).empty());
  EXPECT_FALSE(spread.awaiting());
}

TEST_F(SpreadTest, AsksNothingThatHasCome) {
  spread.on_have(lazy, Have{{id_of(5), id_of(6)}}, instant(seconds(0)));
  spread.note_held(id_of(5));
  EXPECT_EQ(ids<Want>(tick(milliseconds(100)), lazy), Numbers{id_of(6)});
  spread.on_have(lazy_too, Have{{id_of(5)}}, instant(seconds(1)));
  EXPECT_EQ(ids<Want>(tick(seconds(2)), lazy_too), Numbers{});
}

TEST_F(SpreadTest, GivesAskersWhatItSpread) {
  spread.add(statement(9), Urgency::records, std::nullopt);
  tick(seconds(0));
  Outbox out;
  spread.on_want(lazy, Want{{id_of(9), id_of(10)}}, out);
  EXPECT_EQ(pushed(out, lazy), Numbers{9});
}

TEST_F(SpreadTest, PutsLivenessFirstWhenTheBudgetIsShort) {
  for (std::uint64_t number = 0; number < 1000; ++number) spread.add(statement(number, 600), Urgency::records, std::nullopt);
  spread.add(statement(5000), Urgency::liveness, std::nullopt);
  const auto first = pushed(tick(seconds(0)), eager);
  ASSERT_FALSE(first.empty());
  EXPECT_EQ(first.front(), 5000U);
  EXPECT_LT(first.size(), 1000U) << "the budget is short";
  // What could not be carried follows, all of it, once.
  std::multiset<std::uint64_t> all(first.begin(), first.end());
  for (int batches = 1; batches < 800; ++batches) {
    for (const auto number : pushed(tick(milliseconds(50 * batches)), eager)) all.insert(number);
  }
  EXPECT_EQ(all.size(), 1001U);
  EXPECT_EQ(std::set<std::uint64_t>(all.begin(), all.end()).size(), 1001U);
}

TEST_F(SpreadTest, StaysWithinItsBudgetUnderAnyLoad) {
  std::size_t bytes = 0;
  std::uint64_t number = 0;
  constexpr int span_s = 20;
  for (int batches = 0; batches < span_s * 20; ++batches) {
    for (int i = 0; i < 20; ++i) spread.add(statement(++number, 600), i % 2 == 0 ? Urgency::records : Urgency::liveness, std::nullopt);
    for (const auto& mail : tick(milliseconds(50 * batches))) {
      if (std::holds_alternative<Push>(mail.message)) bytes += encode_message(mail.message).size();
    }
  }
  EXPECT_LE(bytes, 64'000U + 256'000U + span_s * (16'000U + 48'000U));
  EXPECT_GE(bytes, span_s * 48'000U) << "and uses it";
}

TEST_F(SpreadTest, QueuesABoundedNumber) {
  for (std::uint64_t number = 0; number < 5000; ++number) spread.add(statement(number, 10), Urgency::records, std::nullopt);
  std::set<std::uint64_t> numbers;
  for (int batches = 0; batches < 100; ++batches) {
    for (const auto sent : pushed(tick(milliseconds(50 * batches)), eager)) numbers.insert(sent);
  }
  EXPECT_EQ(numbers.size(), 2048U);
  EXPECT_EQ(*numbers.begin(), 5000U - 2048U) << "the oldest are left to anti-entropy";
}

TEST_F(SpreadTest, AwaitsABoundedNumber) {
  std::uint64_t id = 1;
  for (int times = 0; times < 100; ++times) {
    Have have;
    for (std::size_t i = 0; i < message_limits::ids; ++i) have.ids.push_back(++id);
    spread.on_have(lazy, have, instant(seconds(0)));
  }
  const auto out = tick(seconds(1));
  EXPECT_EQ(ids<Want>(out, lazy).size(), 1024U);
  for (const auto& mail : out) EXPECT_LE(std::get<Want>(mail.message).ids.size(), message_limits::ids);
}

}  // namespace
}  // namespace wigwag
