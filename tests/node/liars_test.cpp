#include <gtest/gtest.h>

#include "tests/node/lone_node.hpp"

// One bad member, and what it must not be able to cause.
namespace wigwag {
namespace {

std::size_t pushed(const std::vector<Message>& messages) {
  std::size_t items = 0;
  for (const auto& push : LoneNode::only<Push>(messages)) items += push.items.size();
  return items;
}

Item accusation_of(const LoneNode& lone, std::uint64_t subject, Version version, std::uint64_t accuser) {
  const auto made = make_accusation({lone.mesh.id(subject), version, lone.mesh.id(accuser)}, lone.mesh.network, lone.mesh.identity(accuser));
  return {ItemKind::accusation, made.wire, {}, {}, {}};
}

// A newcomer's first handshake may be lost, and is tried again after five seconds.
TEST(Accusation, IsNotMadeOverAColdEdge) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(9));
  EXPECT_EQ(lone.node->counters().accusations_made, 0U);
  lone.run_for(seconds(20));
  EXPECT_GT(lone.node->counters().accusations_made, 0U) << "but whoever never answers is accused in the end";
}

TEST(Equivocation, IsPassedOnOnce) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(5));
  const Version version{900, 0};
  Record one = lone.mesh.record_body(2, version);
  Record two = one;
  two.listen_port = 4242;
  const auto kept = SmallMesh::record_item(lone.mesh.sign(one, 2));
  const auto other = SmallMesh::record_item(lone.mesh.sign(two, 2));
  lone.step(lone.from(0, Push{{kept}}));
  lone.step(lone.from(0, Push{{other}}));
  lone.run_for(seconds(5));
  lone.heard_by(3);
  for (int times = 0; times < 50; ++times) {
    lone.step(lone.from(0, Push{{other}}));
    lone.step(lone.from(3, Push{{kept}}));
    lone.run_for(milliseconds(100));
  }
  EXPECT_LE(pushed(lone.heard_by(3)) + pushed(lone.heard_by(2)), 4U) << "nothing new was heard";
}

TEST(Refutation, OfOneWhoNeverStopsGrowsRare) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto before = lone.status().self.sequence;
  for (int times = 0; times < 600; ++times) {
    const auto self = lone.status().self;
    lone.step(lone.from(2, Push{{accusation_of(lone, LoneNode::self, {self.epoch, self.sequence}, 2)}}));
    lone.run_for(milliseconds(500));
  }
  EXPECT_LE(lone.status().self.sequence - before, 30U) << "in five minutes";
}

TEST(Refutation, OfAnotherStaysQuickMeanwhile) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto accuse = [&](std::uint64_t accuser) {
    const auto self = lone.status().self;
    lone.step(lone.from(accuser, Push{{accusation_of(lone, LoneNode::self, {self.epoch, self.sequence}, accuser)}}));
  };
  for (int times = 0; times < 100; ++times) accuse(2), lone.run_for(milliseconds(500));
  const auto before = lone.status().self.sequence;
  accuse(3);
  lone.run_for(seconds(1));
  EXPECT_GT(lone.status().self.sequence, before);
}

// Who comes back remembers no refutation, and would take us for Down after ten seconds on one liar's word.
TEST(Refutation, OfOneWhoNeverStopsIsQuickForThoseToWhomTheLiarIsNew) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto accuse = [&](std::uint64_t teller) {
    const auto self = lone.status().self;
    lone.step(lone.from(teller, Push{{accusation_of(lone, LoneNode::self, {self.epoch, self.sequence}, 2)}}));
  };
  for (int times = 0; times < 200; ++times) accuse(2), lone.run_for(milliseconds(500));
  for (int times = 0; times < 3; ++times) {
    const auto before = lone.status().self.sequence;
    accuse(3);
    lone.run_for(seconds(1));
    EXPECT_GT(lone.status().self.sequence, before) << "shown for the " << times << ". time";
  }
}

