#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gossip/membership/probe.hpp"
#include "tests/membership/small_mesh.hpp"

namespace wigwag {
namespace {

// Member 0 of a small roster probes the others; time moves from wakeup to wakeup.
class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    for (std::uint64_t number = 1; number < 6; ++number) subjects.push_back(mesh.id(number));
  }

  // One wakeup; every ping to somebody not in `silent` is answered after five milliseconds.
  std::vector<ProbeResult> advance() {
    now = std::max(prober.next_wakeup(), now + microseconds(1));
    Outbox out;
    auto results = prober.tick(now, roster, health, out);
    for (const auto& [to, ping] : sent<Ping>(out)) {
      pings.emplace_back(to, now);
      if (silent.contains(to)) continue;
      now += milliseconds(5);
      if (const auto result = prober.on_ack(to, Ack{ping.sequence, 0}, now, health, out)) results.push_back(*result);
    }
    for (auto& mail : out) everything.push_back(std::move(mail));
    return results;
  }
  std::vector<ProbeResult> advance_for(Duration span) {
    std::vector<ProbeResult> all;
    for (const Instant end = now + span; prober.next_wakeup() < end;) {
      for (const auto& result : advance()) all.push_back(result);
    }
    return all;
  }

  SmallMesh mesh;
  Roster roster = mesh.roster_of(6);
  LocalHealth health;
  Prober prober{mesh.id(0), 5};
  std::vector<NodeId> subjects;
  std::set<NodeId> silent;
  std::vector<std::pair<NodeId, Instant>> pings;
  Outbox everything;
  Instant now = instant(seconds(0));
};

TEST_F(ProbeTest, TriesEverySubjectOnceACycle) {
  prober.watch(subjects, now);
  const auto results = advance_for(seconds(100));
  for (const auto& subject : subjects) {
    const auto count = std::count_if(results.begin(), results.end(), [&](const auto& r) { return r.subject == subject && r.answered; });
    EXPECT_GE(count, 19);
    EXPECT_LE(count, 22);
  }
  EXPECT_LE(prober.sent(), 108U) << "about one a second";
  EXPECT_EQ(prober.missed(), 0U);
}

TEST_F(ProbeTest, AsksOthersBeforeItReportsAMiss) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(3));
  everything.clear();
  while (sent<PingRequest>(everything).empty()) {
    for (const auto& result : advance()) ASSERT_TRUE(result.answered) << "reported before others were asked";
  }
  std::set<NodeId> asked;
  for (const auto& [to, request] : sent<PingRequest>(everything)) {
    EXPECT_EQ(request.subject, mesh.id(3));
    asked.insert(to);
  }
  const auto observers = roster.rings().observers_of(roster.find(mesh.id(3))->place->seat);
  for (const auto& observer : observers) EXPECT_EQ(asked.contains(observer), observer != mesh.id(0));
  const auto results = advance_for(seconds(3));
  const auto miss = std::find_if(results.begin(), results.end(), [](const auto& r) { return !r.answered; });
  ASSERT_NE(miss, results.end());
  EXPECT_EQ(miss->subject, mesh.id(3));
  EXPECT_TRUE(miss->on_schedule);
}

TEST_F(ProbeTest, TakesAnothersWordForALivingSubject) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(3));
  everything.clear();
  while (sent<PingRequest>(everything).empty()) advance();
  const auto request = sent<PingRequest>(everything).front();
  EXPECT_FALSE(prober.on_indirect_ack(mesh.id(3), request.second.sequence, now, health)) << "not from the subject itself";
  EXPECT_FALSE(prober.on_indirect_ack(request.first, request.second.sequence + 2, now, health)) << "another probe's number";
  const auto result = prober.on_indirect_ack(request.first, request.second.sequence, now, health);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->answered && result->indirect);
  EXPECT_EQ(result->subject, mesh.id(3));
  for (const auto& later : advance_for(seconds(2))) EXPECT_TRUE(later.answered);
}

