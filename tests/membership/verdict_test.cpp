#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/membership/verdict.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

constexpr Duration moment = milliseconds(1);

class VerdictsTest : public testing::Test {
 protected:
  static constexpr std::uint64_t size = 12;

  // Members in the order of their right to accuse member 1: true observers first.
  std::vector<std::uint64_t> accusers(bool legal) {
    std::vector<std::uint64_t> numbers;
    const auto& subject = roster.find(mesh.id(1))->place->seat;
    for (std::uint64_t number = 0; number < size; ++number) {
      if (number != 1 && roster.rings().may_accuse(roster.find(mesh.id(number))->place->seat, subject) == legal) numbers.push_back(number);
    }
    return numbers;
  }
  void accuse(std::uint64_t accuser, std::uint64_t subject, Instant at, Version version = {1, 0}) {
    ASSERT_EQ(roster.apply_accusation(mesh.accusation(accuser, subject, version), at).applied, Applied::updated);
  }
  void accuse_by(std::size_t count, Instant at, Version version = {1, 0}) {
    const auto by = accusers(true);
    ASSERT_GE(by.size(), count);
    for (std::size_t i = 0; i < count; ++i) accuse(by[i], 1, at, version);
  }
  void refute(std::uint64_t number, Version version, Instant at) {
    ASSERT_EQ(mesh.apply(roster, SmallMesh::record_item(mesh.record(number, version))).applied, Applied::updated);
    Member& member = *roster.find(mesh.id(number));
    verdicts.note_refuted(member.id(), std::exchange(member.refuted, {}), at);
  }
  std::vector<NodeId> at(Duration since) { return verdicts.evaluate(instant(since), roster); }

  SmallMesh mesh;
  Roster roster = mesh.roster_of(size);
  Verdicts verdicts;
  const std::size_t needed = quorum(size);
  const std::vector<NodeId> nobody;
};

TEST_F(VerdictsTest, FallAfterEnoughAccusationsAndAGrace) {
  accuse_by(needed, instant(seconds(0)));
  EXPECT_EQ(at(seconds(0)), nobody);
  EXPECT_EQ(verdicts.next_wakeup(), instant(Verdicts::refutation_grace));
  EXPECT_EQ(at(Verdicts::refutation_grace - moment), nobody);
  EXPECT_EQ(at(Verdicts::refutation_grace), std::vector<NodeId>{mesh.id(1)});
  EXPECT_EQ(roster.find(mesh.id(1))->health, Health::dead);
  EXPECT_EQ(roster.live_count(), size - 1);
  EXPECT_EQ(at(Verdicts::refutation_grace + seconds(1)), nobody) << "once";
}

TEST_F(VerdictsTest, NeverFallWithOneAccusationFewer) {
  accuse_by(needed - 1, instant(seconds(0)));
  for (Duration since{}; since < hours(1); since += seconds(5)) ASSERT_EQ(at(since), nobody);
}

TEST_F(VerdictsTest, NeverFallOnTheWordOfThoseWhoAreLeftOut) {
  accuse_by(needed, instant(seconds(0)));
  roster.find(mesh.id(accusers(true)[0]))->excluded = true;
  for (Duration since{}; since < hours(1); since += seconds(5)) ASSERT_EQ(at(since), nobody);
}

TEST_F(VerdictsTest, DoNotFallOnTheRefuted) {
  accuse_by(needed, instant(seconds(0)));
  EXPECT_EQ(at(seconds(1)), nobody);
  refute(1, {1, 1}, instant(seconds(1)));
  EXPECT_EQ(at(hours(1)), nobody);
  EXPECT_EQ(roster.find(mesh.id(1))->health, Health::alive);
}

TEST_F(VerdictsTest, AreTakenBackByANewerRecord) {
  accuse_by(needed, instant(seconds(0)));
  at(seconds(0));
  EXPECT_EQ(at(seconds(2)).size(), 1U);
  refute(1, {1, 1}, instant(seconds(3)));
  EXPECT_EQ(roster.live_count(), size);
}

