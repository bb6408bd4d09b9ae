#include <gtest/gtest.h>

#include "gossip/membership/record.hpp"
#include "tests/sim/watched_world.hpp"

namespace wigwag::sim {
namespace {

// Every checker is shown a world in which its promise is broken on purpose, and must say so. What a whole
// world that keeps its promises looks like is shown to all of them together.

TEST(Checkers, SayNothingOfAHealthyWorld) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    WatchedWorld watched(8, seed);
    watched.pass(40);
    watched.fall(2);
    watched.pass(50);
    watched.rise(2);
    watched.pass(70);
    watched.end_calm();
    EXPECT_TRUE(watched.found.empty()) << watched.told();
  }
}

// A machine whose disk went back in time, while it hears nobody. Whoever knows of it takes no offence.
void go_back(WatchedWorld& watched, bool known) {
  ASSERT_TRUE(watched.settle());
  const auto old = watched.world.disk(1);
  watched.pass(3);
  watched.world.kill(2);
  watched.pass(2);
  watched.world.start(2);
  watched.pass(10);
  watched.world.set_cable(1, false);
  watched.world.kill(1);
  watched.world.restore_disk(1, old);
  if (known) ++watched.facts.machines[1].disks;
  watched.world.set_clock_error(1, -400 * 86'400);
  watched.world.start(1);
  watched.pass(5);
}

TEST(CheckVersions, SeesAnOwnersVersionGoBack) {
  WatchedWorld watched(4, 11, false);
  watched.watch(check_versions);
  watched.pass(30);
  go_back(watched, false);
  // Its own version goes on above what it had stored, so only a disk that was lost shows it for sure.
  watched.world.kill(1);
  watched.world.wipe_disk(1);
  watched.world.set_cable(1, true);
  watched.world.set_clock_error(1, -600LL * 86'400);
  watched.world.start(1);
  watched.pass(3);
  EXPECT_TRUE(watched.found_any("I1")) << watched.told();
}

TEST(CheckVersions, SeesAnObserverForget) {
  // It is not told that the observer began another life, so to it the same one went back.
  WatchedWorld watched(4, 12, false);
  watched.checkers.push_back(check_versions(watched.world, watched.facts, watched.found));
  go_back(watched, true);
  EXPECT_TRUE(watched.found_any("I1")) << watched.told();
}

TEST(CheckVersions, ExcusesALostDisk) {
  WatchedWorld watched(4, 12, false);
  watched.watch(check_versions);
  go_back(watched, true);
  EXPECT_FALSE(watched.found_any("I1")) << watched.told();
}

// A verdict that a node never came to, told to a checker as if it had.
Event verdict(const World& world, std::size_t subject) { return {EventKind::member_down, world.id(subject), world.name(subject), {}}; }

TEST(CheckVerdicts, AskForEvidence) {
  WatchedWorld watched(8, 13, false);
  watched.watch(check_verdicts);
  ASSERT_TRUE(watched.settle());
  watched.look();
  watched.checkers[0]->raised(3, verdict(watched.world, 5));
  EXPECT_TRUE(watched.found_any("I3")) << watched.told();
}

TEST(CheckVerdicts, FindOneAccusationTooLittle) {
  WatchedWorld watched(8, 13, false);
  watched.watch(check_verdicts);
  ASSERT_TRUE(watched.settle());
  // One observer's word stands while the subject cannot answer.
  watched.world.set_cable(5, false);
  watched.look();
  ASSERT_TRUE(watched.world.run_until(seconds(20), [&] { return watched.world.health(3, 5) == Health::suspect; }));
  watched.checkers[0]->raised(3, verdict(watched.world, 5));
  EXPECT_TRUE(watched.found_any("I3")) << watched.told();
}

TEST(CheckVerdicts, AcceptGenuineOnes) {
  WatchedWorld watched(8, 14, false);
  watched.watch(check_verdicts);
  ASSERT_TRUE(watched.settle());
  watched.fall(5);
  watched.pass(30);
  EXPECT_GE(watched.count(EventKind::member_down, true), 7U);
  EXPECT_TRUE(watched.found.empty()) << watched.told();
}

TEST(CheckRefutations, CountWhatIsHeldTooLong) {
  WatchedWorld watched(6, 15, false);
  watched.watch(check_refutations);
  ASSERT_TRUE(watched.settle());
  // Cut off, and said to be well and reachable all the same.
  watched.world.set_cable(4, false);
  watched.facts.path = [](std::size_t, std::size_t) { return true; };
  watched.pass(30);
  EXPECT_TRUE(watched.found.empty()) << watched.told();
  watched.pass(60);
  EXPECT_TRUE(watched.found_any("I4")) << watched.told();
}

TEST(CheckRefutations, BlameTheHostileWhereThereAreAny) {
  WatchedWorld watched(6, 15, false);
  watched.watch(check_refutations);
  ASSERT_TRUE(watched.settle());
  watched.facts.machines[5].hostile = true;
  watched.world.set_cable(4, false);
  watched.facts.path = [](std::size_t, std::size_t) { return true; };
  watched.pass(90);
  EXPECT_TRUE(watched.found_any("I12")) << watched.told();
}

TEST(CheckRefutations, ExcuseWhoCannotBeReached) {
  WatchedWorld watched(6, 15, false);
  watched.watch(check_refutations);
  ASSERT_TRUE(watched.settle());
  watched.world.set_cable(4, false);
  watched.pass(90);
  watched.end_calm();
  EXPECT_TRUE(watched.found.empty()) << watched.told();
}

// Somebody was let in, and who did that was gone before the newcomer had met the others. Then it moved: nobody
// knows where it is, and it knows nobody who is there. Where it was known it could be called.
TEST(CheckRefutations, ExcuseWhoKnowsNobodyAndIsWhereNobodyKnows) {
  for (const bool moved : {true, false}) {
    WatchedWorld watched(6, 15, false);
    watched.watch(check_refutations);
    ASSERT_TRUE(watched.settle());
    watched.world.kill(4);
    auto left = decode_stored(watched.world.disk(4)).value();
    std::erase_if(left.members, [&](const auto& member) { return decode_record(member.record)->body.node != watched.world.id(0); });
    watched.world.restore_disk(4, encode_stored(left));
    watched.fall(0);
    watched.pass(30);
    ASSERT_TRUE(watched.world.sees_down(1, 4));
    if (moved) watched.world.move(4);
    else watched.facts.path = [](std::size_t a, std::size_t b) { return a != 0 && b != 0; };
    for (std::size_t other = 1; other < 6 && !moved; ++other) watched.world.set_one_way(other, 4, true);
    watched.world.start(4);
    watched.pass(90);
    EXPECT_TRUE(watched.world.sees_down(1, 4));
    EXPECT_EQ(watched.found_any("I4"), !moved) << watched.told();
  }
}

TEST(CheckAgreement, MissesWhoIsNotSeen) {
  WatchedWorld watched(6, 16, false);
  watched.watch(check_agreement);
  ASSERT_TRUE(watched.settle());
  watched.world.set_cable(4, false);  // nobody said so, and it is expected
  watched.facts.path = [](std::size_t, std::size_t) { return true; };
  watched.pass(90);
  watched.end_calm();
  EXPECT_TRUE(watched.found_any("I5")) << watched.told();
}

TEST(CheckAgreement, NoticesWhoNeverJoined) {
  WatchedWorld watched(4, 17, false);
  watched.watch(check_agreement);
  watched.world.set_cable(3, false);
  watched.pass(60);
  watched.end_calm();
  EXPECT_TRUE(watched.found_any("I5")) << watched.told();
}

TEST(CheckDetection, NoticesWhoIsNotMissed) {
  WatchedWorld watched(6, 18, false);
  watched.watch(check_detection);
  ASSERT_TRUE(watched.settle());
  watched.pass(40);
  // It is said to have ended, and goes on.
  watched.checkers[0]->stopped(4);
  watched.pass(35);
  EXPECT_TRUE(watched.found_any("I6")) << watched.told();
}

TEST(CheckDetection, LeavesHeavyLossToTheCalm) {
  WatchedWorld watched(6, 18, false);
  watched.watch(check_detection);
  ASSERT_TRUE(watched.settle());
  watched.facts.loss = 300'000;
  watched.pass(40);
  watched.checkers[0]->stopped(4);
  watched.pass(70);
  EXPECT_TRUE(watched.found.empty()) << watched.told();
  watched.end_calm();
  EXPECT_TRUE(watched.found_any("I6")) << watched.told();
}

TEST(CheckRemovals, NoticeWhoComesBack) {
  WatchedWorld watched(6, 19, false);
  watched.watch(check_removals);
  ASSERT_TRUE(watched.settle());
  watched.checkers[0]->raised(2, {EventKind::member_left, watched.world.id(4), watched.world.name(4), {}});
  watched.look();
  EXPECT_TRUE(watched.found_any("I7")) << watched.told();
}

TEST(CheckRemovals, AskForTheRemovedAtTheEnd) {
  WatchedWorld watched(6, 19, false);
  watched.watch(check_removals);
  ASSERT_TRUE(watched.settle());
  watched.facts.machines[4].removed = true;
  watched.pass(61);
  watched.end_calm();
  EXPECT_TRUE(watched.found_any("I7")) << watched.told();
}

TEST(CheckRemovals, LetGoodbyesBe) {
  WatchedWorld watched(6, 19, false);
  watched.watch(check_removals);
  ASSERT_TRUE(watched.settle());
  watched.facts.machines[4] = {.hostile = false, .expected = false, .sound = false, .sound_since = {}, .disks = 0, .removed = true};
  watched.world.leave(4);
  watched.pass(61);
  watched.end_calm();
  EXPECT_GE(watched.count(EventKind::member_left, true), 5U);
  EXPECT_TRUE(watched.found.empty()) << watched.told();
}

}  // namespace
}  // namespace wigwag::sim