// One liar among the observers must not hide a crash.
TEST_F(ProbeTest, BelievesOthersOnlySoOften) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(1));
  int answered = 0;
  bool accused = false;
  for (const Instant end = now + seconds(60); now < end && !accused;) {
    everything.clear();
    advance();
    for (const auto& [to, request] : sent<PingRequest>(everything)) {
      if (const auto result = prober.on_indirect_ack(to, request.sequence, now, health)) {
        answered += result->answered ? 1 : 0;
        accused = accused || (!result->answered && result->on_schedule);
      }
    }
  }
  EXPECT_TRUE(accused);
  EXPECT_EQ(answered, 3);
}

// A path that has become slow: the subject answers every time, and others' word is here sooner.
TEST_F(ProbeTest, NeverBlamesWhoAnswersItselfAfterOthersDid) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(1));
  int late = 0;
  for (const Instant end = now + minutes(3); now < end;) {
    everything.clear();
    for (const auto& result : advance()) EXPECT_TRUE(result.answered) << "accused after " << late << " late answers";
    const auto requests = sent<PingRequest>(everything);
    if (requests.empty()) continue;
    const auto& [observer, request] = requests.front();
    const auto result = prober.on_indirect_ack(observer, request.sequence, now + milliseconds(40), health);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->answered) << "accused after " << late << " late answers";
    now += milliseconds(50);
    prober.on_ack(mesh.id(1), Ack{request.sequence, 0}, now, health, everything);
    ++late;
  }
  EXPECT_GT(late, 10);
}

TEST_F(ProbeTest, LearnsHowSlowAPathIsFromAnAnswerThatComesAfterAnothers) {
  prober.watch(subjects, now);
  advance_for(seconds(60));
  const auto quick = prober.round_trip(mesh.id(1)).value();
  silent.insert(mesh.id(1));
  everything.clear();
  while (sent<PingRequest>(everything).empty()) advance();
  const auto [observer, request] = sent<PingRequest>(everything).front();
  ASSERT_TRUE(prober.on_indirect_ack(observer, request.sequence, now + milliseconds(40), health));
  now += milliseconds(150);
  EXPECT_FALSE(prober.on_ack(mesh.id(1), Ack{request.sequence, 0}, now, health, everything)) << "what was said stands";
  EXPECT_GT(prober.round_trip(mesh.id(1)).value(), quick + milliseconds(20));
}

// One silent probe is one miss, whoever else answers for it and when.
TEST_F(ProbeTest, CountsOneSilentProbeOnce) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(1));
  everything.clear();
  while (prober.missed() == 0) advance();
  const auto requests = sent<PingRequest>(everything);
  const auto doubt = health.multiplier();
  for (const auto& [observer, request] : requests) EXPECT_FALSE(prober.on_indirect_ack(observer, request.sequence, now, health));
  EXPECT_EQ(health.multiplier(), doubt);
  everything.clear();
  while (sent<PingRequest>(everything).empty()) advance();
  int answered = 0;
  for (const auto& [observer, request] : sent<PingRequest>(everything)) {
    answered += prober.on_indirect_ack(observer, request.sequence, now, health) ? 1 : 0;
  }
  EXPECT_EQ(answered, 1) << "the first word of another ends it";
}

TEST_F(ProbeTest, BlamesNobodyOverAColdEdge) {
  silent = {subjects.begin(), subjects.end()};
  const Instant start = now;
  prober.watch(subjects, now);
  bool blamed = false;
  while (now < start + seconds(40)) {
    const auto results = advance();
    for (const auto& result : results) {
      EXPECT_FALSE(result.on_schedule && now < start + seconds(10));
      blamed = blamed || result.on_schedule;
    }
  }
  EXPECT_TRUE(blamed) << "but whoever never answers is blamed in the end";
}