TEST_F(VerdictsTest, StartTheGraceWhenTheLastNeededVoteComes) {
  accuse_by(needed - 1, instant(seconds(0)));
  EXPECT_EQ(at(seconds(4)), nobody);
  accuse(accusers(true)[needed - 1], 1, instant(seconds(5)));
  EXPECT_EQ(at(seconds(5)), nobody);
  EXPECT_EQ(at(seconds(5) + Verdicts::refutation_grace - moment), nobody);
  EXPECT_EQ(at(seconds(5) + Verdicts::refutation_grace).size(), 1U);
}

// In a network this large some have no place near member 1.
TEST_F(VerdictsTest, TakeVotesFromTheWrongPlacesOnlyAfterALongGrace) {
  roster = mesh.roster_of(120);
  std::size_t votes = 0;
  for (std::uint64_t number = 2; number < 120 && votes < quorum(120); ++number) {
    if (roster.rings().may_accuse(roster.find(mesh.id(number))->place->seat, roster.find(mesh.id(1))->place->seat)) continue;
    accuse(number, 1, instant(seconds(0)));
    ++votes;
  }
  ASSERT_EQ(votes, quorum(120));
  EXPECT_EQ(at(Verdicts::lonely_grace - moment), nobody);
  EXPECT_EQ(at(Verdicts::lonely_grace), std::vector<NodeId>{mesh.id(1)});
}

// A cut leaves members 0, 1 and 2 on their side; the other nine are silent.
TEST_F(VerdictsTest, LetAMinorityNoticeThatTheMajorityIsGone) {
  for (std::uint64_t gone = 3; gone < size; ++gone) {
    for (std::uint64_t left = 0; left < 3; ++left) accuse(left, gone, instant(seconds(0)));
  }
  EXPECT_EQ(at(Verdicts::lonely_grace - moment), nobody);
  Duration since = Verdicts::lonely_grace;
  while (roster.live_count() > 3 && since < seconds(20)) at(since += milliseconds(100));
  EXPECT_EQ(roster.live_count(), 3U);
  for (std::uint64_t left = 0; left < 3; ++left) EXPECT_TRUE(roster.find(mesh.id(left))->live());
}

TEST_F(VerdictsTest, OfTwoNodesAreTheOnesOwn) {
  roster = mesh.roster_of(2);
  accuse(0, 1, instant(seconds(0)));
  at(seconds(0));
  EXPECT_EQ(at(Verdicts::refutation_grace), std::vector<NodeId>{mesh.id(1)});
}

TEST_F(VerdictsTest, IgnoreAnAccuserRefutedThreeTimesInTenMinutes) {
  const auto by = accusers(true);
  for (std::uint32_t time = 0; time < 3; ++time) {
    EXPECT_FALSE(verdicts.is_ignored(mesh.id(1), mesh.id(by[0]), instant(minutes(time))));
    accuse(by[0], 1, instant(minutes(time)), {1, time});
    refute(1, {1, time + 1}, instant(minutes(time)));
  }
  const Duration soon = minutes(2) + seconds(20);
  EXPECT_TRUE(verdicts.is_ignored(mesh.id(1), mesh.id(by[0]), instant(soon)));
  EXPECT_FALSE(verdicts.is_ignored(mesh.id(2), mesh.id(by[0]), instant(soon))) << "of others it is believed";
  accuse_by(needed, instant(soon), {1, 3});
  EXPECT_EQ(at(soon), nobody);
  EXPECT_EQ(at(soon + seconds(5)), nobody) << "one vote does not count";
  EXPECT_FALSE(verdicts.is_ignored(mesh.id(1), mesh.id(by[0]), instant(minutes(3)))) << "a minute after it was refuted last";
  refute(1, {1, 4}, instant(minutes(4)));
  EXPECT_TRUE(verdicts.is_ignored(mesh.id(1), mesh.id(by[0]), instant(minutes(4)))) << "once more is enough";
  EXPECT_FALSE(verdicts.is_ignored(mesh.id(1), mesh.id(by[0]), instant(minutes(10)))) << "ten minutes after the first";
}

