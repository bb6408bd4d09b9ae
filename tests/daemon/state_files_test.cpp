#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "daemon/file.hpp"
#include "daemon/state_dir.hpp"
#include "gossip/base/rng.hpp"
#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

StateDir open(const TemporaryFolder& folder) {
  auto directory = StateDir::open(folder.path(), StateDir::Missing::create);
  EXPECT_TRUE(directory) << (directory ? "" : directory.error().what);
  return std::move(directory).value();
}

Bytes filled(std::size_t size, std::uint8_t with) { return Bytes(size, with); }

TEST(ReplaceFile, WritesWholeAndClosed) {
  const TemporaryFolder folder;
  ASSERT_TRUE(replace_file(folder / "a", filled(100, 1)));
  ASSERT_TRUE(replace_file(folder / "a", filled(10, 2), {0600, folder / "a.old"}));
  EXPECT_EQ(read_file(folder / "a", 100).value(), filled(10, 2));
  EXPECT_EQ(read_file(folder / "a.old", 100).value(), filled(100, 1));
  EXPECT_EQ(std::filesystem::status(folder / "a").permissions(), std::filesystem::perms(0600));
}

TEST(ReplaceFile, TakesNoHarmFromWhatAKillLeftBehind) {
  const TemporaryFolder folder;
  folder.write("a", "good");
  folder.write("a.tmp", "hal");
  EXPECT_EQ(folder.read("a"), "good");
  ASSERT_TRUE(replace_file(folder / "a", filled(3, 'x')));
  EXPECT_EQ(folder.read("a"), "xxx");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.tmp"));
}

TEST(ReplaceFile, SaysWhyWhenItCannot) {
  const TemporaryFolder folder;
  const auto refused = replace_file(folder / "no/such", filled(1, 1));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("no/such"));
}

// A child writes generations as fast as it can and is killed at a random moment, again and
// again: what is there afterwards is always one whole generation.
TEST(ReplaceFile, LeavesAWholeFileWhenKilledAtAnyInstant) {
  const TemporaryFolder folder;
  const auto seed = static_cast<std::uint64_t>(std::time(nullptr));
  SCOPED_TRACE("seed " + std::to_string(seed) + ": put it into Rng to replay");
  Rng rng(seed);
  const auto write_generation = [&](std::uint8_t generation) {
    return replace_file(folder / "state", filled(20'000U + generation, generation), {0600, folder / "state.old"});
  };
  ASSERT_TRUE(write_generation(1));
  ASSERT_TRUE(write_generation(2));
  for (int round = 0; round < 25; ++round) {
    // The child tells of its first generation: how long one takes is the disk's affair.
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      for (std::uint8_t generation = 1;; generation = static_cast<std::uint8_t>(generation % 250 + 1)) {
        if (!write_generation(generation) || ::write(pipe[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ASSERT_GT(child, 0);
    ::close(pipe[1]);
    char told = 0;
    EXPECT_EQ(::read(pipe[0], &told, 1), 1) << "the child ended before it wrote one generation";
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(15'000)));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(pipe[0]);
    for (const char* name : {"state", "state.old"}) {
      const auto content = read_file(folder / name, 1 << 20);
      ASSERT_TRUE(content);
      ASSERT_TRUE(content->has_value()) << name << " is gone";
      const Bytes& bytes = **content;
      ASSERT_FALSE(bytes.empty());
      ASSERT_EQ(bytes, filled(20'000U + bytes[0], bytes[0])) << name;
    }
  }
}

TEST(ReadFile, RefusesWhatIsTooLargeOrNoFile) {
  const TemporaryFolder folder;
  folder.write("big", std::string(101, 'x'));
  EXPECT_FALSE(read_file(folder / "big", 100));
  EXPECT_TRUE(read_file(folder / "big", 101));
  EXPECT_FALSE(read_file(folder.path(), 100));
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(read_file(folder / "fifo", 100)) << "and does not hang";
  EXPECT_FALSE(read_file(folder / "absent", 100).value().has_value());
}

TEST(StateDir, IsMadeClosedToOthers) {
  const TemporaryFolder folder;
  ASSERT_TRUE(StateDir::open(folder / "a/b", StateDir::Missing::create));
  EXPECT_EQ(std::filesystem::status(folder / "a/b").permissions(), std::filesystem::perms(0700));
  EXPECT_FALSE(StateDir::open(folder / "c", StateDir::Missing::refuse));
  EXPECT_FALSE(StateDir::open("relative", StateDir::Missing::create));
}

TEST(StateDir, OpenToOthersIsRefusedWithTheMend) {
  const TemporaryFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const auto refused = StateDir::open(folder.path(), StateDir::Missing::create);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("chmod 700 " + folder.path()));
}

TEST(StateDir, BelongsToOneDaemonAtATime) {
  const TemporaryFolder folder;
  auto first = StateDir::open(folder.path(), StateDir::Missing::create);
  ASSERT_TRUE(first);
  const auto second = StateDir::open(folder.path(), StateDir::Missing::create);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("another wigwagd"));
  first = Unexpected{Failure{"closed"}};
  EXPECT_TRUE(StateDir::open(folder.path(), StateDir::Missing::create));
}

TEST(StateDir, KeepsSecretsAndGivesThemBack) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  std::array<std::uint8_t, 32> raw{};
  raw.fill(7);
  EXPECT_FALSE(directory.load_secret<NodeSecret>("identity.key").value().has_value());
  ASSERT_TRUE(directory.save_secret("identity.key", NodeSecret(raw)));
  EXPECT_EQ(directory.load_secret<NodeSecret>("identity.key").value()->open(), raw);
  EXPECT_EQ(std::filesystem::status(folder / "identity.key").permissions(), std::filesystem::perms(0600));
}

TEST(StateDir, RefusesSecretsThatOthersCanRead) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  for (const mode_t mode : {0644U, 0640U, 0604U, 0660U}) {
    folder.write("identity.key", std::string(43, 'A') + "=\n", mode);
    const auto refused = directory.load_secret<NodeSecret>("identity.key");
    ASSERT_FALSE(refused) << std::oct << mode;
    EXPECT_THAT(refused.error().what, HasSubstr("chmod 600 " + folder.path() + "/identity.key"));
  }
  folder.write("token", "wigwag1x", 0644);
  EXPECT_FALSE(directory.load_text("token"));
}

TEST(StateDir, RefusesAKeyFileThatHoldsNoKey) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  for (const std::string& text : {std::string(), std::string("short"), std::string(43, '!') + "=", std::string(5000, 'A'), std::string(44, '\0')}) {
    folder.write("wireguard.key", text);
    EXPECT_FALSE(directory.load_secret<TunnelSecret>("wireguard.key")) << text.size();
  }
}

TEST(StateDir, DoesNotFollowALinkToASecret) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  folder.write("elsewhere", std::string(43, 'A') + "=\n");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "identity.key");
  EXPECT_FALSE(directory.load_secret<NodeSecret>("identity.key"));
}

std::optional<std::string> refuse_unless_good(ByteView content) {
  if (!content.empty() && content[0] == 'g') return std::nullopt;
  return "it is damaged";
}

TEST(StoredState, ThatIsBrokenIsSetAsideAndTheGenerationBeforeTakesOver) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  folder.write("state", "broken");
  folder.write("state.old", "good one");
  const auto found = directory.load_first({"state", "state.old", "membership"}, refuse_unless_good, 1234);
  ASSERT_TRUE(found.content);
  EXPECT_EQ(std::string(found.content->begin(), found.content->end()), "good one");
  EXPECT_EQ(folder.read("state.broken-1234"), "broken");
  EXPECT_FALSE(directory.has("state"));
  EXPECT_THAT(found.remarks, ElementsAre(HasSubstr("state.broken-1234"), HasSubstr("going on with")));
}

TEST(StoredState, FallsBackToTheMembershipAlone) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  folder.write("state", "");
  folder.write("state.old", "x");
  folder.write("membership", "g");
  EXPECT_TRUE(directory.load_first({"state", "state.old", "membership"}, refuse_unless_good, 1).content);
}

