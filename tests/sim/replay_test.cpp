#include <gmock/gmock.h>

#include <algorithm>

#include "gossip/membership/message.hpp"
#include "sim/replay/replay.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

using testing::HasSubstr;

// A life taken down in memory.
struct Tape {
  explicit Tape(std::size_t bytes_max = 64U << 20) : recording(bytes_max, [this](Bytes part) { bytes.insert(bytes.end(), part.begin(), part.end()); }) {}
  Bytes bytes;
  Recording recording;
};

struct Played {
  std::optional<ReplaySummary> summary;
  std::string why;
  std::vector<ReplayedStep> steps;
  std::size_t effects(EffectKind kind) const {
    std::size_t count = 0;
    for (const auto& step : steps) {
      count += static_cast<std::size_t>(std::count_if(step.effects.begin(), step.effects.end(), [&](const Effect& effect) { return effect.kind == kind; }));
    }
    return count;
  }
  bool has(EffectKind kind, const std::string& text) const {
    return std::any_of(steps.begin(), steps.end(), [&](const ReplayedStep& step) {
      return std::any_of(step.effects.begin(), step.effects.end(), [&](const Effect& effect) { return effect.kind == kind && effect.text.find(text) != std::string::npos; });
    });
  }
};

Played play(ByteView file, std::optional<Duration> until = std::nullopt) {
  Played played;
  ReplayCalls calls;
  calls.stepped = [&](const ReplayedStep& step) { played.steps.push_back(step); };
  played.summary = replay(file, until, calls, played.why);
  return played;
}

// Five nodes of which one is recorded from its second start, while others come, die and return.
struct Recorded {
  static constexpr std::size_t subject = 2;

  explicit Recorded(std::size_t recorded, std::uint64_t seed = 7) : world(seed) {
    world.found();
    for (int i = 0; i < 4; ++i) world.add();
    check(world.run_until(minutes(2), [&] { return world.agreed({0, 1, 2, 3, 4}); }), "five nodes meet");
    world.record(recorded, tape.recording);
    world.start(recorded);
    world.run_for(seconds(10));
    world.kill(3);
    world.run_for(seconds(30));
    world.start(3);
    world.add();
    world.run_for(seconds(20));
    world.leave(4);
    world.run_for(seconds(20));
    world.kill(recorded);
    tape.recording.end();
  }

  Tape tape;
  World world;
};

std::vector<TraceEntry> entries_of(ByteView file) {
  TraceDecoder decoder(file);
  std::vector<TraceEntry> entries;
  while (auto entry = decoder.next()) entries.push_back(std::move(*entry));
  return entries;
}

Bytes file_of(const std::vector<TraceEntry>& entries) {
  TraceEncoder encoder;
  Bytes file(trace_magic.begin(), trace_magic.end());
  for (const auto& entry : entries) {
    const Bytes frame = encoder.frame(entry);
    file.insert(file.end(), frame.begin(), frame.end());
  }
  return file;
}

TEST(Replay, DoesWhatWasRecordedThroughDeathsReturnsAndAGoodbye) {
  const Recorded recorded(Recorded::subject);
  const Played played = play(recorded.tape.bytes);
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_TRUE(played.summary->agrees()) << "#" << played.summary->first_differing << ": " << played.summary->first_difference;
  EXPECT_EQ(played.summary->end, ReplayEnd::stopped);
  EXPECT_GT(played.summary->steps, 200U);
  EXPECT_TRUE(played.has(EffectKind::raised, "member_down node-3"));
  EXPECT_TRUE(played.has(EffectKind::raised, "member_alive node-3"));
  EXPECT_TRUE(played.has(EffectKind::raised, "member_joined node-5"));
  EXPECT_TRUE(played.has(EffectKind::raised, "member_left node-4"));
  EXPECT_TRUE(played.has(EffectKind::planned, "peer node-5 added"));
  EXPECT_TRUE(played.has(EffectKind::planned, "peer node-4 removed"));
  EXPECT_TRUE(played.has(EffectKind::persisted, "at once"));
  EXPECT_TRUE(played.has(EffectKind::sent, "ping"));
}

TEST(Replay, GoesThroughTheHellosOfAHostThatLetsOthersIn) {
  const Recorded recorded(0);
  const Played played = play(recorded.tape.bytes);
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_TRUE(played.summary->agrees()) << "#" << played.summary->first_differing << ": " << played.summary->first_difference;
  EXPECT_TRUE(played.has(EffectKind::raised, "caller_admitted node-5"));
}

TEST(Replay, GoesThroughAFirstJoin) {
  World world(11);
  Tape tape;
  world.found();
  world.add();
  const auto joiner = world.add();
  world.kill(joiner);
  world.restore_disk(joiner, {});
  world.record(joiner, tape.recording);
  world.start(joiner);
  ASSERT_TRUE(world.run_until(minutes(2), [&] { return world.agreed({0, 1, 2}); }));
  tape.recording.end();
  const Played played = play(tape.bytes);
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_TRUE(played.summary->agrees()) << "#" << played.summary->first_differing << ": " << played.summary->first_difference;
  EXPECT_TRUE(played.has(EffectKind::raised, "network_joined"));
  EXPECT_EQ(played.summary->members, "3 members: 3 alive");
}