TEST(Refutation, OfLiarsWhoShowEachOthersAccusationsGrowsRareToo) {
  LoneNode lone(20);
  lone.settle();
  lone.run_for(seconds(2));
  const auto before = lone.status().self.sequence;
  for (int times = 0; times < 600; ++times) {
    const auto self = lone.status().self;
    for (std::uint64_t liar = 2; liar < 6; ++liar) {
      lone.step(lone.from(2 + (liar - 1) % 4, Push{{accusation_of(lone, LoneNode::self, {self.epoch, self.sequence}, liar)}}));
    }
    lone.run_for(milliseconds(500));
  }
  EXPECT_LE(lone.status().self.sequence - before, 6U + 4 * 10U) << "in five minutes";
}

// Whoever shows it may have forgotten that accuser since, and would take us for Down for good.
TEST(Refutation, IsAlsoOfAnAccuserThatNobodyHereKnows) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  constexpr std::uint64_t stranger = 20;
  const auto first = lone.status().self.sequence;
  std::uint32_t before = first;
  for (int times = 0; times < 600; ++times) {
    const auto self = lone.status().self;
    lone.step(lone.from(2, Push{{accusation_of(lone, LoneNode::self, {self.epoch, self.sequence}, stranger)}}));
    lone.run_for(milliseconds(500));
    if (times == 1) {
      before = lone.status().self.sequence;
      EXPECT_GT(before, first);
    }
  }
  EXPECT_LE(lone.status().self.sequence - before, 30U) << "in five minutes";
}

// Else those who know the liar would differ for as long as it lies, and show each other the difference.
TEST(Accusation, OfOneRefutedThriceIsNotTaken) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto version_now = [&] { return Version{lone.member(2)->epoch, lone.member(2)->sequence}; };
  for (int times = 0; times < 4; ++times) {
    lone.step(lone.from(0, Push{{accusation_of(lone, 2, version_now(), 3)}}));
    EXPECT_EQ(lone.member(2)->health, times < 3 ? Health::suspect : Health::alive) << times;
    const auto before = version_now();
    lone.step(lone.from(0, Push{{SmallMesh::record_item(lone.mesh.record(2, {before.epoch, before.sequence + 1}))}}));
  }
}

bool is_told(LoneNode& lone, std::uint64_t subject) {
  for (const auto& push : LoneNode::only<Push>(lone.heard_by(subject))) {
    for (const auto& item : push.items) {
      if (item.kind == ItemKind::accusation) return true;
    }
  }
  return false;
}

// Whoever would have told it may ignore the accuser, and it may have no reason to speak to us.
TEST(Accusation, IsShownToTheAccusedBeforeItIsJudged) {
  LoneNode lone(30);
  lone.settle();
  lone.run_for(milliseconds(200));
  std::set<std::uint64_t> strangers;
  for (std::uint64_t number = 2; number < 30; ++number) strangers.insert(number);
  for (int times = 0; times < 200; ++times, lone.run_for(milliseconds(100))) {
    std::erase_if(strangers, [&](std::uint64_t number) { return !lone.heard_by(number).empty(); });
  }
  ASSERT_FALSE(strangers.empty()) << "somebody is no edge";
  const auto subject = *strangers.begin();
  const auto shown = lone.member(subject);
  lone.step(lone.from(2, Push{{accusation_of(lone, subject, {shown->epoch, shown->sequence}, 3)}}));
  EXPECT_FALSE(is_told(lone, subject));
  lone.run_for(seconds(5));
  EXPECT_TRUE(is_told(lone, subject));
}

TEST(Push, OfWhatIsOldIsAnsweredWithinTheBudget) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto old = accusation_of(lone, 2, {lone.member(2)->epoch, lone.member(2)->sequence}, 3);
  lone.step(lone.from(0, Push{{SmallMesh::record_item(lone.mesh.record(2, {900, 0}))}}));
  lone.run_for(seconds(1));
  lone.heard_by(3);
  std::size_t answers = 0;
  for (int times = 0; times < 4000; ++times) {
    lone.step(lone.from(3, Push{{old}}));
    answers += pushed(lone.heard_by(3));
  }
  EXPECT_GT(answers, 0U);
  EXPECT_LE(answers * 200, 512'000U) << "in an instant";
}