// Nothing more may be said of who is gone: that its accusers count again is all that happens.
TEST_F(VerdictsTest, LookAgainWhenAnAccuserIsIgnoredNoMore) {
  const auto watches = [&](std::uint64_t number) {
    const auto subjects = roster.rings().subjects_of(roster.find(mesh.id(number))->place->seat);
    return std::find(subjects.begin(), subjects.end(), mesh.id(1)) != subjects.end();
  };
  std::uint64_t last = 0;  // of one who watches nothing would be asked meanwhile
  while (last == 1 || watches(last)) ++last;
  ASSERT_LT(last, size);
  for (int times = 0; times < 3; ++times) verdicts.note_refuted(mesh.id(1), {mesh.id(last)}, instant(seconds(0)));
  accuse(last, 1, instant(seconds(20)));
  for (std::uint64_t number = 0, more = needed - 1; more > 0; ++number) {
    if (number != 1 && number != last) accuse(number, 1, instant(seconds(20))), --more;
  }
  EXPECT_EQ(at(seconds(40)), nobody);
  EXPECT_EQ(verdicts.next_wakeup(), instant(minutes(1)));
  EXPECT_EQ(at(minutes(1)), std::vector<NodeId>{mesh.id(1)});
}

// One that flapped has refuted all who watch it, and each of them knows for itself that it has fallen silent.
TEST_F(VerdictsTest, IgnoreNobodyForASubjectThatLeavesOurOwnProbesUnanswered) {
  std::vector<NodeId> all;
  for (const auto number : accusers(true)) all.push_back(mesh.id(number));
  for (int times = 0; times < 3; ++times) verdicts.note_refuted(mesh.id(1), all, instant(seconds(0)));
  accuse_by(needed, instant(seconds(0)));
  verdicts.missed(mesh.id(1)), verdicts.missed(mesh.id(1));
  EXPECT_EQ(at(seconds(0)), nobody);
  EXPECT_EQ(at(seconds(11)), nobody) << "two in a row may be our own bad luck";
  verdicts.answered(mesh.id(1));
  verdicts.missed(mesh.id(1));
  EXPECT_EQ(at(seconds(12)), nobody);
  verdicts.missed(mesh.id(1)), verdicts.missed(mesh.id(1));
  EXPECT_LE(verdicts.next_wakeup(), instant(seconds(12)));
  EXPECT_EQ(at(seconds(12)), std::vector<NodeId>{mesh.id(1)});
}

TEST_F(VerdictsTest, GoOnIgnoringThoseIgnoredForAllWhateverGoesUnanswered) {
  const auto liar = mesh.id(accusers(true)[0]);
  for (std::uint64_t subject = 0; subject < 16; ++subject) verdicts.note_refuted(numbered_id(100 + subject), {liar}, instant(seconds(0)));
  for (int times = 0; times < 9; ++times) verdicts.missed(mesh.id(1));
  EXPECT_TRUE(verdicts.is_ignored(mesh.id(1), liar, instant(seconds(1))));
}