TEST(Replay, AgreesForManySeeds) {
  for (std::uint64_t seed = 100; seed < 106; ++seed) {
    const Recorded recorded(static_cast<std::size_t>(seed % 3), seed);
    const Played played = play(recorded.tape.bytes);
    ASSERT_TRUE(played.summary) << "seed " << seed << ": " << played.why;
    EXPECT_TRUE(played.summary->agrees()) << "seed " << seed << " #" << played.summary->first_differing << ": " << played.summary->first_difference;
  }
}

TEST(Replay, NamesTheFirstStepThatDiffers) {
  const Recorded recorded(Recorded::subject);
  auto entries = entries_of(recorded.tape.bytes);
  // A probe that was answered is now one that was not understood: its answer is missing.
  std::uint64_t number = 0;
  for (auto& entry : entries) {
    auto* step = std::get_if<TraceStep>(&entry);
    if (step == nullptr) continue;
    ++number;
    auto* datagram = std::get_if<TunnelDatagram>(&step->input);
    if (datagram == nullptr || !step->proven || number < 50) continue;
    const auto message = decode_message(datagram->bytes);
    if (!message || !std::holds_alternative<Ping>(*message)) continue;
    datagram->bytes.push_back(0);
    break;
  }
  const Played played = play(file_of(entries));
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_FALSE(played.summary->agrees());
  EXPECT_EQ(played.summary->first_differing, number);
  EXPECT_THAT(played.summary->first_difference, HasSubstr("was a gossip datagram"));
}

TEST(Replay, StopsWhereTheNodeSignsWhatItDidNotSign) {
  const Recorded recorded(Recorded::subject);
  auto entries = entries_of(recorded.tape.bytes);
  std::uint64_t number = 0;
  std::uint64_t changed = 0;
  for (auto& entry : entries) {
    auto* step = std::get_if<TraceStep>(&entry);
    if (step == nullptr) continue;
    ++number;
    for (auto& note : step->notes) {
      auto* signature = std::get_if<NotedSignature>(&note);
      if (signature != nullptr && number > 20 && changed == 0) {
        signature->about.bytes[0] ^= 1;
        changed = number;
      }
    }
  }
  ASSERT_GT(changed, 0U) << "nothing was signed";
  const Played played = play(file_of(entries));
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_EQ(played.summary->end, ReplayEnd::lost);
  EXPECT_EQ(played.summary->steps, changed);
  EXPECT_EQ(played.summary->first_differing, changed);
  EXPECT_THAT(played.summary->remark, HasSubstr("did not sign then"));
}

TEST(Replay, StopsWhenItIsToldTo) {
  const Recorded recorded(Recorded::subject);
  const Played played = play(recorded.tape.bytes, seconds(5));
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_EQ(played.summary->end, ReplayEnd::until);
  EXPECT_LE(played.summary->span, seconds(5));
  EXPECT_TRUE(played.summary->agrees());
}

TEST(Replay, UsesWhatComesBeforeACut) {
  const Recorded recorded(Recorded::subject);
  const Bytes& whole = recorded.tape.bytes;
  const auto all = play(whole).summary->steps;
  for (std::size_t size = 0; size < std::min<std::size_t>(whole.size(), 40'000); size += 97) {
    const Played played = play(ByteView(whole).first(size));
    if (!played.summary) {
      EXPECT_FALSE(played.why.empty());
      continue;
    }
    EXPECT_EQ(played.summary->end, ReplayEnd::cut_off);
    EXPECT_TRUE(played.summary->agrees()) << "cut at " << size;
    EXPECT_LT(played.summary->steps, all);
  }
}

TEST(Replay, TellsDamageFromADifference) {
  const Recorded recorded(Recorded::subject);
  Bytes damaged = recorded.tape.bytes;
  damaged[damaged.size() / 2] ^= 0x10;
  const Played played = play(damaged);
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_EQ(played.summary->end, ReplayEnd::damaged);
  EXPECT_EQ(played.summary->differing, 0U);
  EXPECT_FALSE(played.summary->agrees());
  EXPECT_THAT(played.summary->remark, HasSubstr("byte "));
}

TEST(Replay, RefusesWhatIsNoTrace) {
  EXPECT_FALSE(play(view_of("#!/bin/sh\n")).summary);
  EXPECT_THAT(play(view_of("#!/bin/sh\n")).why, HasSubstr("--record"));
  EXPECT_THAT(play(view_of("wigwag-trace 2\n....")).why, HasSubstr("newer"));
  EXPECT_FALSE(play(view_of(trace_magic)).summary);
}

TEST(Recording, EndsAtItsBoundWithAMark) {
  Tape tape(20'000);
  World world(3);
  world.found();
  world.add();
  world.run_for(seconds(20));
  world.record(1, tape.recording);
  world.start(1);
  for (int minute = 0; minute < 20 && !tape.recording.full(); ++minute) world.run_for(minutes(1));
  ASSERT_TRUE(tape.recording.full());
  EXPECT_LE(tape.bytes.size(), 20'000U);
  EXPECT_GT(tape.bytes.size(), 19'000U);
  world.run_for(seconds(5));
  const Played played = play(tape.bytes);
  ASSERT_TRUE(played.summary) << played.why;
  EXPECT_EQ(played.summary->end, ReplayEnd::full);
  EXPECT_TRUE(played.summary->agrees());
}

}  // namespace
}  // namespace wigwag::sim