TEST_F(ProbeTest, WaitsLongerTheLessItTrustsItself) {
  const auto time_to_miss = [&](LocalHealth well) {
    Prober fresh(mesh.id(0), 5);
    fresh.watch({mesh.id(1)}, now);
    Outbox out;
    Instant at = now;
    std::optional<Instant> begun;
    for (;;) {
      LocalHealth same = well;
      for (const auto& result : fresh.tick(at, roster, same, out)) {
        if (!result.answered) return at - begun.value();
      }
      if (!begun && !sent<Ping>(out).empty()) begun = at;
      at = std::max(fresh.next_wakeup(), at + microseconds(1));
    }
  };
  LocalHealth unwell;
  unwell.missed();
  EXPECT_EQ(time_to_miss(unwell), 2 * time_to_miss(LocalHealth{}));
}

TEST_F(ProbeTest, MeasuresTheTryThatWasAnswered) {
  prober.watch({mesh.id(1)}, now);
  silent.insert(mesh.id(1));
  while (pings.empty()) advance();
  const Instant first_sent = pings.front().second;
  while (pings.size() < 2) advance();
  const auto first = sent<Ping>(everything)[0].second.sequence;
  Outbox out;
  EXPECT_TRUE(prober.on_ack(mesh.id(1), Ack{first, 0}, now + milliseconds(1), health, out)) << "late, and an answer all the same";
  EXPECT_EQ(prober.round_trip(mesh.id(1)), now + milliseconds(1) - first_sent);
  EXPECT_FALSE(prober.on_ack(mesh.id(1), Ack{first, 0}, now + milliseconds(2), health, out)) << "only once";
}

// On a machine that is too busy answers come late; if they were forgotten it would never learn to wait.
TEST_F(ProbeTest, LearnsFromAnswersThatComeAfterItGaveUp) {
  prober.watch({mesh.id(1)}, now);
  silent.insert(mesh.id(1));
  while (prober.missed() == 0) advance();
  const auto sequence = sent<Ping>(everything)[1].second.sequence;
  Outbox out;
  EXPECT_FALSE(prober.on_ack(mesh.id(1), Ack{sequence, 0}, now + milliseconds(1), health, out)) << "what was said stands";
  EXPECT_TRUE(prober.round_trip(mesh.id(1)));
}

// Whoever comes late to a deadline has not read its sockets either.
TEST_F(ProbeTest, WaitsOnceMoreWhenItComesLateToADeadline) {
  prober.watch({mesh.id(1)}, now);
  while (pings.empty()) advance();
  silent.insert(mesh.id(1));
  while (pings.size() < 2) advance();
  now = prober.next_wakeup() + milliseconds(200);
  Outbox out;
  prober.tick(now, roster, health, out);
  EXPECT_TRUE(sent<Ping>(out).empty()) << "no second try yet";
  now += milliseconds(200);
  prober.tick(now, roster, health, out);
  EXPECT_EQ(sent<Ping>(out).size(), 1U);
}

TEST_F(ProbeTest, TakesNoAnswerFromAnother) {
  prober.watch({mesh.id(1)}, now);
  silent.insert(mesh.id(1));
  while (pings.empty()) advance();
  Outbox out;
  const auto sequence = sent<Ping>(everything)[0].second.sequence;
  EXPECT_FALSE(prober.on_ack(mesh.id(2), Ack{sequence, 0}, now, health, out));
  EXPECT_FALSE(prober.on_ack(mesh.id(1), Ack{sequence + 1, 0}, now, health, out)) << "a try not made yet";
}

TEST_F(ProbeTest, AnswersThoseWhoAskedForIt) {
  Outbox out;
  prober.on_request(mesh.id(2), {40, mesh.id(1)}, now, health, out);
  prober.on_request(mesh.id(3), {50, mesh.id(1)}, now, health, out);
  const auto probes = sent<Ping>(out);
  ASSERT_EQ(probes.size(), 1U) << "one probe serves both";
  EXPECT_EQ(probes[0].first, mesh.id(1));
  Outbox answers;
  prober.on_ack(mesh.id(1), Ack{probes[0].second.sequence, 0}, now + milliseconds(3), health, answers);
  const auto told = sent<IndirectAck>(answers);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].first, mesh.id(2));
  EXPECT_EQ(told[0].second.sequence, 40U);
  EXPECT_EQ(told[1].first, mesh.id(3));
  EXPECT_EQ(told[1].second.sequence, 50U);
}

