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

TEST_F(SpreadTest, DropsAccusationsThatHaveBecomeMoot) {
  SmallMesh mesh;
  const auto accusation = [&](std::uint64_t subject) {
    return Item{ItemKind::accusation, make_accusation({mesh.id(subject), {1, 0}, mesh.id(9)}, mesh.network, mesh.identity(9)).wire, {}, {}, {}};
  };
  spread.add(accusation(5), Urgency::liveness, std::nullopt);
  spread.add(accusation(6), Urgency::liveness, std::nullopt);
  spread.add(statement(7), Urgency::liveness, std::nullopt);
  spread.retract([&](const Accusation& said) { return said.subject == mesh.id(5); });
  const auto out = tick(seconds(0));
  EXPECT_EQ(ids<Have>(out, lazy), (Numbers{statement_id(accusation(6).statement), id_of(7)}));
}

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
  EXPECT_TRUE(spread.awaiting(instant(seconds(0))));
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
  EXPECT_FALSE(spread.awaiting(instant(milliseconds(1300))));
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

// A burst of records must not cost anybody the accusation that was waiting, nor a goodbye.
TEST_F(SpreadTest, LetsGoOfTheOldestOfTheLeastUrgentWhenTooManyWait) {
  constexpr std::uint64_t urgent = 10'000;
  for (std::uint64_t number = 0; number < 300; ++number) spread.add(statement(urgent + number, 300), Urgency::liveness, std::nullopt);
  for (std::uint64_t number = 0; number < 1500; ++number) spread.add(statement(number, 300), Urgency::records, std::nullopt);
  std::set<std::uint64_t> numbers;
  const auto collect = [&](int batch) {
    for (const auto sent : pushed(tick(milliseconds(50 * batch)), eager)) numbers.insert(sent);
  };
  collect(0);  // what is left waits behind the budget
  for (std::uint64_t number = 1500; number < 4000; ++number) spread.add(statement(number, 300), Urgency::records, std::nullopt);
  for (int batch = 1; batch < 3000; ++batch) collect(batch);
  for (std::uint64_t number = 0; number < 300; ++number) EXPECT_TRUE(numbers.contains(urgent + number)) << number;
  EXPECT_TRUE(numbers.contains(3999)) << "the newest record";
  EXPECT_FALSE(numbers.contains(1499)) << "the oldest make room";
}

TEST_F(SpreadTest, LetsGoOfANewRecordWhereAllThatWaitIsMoreUrgent) {
  for (std::uint64_t number = 0; number < 2048; ++number) spread.add(statement(number, 10), Urgency::liveness, std::nullopt);
  spread.add(statement(5000, 10), Urgency::records, std::nullopt);
  std::set<std::uint64_t> numbers;
  for (int batch = 0; batch < 200; ++batch) {
    for (const auto sent : pushed(tick(milliseconds(50 * batch)), eager)) numbers.insert(sent);
  }
  EXPECT_EQ(numbers.size(), 2048U);
  EXPECT_FALSE(numbers.contains(5000));
}

Have invented(std::uint64_t first, std::size_t count = message_limits::ids) {
  Have have;
  for (std::size_t i = 0; i < count; ++i) have.ids.push_back(first + i);
  return have;
}

TEST_F(SpreadTest, AwaitsABoundedNumber) {
  for (std::uint64_t announcer = 100; announcer < 110; ++announcer) {
    for (std::uint64_t times = 0; times < 9; ++times) spread.on_have(numbered_id(announcer), invented(announcer * 10'000 + times * 1000), instant(seconds(0)));
  }
  std::size_t asked = 0;
  for (const auto& mail : tick(seconds(1))) {
    const auto& want = std::get<Want>(mail.message);
    EXPECT_LE(want.ids.size(), message_limits::ids);
    asked += want.ids.size();
  }
  EXPECT_EQ(asked, 1024U);
}

TEST_F(SpreadTest, HearsTheOthersBesideOneWhoNeverStopsAnnouncing) {
  for (std::uint64_t times = 0; times < 100; ++times) spread.on_have(lazy, invented(1 + 1000 * times), instant(seconds(0)));
  spread.on_have(lazy_too, Have{{id_of(5)}}, instant(seconds(0)));
  const auto out = tick(milliseconds(100));
  EXPECT_EQ(ids<Want>(out, lazy).size(), 128U);
  EXPECT_EQ(ids<Want>(out, lazy_too), Numbers{id_of(5)});
}

TEST_F(SpreadTest, NotesFurtherHoldersOfWhatItAwaitsHoweverMuchThatIs) {
  for (std::uint64_t announcer = 100; announcer < 109; ++announcer) {
    for (std::uint64_t times = 0; times < 2; ++times) spread.on_have(numbered_id(announcer), invented(announcer * 10'000 + times * 1000), instant(seconds(0)));
  }
  const std::uint64_t awaited = 100 * 10'000;
  spread.on_have(lazy, Have{{id_of(5), awaited}}, instant(seconds(0)));
  tick(milliseconds(100));
  EXPECT_EQ(ids<Want>(tick(milliseconds(700)), lazy), Numbers{awaited}) << "asked for what there was no room for, or not at all";
}

// Whether a node has all there is to know is not for one to deny who announces what nobody has.
TEST_F(SpreadTest, WaitsOnceAMinuteForWhatOneInvents) {
  Duration waiting{};
  for (int tenths = 0; tenths < 1200; ++tenths) {
    const Duration at = milliseconds(100) * tenths;
    spread.on_have(lazy, Have{{1 + static_cast<std::uint64_t>(tenths)}}, instant(at));
    tick(at);
    if (spread.awaiting(instant(at))) waiting += milliseconds(100);
  }
  EXPECT_GT(waiting, Duration::zero());
  EXPECT_LE(waiting, seconds(3));
  spread.on_have(lazy, Have{{id_of(5)}}, instant(minutes(2)));
  spread.on_have(lazy_too, Have{{id_of(5)}}, instant(minutes(2)));
  EXPECT_TRUE(spread.awaiting(instant(minutes(2)))) << "another says so too";
}

}  // namespace
}  // namespace wigwag