// A copied virtual machine: both speak with one key.
TEST(Twins, OutbidEachOtherEverMoreSlowly) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto first = lone.status().self.sequence;
  std::uint32_t epoch = lone.status().self.epoch;
  std::size_t told = 0;
  for (int times = 0; times < 600; ++times) {
    const auto self = lone.status().self;
    const Version above{epoch, self.sequence + 1};
    lone.step(lone.from(0, Push{{SmallMesh::record_item(lone.mesh.record(LoneNode::self, above))}}));
    lone.run_for(milliseconds(500));
  }
  told = static_cast<std::size_t>(std::count_if(lone.raised.begin(), lone.raised.end(), [](const Event& e) { return e.kind == EventKind::version_adopted; }));
  EXPECT_LE(told, 15U);
  EXPECT_GE(told, 3U);
  EXPECT_GT(lone.status().self.sequence, first);
}

TEST(Want, OfOneIsAnsweredWithinABudget) {
  LoneNode lone;
  lone.settle();
  lone.run_for(seconds(2));
  const auto news = SmallMesh::record_item(lone.mesh.record(2, {900, 0}));
  lone.step(lone.from(0, Push{{news}}));
  lone.run_for(seconds(1));
  lone.heard_by(3);
  const Want want{std::vector<std::uint64_t>(100, statement_id(news.statement))};
  std::size_t answers = 0;
  for (int times = 0; times < 2000; ++times) {
    lone.step(lone.from(3, want));
    answers += LoneNode::only<Push>(lone.heard_by(3)).size();
  }
  EXPECT_GT(answers, 0U);
  EXPECT_LE(answers * limits::datagram_payload, 700'000U) << "in an instant";
}

// "I have nothing": less than a hundred bytes, answered with all that a datagram's worth of asking may cost.
TEST(Compare, OfOneThatIsNeverContentTakesNothingFromTheOthers) {
  LoneNode lone(30);
  lone.settle();
  lone.run_for(seconds(2));
  Compare nothing{lone.now.wall, std::nullopt, false, {}};
  nothing.ranges.push_back({.listed = true, .entries = {}});
  std::size_t answered = 0;
  std::size_t refused = 0;
  for (int times = 0; times < 60 * 20; ++times) {
    lone.step(lone.from(2, nothing));
    if (times % 20 == 10) {
      lone.heard_by(3);
      lone.step(lone.from(3, Need{{key_of(lone.mesh.id(4))}}));
      ++(pushed(lone.heard_by(3)) > 0 ? answered : refused);
    }
    lone.run_for(milliseconds(50));
  }
  EXPECT_EQ(refused, 0U);
  EXPECT_EQ(answered, 60U);
}

// In step with everybody, but for one who announces on and on what nobody has.
TEST(Have, OfWhatNobodyHasDoesNotKeepANodeFromBeingConverged) {
  LoneNode lone(2);
  lone.settle();
  std::uint64_t invented = 1;
  std::size_t seconds_converged = 0;
  for (int second = 0; second < 60; ++second) {
    for (const auto& compare : LoneNode::only<Compare>(lone.heard_by(0))) lone.step(lone.from(0, compare));
    lone.step(lone.from(0, Ping{static_cast<std::uint32_t>(2 * second)}));
    for (int times = 0; times < 5; ++times) {
      lone.step(lone.from(0, Have{{++invented}}));
      lone.run_for(milliseconds(200));
    }
    if (lone.status().converged) ++seconds_converged;
  }
  EXPECT_GE(seconds_converged, 50U);
}

}  // namespace
}  // namespace wigwag