TEST(StoredState, ThatIsTooLargeIsSetAsideUnread) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  folder.write("state", "g");
  std::filesystem::resize_file(folder / "state", state_bytes_max + 1);
  const auto found = directory.load_first({"state"}, refuse_unless_good, 9);
  EXPECT_FALSE(found.content);
  EXPECT_TRUE(std::filesystem::exists(folder / "state.broken-9"));
}

TEST(StoredState, WithoutFaultLeavesNoRemark) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  folder.write("state", "g");
  EXPECT_THAT(directory.load_first({"state", "state.old"}, refuse_unless_good, 9).remarks, IsEmpty());
}

TEST(Forgetting, TakesTheMembershipAndKeepsAFoundersKeysAside) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  for (const char* name : {"identity.key", "wireguard.key", "state", "state.old", "membership", "token", "applied", "invites", "root.key", "admin.key", "wigwagd.log"}) {
    folder.write(name, "x");
  }
  folder.write("identity.key.tmp", "x");
  folder.write("invites.tmp", "x");
  folder.write("admin.key.tmp", "x");
  ASSERT_TRUE(directory.forget(77, StateDir::Kernel::clean));
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::UnorderedElementsAre("root.key.left-77", "admin.key.left-77", "wigwagd.log"));
}

TEST(Forgetting, KeepsTheNoteOfWhatIsStillInTheKernel) {
  const TemporaryFolder folder;
  const StateDir directory = open(folder);
  folder.write("applied", "x");
  folder.write("identity.key", "x");
  ASSERT_TRUE(directory.forget(77, StateDir::Kernel::littered));
  EXPECT_TRUE(directory.has("applied"));
  EXPECT_FALSE(directory.has("identity.key"));
}

TEST(LoosePermissions, AreNamedWithTheMend) {
  const TemporaryFolder folder;
  EXPECT_FALSE(loose_permissions(folder.write("a", "x", 0600)));
  EXPECT_THAT(loose_permissions(folder.write("b", "x", 0644)).value_or(""), HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace wigwag