TEST_F(VerdictsTest, GoOnIgnoringALiarThatManyRefute) {
  const auto numbered = [](std::uint64_t number) {
    NodeId id;
    store_be64(id.bytes.data(), number);
    return id;
  };
  const auto liar = numbered(1);
  for (std::uint64_t subject = 0; subject < 1000; ++subject) {
    for (int time = 0; time < 3; ++time) verdicts.note_refuted(numbered(100 + subject), {liar}, instant(seconds(time)));
  }
  // Others are wrong here and there, of far more subjects than can be kept.
  for (std::uint64_t subject = 0; subject < 20'000; ++subject) verdicts.note_refuted(numbered(100 + subject), {numbered(2)}, instant(seconds(10)));
  for (std::uint64_t subject = 0; subject < 1000; ++subject) EXPECT_TRUE(verdicts.is_ignored(numbered(100 + subject), liar, instant(seconds(20))));
  // Even where everybody is ignored for somebody the latest to earn it stay so.
  for (std::uint64_t subject = 0; subject < 20'000; ++subject) {
    for (int time = 0; time < 3; ++time) verdicts.note_refuted(numbered(100 + subject), {numbered(3)}, instant(seconds(30) + milliseconds(subject)));
  }
  EXPECT_TRUE(verdicts.is_ignored(numbered(100 + 19'999), numbered(3), instant(seconds(60))));
}

TEST_F(VerdictsTest, IgnoreForAllWhomTwiceAsManyRefuteAsAnybodyWatches) {
  const auto refuted_by = [&](std::uint64_t subjects, const NodeId& accuser, Duration apart) {
    for (std::uint64_t subject = 0; subject < subjects; ++subject) {
      verdicts.note_refuted(numbered_id(100 + subject), {accuser}, instant(apart * static_cast<std::int64_t>(subject)));
    }
  };
  const auto busy = numbered_id(50), slow = numbered_id(51), liar = numbered_id(52);
  for (int times = 0; times < 2; ++times) refuted_by(15, busy, seconds(1));
  refuted_by(40, slow, seconds(5));
  refuted_by(16, liar, seconds(1));
  EXPECT_FALSE(verdicts.is_notorious(busy, instant(seconds(20)))) << "however often those few refute it";
  EXPECT_FALSE(verdicts.is_notorious(slow, instant(minutes(4)))) << "not so many within a minute";
  EXPECT_TRUE(verdicts.is_notorious(liar, instant(seconds(20))));
  EXPECT_TRUE(verdicts.is_ignored(mesh.id(1), liar, instant(minutes(9)))) << "whomever it accuses";
  EXPECT_FALSE(verdicts.is_notorious(liar, instant(minutes(11))));
}

// Whoever is refuted once must not get the liars forgotten, however many are.
TEST_F(VerdictsTest, RememberWhomTheyIgnoreForAllAmongManyWhoErr) {
  for (std::uint64_t subject = 0; subject < 16; ++subject) verdicts.note_refuted(numbered_id(100 + subject), {numbered_id(1)}, instant(seconds(1)));
  for (std::uint64_t accuser = 0; accuser < 3000; ++accuser) {
    NodeId erring;
    store_be64(erring.bytes.data(), accuser);
    verdicts.note_refuted(numbered_id(100), {erring}, instant(seconds(2)));
  }
  EXPECT_TRUE(verdicts.is_notorious(numbered_id(1), instant(seconds(3))));
}

// Where half of those who watch somebody are liars that nobody listens to, the other half notices its end alone,
// and those liars who are still listened to put nobody out.
TEST_F(VerdictsTest, AskNothingOfObserversWhoAreIgnored) {
  roster = mesh.roster_of(9);
  const std::vector<NodeId> liars{mesh.id(2), mesh.id(3), mesh.id(4)};  // of nine each watches all the others
  for (int times = 0; times < 3; ++times) verdicts.note_refuted(mesh.id(1), liars, instant(seconds(0)));
  std::vector<std::uint64_t> others;
  for (std::uint64_t number = 0; number < 9; ++number) {
    if (number != 1 && std::find(liars.begin(), liars.end(), mesh.id(number)) == liars.end()) others.push_back(number);
  }
  for (std::size_t i = 0; i < 2; ++i) accuse(others[i], 1, instant(seconds(1)));
  EXPECT_EQ(at(seconds(12)), nobody) << "two of five";
  accuse(others[2], 1, instant(seconds(12)));
  EXPECT_EQ(at(seconds(12)), std::vector<NodeId>{mesh.id(1)});
}

TEST_F(VerdictsTest, BeginTheirGracesAnewAfterAPause) {
  accuse_by(needed, instant(seconds(0)));
  EXPECT_EQ(at(seconds(1)), nobody);
  verdicts.restart_graces(instant(seconds(30)), roster);
  EXPECT_EQ(at(seconds(30) + Verdicts::refutation_grace - moment), nobody);
  EXPECT_EQ(at(seconds(30) + Verdicts::refutation_grace).size(), 1U);
}

TEST_F(VerdictsTest, HaveNothingDueWhenNobodyIsAccused) {
  at(seconds(0));
  EXPECT_EQ(verdicts.next_wakeup(), never);
}

}  // namespace
}  // namespace wigwag
