#include <gmock/gmock.h>

#include "daemon/recorder.hpp"
#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

// Lives for a while with a recorder in `path`, and tells what it had to remark at the end.
std::optional<std::string> live(const std::string& path, std::size_t bytes_max) {
  auto recorder = Recorder::open(path, bytes_max);
  EXPECT_TRUE(recorder);
  // A node that is in no network yet: it is told the time, and waits for an invitation.
  NodeConfig config;
  config.name = "node-1";
  StoredState stored;
  NodeSecrets secrets{NodeSecret({1}), TunnelKey{{2}}, Secret<struct EntropySeedRole>({3})};
  std::optional<Invitation> invitation;
  (*recorder)->recording().begin("test", config, secrets, stored, invitation);
  Verifier verifier;
  std::optional<Node> node(std::in_place, config, std::move(secrets), std::move(stored), std::nullopt, verifier);
  for (int i = 0; i < 200; ++i) {
    const Now now{Instant(seconds(i)), UnixTime{1'800'000'000 + i}};
    const Outputs outputs = node->step(now, Wakeup{});
    (*recorder)->recording().stepped(now, Wakeup{}, outputs, *node);
  }
  (*recorder)->recording().end();
  auto remark = (*recorder)->remark();
  EXPECT_FALSE((*recorder)->remark()) << "said once";
  node.reset();
  return remark;
}

// How many steps a trace has, and how it ends.
std::pair<std::size_t, std::optional<TraceEnd>> read(const std::string& content) {
  const Bytes file(content.begin(), content.end());
  TraceDecoder decoder(file);
  std::size_t steps = 0;
  std::optional<TraceEnd> end;
  while (const auto entry = decoder.next()) {
    steps += std::holds_alternative<TraceStep>(*entry) ? 1U : 0U;
    if (const auto* last = std::get_if<TraceEnd>(&*entry)) end = *last;
  }
  EXPECT_FALSE(decoder.error());
  return {steps, end};
}

TEST(Recorder, WritesAWholeLifeToAFileOfItsOwnersAlone) {
  const TemporaryFolder folder;
  EXPECT_FALSE(live(folder / "life", trace_bytes_max));
  struct stat about {};
  ASSERT_EQ(::stat((folder / "life").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  const auto [steps, end] = read(folder.read("life"));
  EXPECT_EQ(steps, 200U);
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->full);
}

TEST(Recorder, EndsAtItsBoundAndSaysSo) {
  const TemporaryFolder folder;
  const auto remark = live(folder / "life", 2'000);
  ASSERT_TRUE(remark);
  EXPECT_THAT(*remark, testing::HasSubstr("is full"));
  const auto content = folder.read("life");
  EXPECT_LE(content.size(), 2'000U);
  const auto [steps, end] = read(content);
  EXPECT_GT(steps, 0U);
  EXPECT_LT(steps, 200U);
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->full);
}

TEST(Recorder, KeepsAnEarlierTraceAndLeavesOtherFilesAlone) {
  const TemporaryFolder folder;
  folder.write("life", std::string(trace_magic) + "earlier");
  EXPECT_FALSE(live(folder / "life", trace_bytes_max));
  EXPECT_EQ(folder.read("life.old"), std::string(trace_magic) + "earlier");
  EXPECT_EQ(read(folder.read("life")).first, 200U);

  folder.write("letter", "dear network");
  const auto refused = Recorder::open(folder / "letter");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("is no trace"));
  EXPECT_EQ(folder.read("letter"), "dear network");
  EXPECT_FALSE(Recorder::open(folder.path())) << "a folder";
  EXPECT_FALSE(Recorder::open(folder / "nowhere/life"));
}

}  // namespace
}  // namespace wigwag