// Nobody else is asked about it, and our way to the subject may never have worked.
// Losses are common: of two tries in a row one pair in a hundred is lost at five percent, and every miss of
// anybody makes seven others probe.
TEST_F(ProbeTest, ForAnotherTakesThreeTriesAndAsksTheOthersTooBeforeItIsEvidence) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(1));
  everything.clear();
  Outbox out;
  prober.on_request(mesh.id(2), {40, mesh.id(1)}, now, health, out);
  auto tries = sent<Ping>(out).size();
  std::optional<ProbeResult> miss;
  while (!miss) {
    for (const auto& result : advance()) {
      if (result.subject == mesh.id(1)) miss = result;
    }
  }
  EXPECT_FALSE(miss->answered);
  EXPECT_TRUE(miss->on_schedule);
  for (const auto& [to, ping] : sent<Ping>(everything)) tries += to == mesh.id(1) ? 1U : 0U;
  EXPECT_EQ(tries, 3U);
  const auto observers = roster.rings().observers_of(roster.find(mesh.id(1))->place->seat);
  const auto others = observers.size() - static_cast<std::size_t>(std::count(observers.begin(), observers.end(), mesh.id(0)));
  EXPECT_EQ(sent<PingRequest>(everything).size(), others);
}

TEST_F(ProbeTest, ForAnotherIsNoEvidenceWhenAThirdIsAnswered) {
  prober.watch(subjects, now);
  advance_for(seconds(20));
  silent.insert(mesh.id(1));
  everything.clear();
  Outbox out;
  prober.on_request(mesh.id(2), {40, mesh.id(1)}, now, health, out);
  while (sent<PingRequest>(everything).empty()) advance();
  const auto request = sent<PingRequest>(everything).front();
  const auto result = prober.on_indirect_ack(request.first, request.second.sequence, now, health);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->answered);
}

TEST_F(ProbeTest, HoldsABoundedNumberOfProbesHoweverManyAreAskedFor) {
  Outbox out;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    prober.on_request(mesh.id(1), {2, numbered_id(number)}, now, health, out);
    prober.greet(numbered_id(1000 + number), now, out);
  }
  EXPECT_EQ(sent<Ping>(out).size(), 128U);
  Outbox many;
  for (std::uint32_t asker = 0; asker < 100; ++asker) prober.on_request(mesh.id(2), {asker, numbered_id(1)}, now, health, many);
  EXPECT_TRUE(many.empty());
  prober.on_ack(numbered_id(1), Ack{sent<Ping>(out)[0].second.sequence, 0}, now, health, many);
  EXPECT_LE(many.size(), 16U) << "and a bounded number of answers";
}

TEST_F(ProbeTest, SaysNothingOfProbesBegunBeforeAPause) {
  prober.watch(subjects, now);
  silent = {subjects.begin(), subjects.end()};
  while (pings.empty()) advance();
  prober.discard();
  now += minutes(5);
  Outbox out;
  for (const auto& result : prober.tick(now, roster, health, out)) ADD_FAILURE() << "a verdict on " << to_hex(result.subject);
}

TEST(RoundTrip, FollowsWhatIsMeasured) {
  RoundTrip trip;
  trip.sample(milliseconds(100));
  EXPECT_EQ(trip.smoothed, milliseconds(100));
  for (int i = 0; i < 100; ++i) trip.sample(milliseconds(20));
  EXPECT_LT(trip.smoothed, milliseconds(21));
  EXPECT_GE(trip.smoothed, milliseconds(20));
  EXPECT_LT(trip.variation, milliseconds(2));
}

}  // namespace
}  // namespace wigwag
