#include "daemon/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>

#include "daemon/startup.hpp"
#include "gossip/trust/crypto.hpp"
#include "gossip/trust/hello_messages.hpp"
#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

struct Answer {
  int status = -1;
  std::string out, err;
};

Answer wigwag(std::vector<std::string> words) {
  words.insert(words.begin(), "wigwag");
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  CaptureStdout();
  CaptureStderr();
  const int status = run_cli(static_cast<int>(arguments.size()), arguments.data());
  return {status, GetCapturedStdout(), GetCapturedStderr()};
}

// The daemon as a program, its two streams together.
Answer wigwagd(const std::string& words) {
  const std::string command = std::string(WIGWAGD) + " " + words + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  Answer answer;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) answer.out += part.data();
  answer.status = WEXITSTATUS(::pclose(pipe));
  return answer;
}

int lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

TEST(CommandLine, EndsWrongUsageWithTwoAndOneLine) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"nonsense"}, {"status", "--nonsense"}, {"graph"}, {"graph", "--format", "png"}, {"uninvite"}, {"invite", "--uses", "many"},
           {"invite", "--uses", "-1"}, {"invite", "--expires", "soon"}, {"invite", "--subnet", "10.0.0.1/8"}, {"invite", "--seed", "a b"},
           {"up", "a", "b"}, {"revoke", "n1"}, {"rotate-key"}, {"drain"}, {"explain", "n1"}, {"status", "extra"}}) {
    const Answer answer = wigwag(words);
    EXPECT_EQ(answer.status, 2) << testing::PrintToString(words) << answer.err;
    EXPECT_EQ(lines(answer.err), 1) << answer.err;
    EXPECT_EQ(answer.out, "") << testing::PrintToString(words);
  }
}

TEST(CommandLine, NamesTheUnknownWordAndTheNearestKnownOne) {
  const auto complaint = [](const std::vector<std::string>& words) {
    const Answer answer = wigwag(words);
    EXPECT_EQ(answer.status, 2) << testing::PrintToString(words);
    return answer.err;
  };
  EXPECT_EQ(complaint({"stauts"}), "wigwag: there is no command 'stauts'; did you mean `wigwag status`? see `wigwag --help`\n");
  EXPECT_EQ(complaint({"stauts", "--json"}), complaint({"stauts"}));
  EXPECT_EQ(complaint({"help"}), "wigwag: there is no command 'help'; see `wigwag --help`\n");
  EXPECT_EQ(complaint({"help", "up"}), "wigwag: there is no command 'help'; see `wigwag up --help`\n");
  EXPECT_EQ(complaint({"-V"}), "wigwag: there is no option '-V'; did you mean --version? see `wigwag --help`\n");
  EXPECT_EQ(complaint({"-x"}), "wigwag: there is no option '-x'; see `wigwag --help`\n");
  EXPECT_EQ(complaint({"status", "--jsn"}), "wigwag: there is no option '--jsn'; did you mean --json? see `wigwag status --help`\n");
  EXPECT_EQ(complaint({"--sokcet", "status"}), "wigwag: there is no option '--sokcet'; did you mean --socket? see `wigwag --help`\n");
  EXPECT_EQ(complaint({"invite", "--use=3"}), "wigwag: there is no option '--use'; did you mean --uses? see `wigwag invite --help`\n");
  EXPECT_EQ(complaint({"status", "extra"}), "wigwag: `wigwag status` takes no 'extra'; see `wigwag status --help`\n");
  EXPECT_EQ(complaint({}), "wigwag: a command is missing; see `wigwag --help`\n");
  EXPECT_THAT(complaint({"graph"}), HasSubstr("see `wigwag graph --help`"));
}

TEST(CommandLine, SaysThatANumberOfUsesIsNone) {
  for (const char* wrong : {"x", "-1", "1.5", "1000001", "99999999999999999999"}) {
    const Answer answer = wigwag({"invite", "--uses", wrong});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("'" + std::string(wrong) + "' is not a whole number from 0 to 1000000"));
  }
  const TemporaryFolder folder;
  for (const char* right : {"0", "1000000"}) EXPECT_EQ(wigwag({"invite", "--uses", right, "--socket", folder / "none.sock"}).status, 3) << right;
}

TEST(CommandLine, EndsWithThreeWhenNoDaemonAnswers) {
  const TemporaryFolder folder;
  const std::string socket = folder / "none.sock";
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {"status"}, {"status", "--json"}, {"status", "--watch"}, {"plan"}, {"events"}, {"events", "--follow"}, {"graph", "--format", "dot"}, {"invite"},
           {"invites"}, {"uninvite", "12345678"}, {"reload"}, {"leave"}, {"down", "--state-dir", folder / "nowhere"}}) {
    words.insert(words.end(), {"--socket", socket});
    const Answer answer = wigwag(words);
    EXPECT_EQ(answer.status, 3) << testing::PrintToString(words) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("wigwag up"));
    EXPECT_EQ(lines(answer.err), 1);
  }
}

TEST(CommandLine, TakesTheSocketBeforeTheCommandToo) {
  const TemporaryFolder folder;
  const Answer before = wigwag({"--socket", folder / "before.sock", "status"});
  EXPECT_EQ(before.status, 3);
  EXPECT_THAT(before.err, HasSubstr(folder / "before.sock"));
  EXPECT_THAT(wigwag({"--socket", folder / "before.sock", "invite"}).err, HasSubstr(folder / "before.sock"));
  const Answer both = wigwag({"--socket", folder / "before.sock", "status", "--socket", folder / "behind.sock"});
  EXPECT_THAT(both.err, HasSubstr(folder / "behind.sock"));
  EXPECT_EQ(wigwag({"--socket", folder / "s"}).status, 2);
}

TEST(CommandLine, MeansAPathFromWhereItStands) {
  const Answer answer = wigwag({"status", "--socket", "no/such.sock"});
  EXPECT_EQ(answer.status, 3);
  EXPECT_THAT(answer.err, HasSubstr((std::filesystem::current_path() / "no/such.sock").string()));
}

// The core writes its format into the header of every hello datagram.
TEST(WireVersion, IsTheCores) {
  const Bytes call = write_call(HelloCall{}, HelloMac(NetworkId{}));
  EXPECT_EQ(call.at(2), wire_version);
  EXPECT_THAT(wigwag({"version"}).out, HasSubstr("wire protocol " + std::to_string(wire_version) + "\n"));
}

TEST(Units, AreThoseWhoseFilesTheFlagsName) {
  DaemonFlags flags;
  EXPECT_EQ(flags.unit(), "wigwag.service");
  flags.config = "/etc/wigwag/lab-2.toml";
  EXPECT_EQ(flags.unit(), std::nullopt);
  flags.state_dir = "/var/lib/wigwag-lab-2";
  flags.socket = "/run/wigwag-lab-2/wigwag.sock";
  EXPECT_EQ(flags.unit(), "wigwag@lab-2.service");
  flags.socket = "/run/wigwag-lab/wigwag.sock";
  EXPECT_EQ(flags.unit(), std::nullopt);
  for (const std::string name : {"", "../x", "-x", "a b", "a;b"}) {
    flags.config = "/etc/wigwag/" + name + ".toml";
    flags.state_dir = "/var/lib/wigwag-" + name;
    flags.socket = "/run/wigwag-" + name + "/wigwag.sock";
    EXPECT_EQ(flags.unit(), std::nullopt) << name;
  }
}

TEST(CommandLine, TellsVersionAndHelpWithoutADaemon) {
  const Answer version = wigwag({"version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.out, HasSubstr("wire protocol"));
  const Answer help = wigwag({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"up", "down", "leave", "reload", "status", "invite", "invites", "uninvite", "plan", "events", "graph", "doctor", "version"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
  }
}

TEST(Up, RefusesBadTokensNamesAndConfigurations) {
  const TemporaryFolder folder;
  const auto up = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "up");
    words.insert(words.end(), {"--config", folder / "w.toml", "--state-dir", folder / "state", "--socket", folder / "s"});
    return wigwag(words);
  };
  EXPECT_EQ(up({"not-a-token"}).status, 1);
  EXPECT_THAT(up({"wigwag1AAAA"}).err, HasSubstr("token"));
  EXPECT_EQ(up({"--name", "Bad_Name"}).status, 2);
  EXPECT_EQ(up({"--set", "wireguard.port=0"}).status, 2);
  EXPECT_EQ(up({"--set", "nonsense"}).status, 2);
  EXPECT_EQ(up({"--seed", "203.0.113.5"}).status, 2) << "a seed without a secret";
  EXPECT_EQ(up({"--secret-file", folder / "absent"}).status, 1);
  EXPECT_EQ(up({"--seed", "203.0.113.5", "--set", "node.name=other"}).status, 2);
  EXPECT_FALSE(std::filesystem::exists(folder / "w.toml")) << "a refused `up` has written a configuration";
  EXPECT_EQ(up({"--wait", "long"}).status, 2);
  EXPECT_EQ(up({"--interface", "much-too-long-a-name"}).status, 2);
  folder.write("w.toml", "[wireguard]\nport = 99999\nbackend = \"magic\"\n");
  const Answer faults = up({});
  EXPECT_EQ(faults.status, 2);
  EXPECT_THAT(faults.err, HasSubstr("w.toml:2:"));
  EXPECT_THAT(faults.err, HasSubstr("w.toml:3:"));
}

TEST(Up, RefusesAnEmptyArgumentInsteadOfFounding) {
  const TemporaryFolder folder;
  const auto up = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "up");
    words.insert(words.end(), {"--config", folder / "w.toml", "--state-dir", folder / "state", "--socket", folder / "s"});
    return wigwag(words);
  };
  EXPECT_THAT(up({""}).err, HasSubstr("the token is empty: "));
  EXPECT_THAT(up({"--secret-file", ""}).err, HasSubstr("--secret-file is empty: "));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{""}, {" "}, {"--name", ""}, {"--seed", ""}, {"--secret-file", ""}}) {
    const Answer answer = up(words);
    EXPECT_EQ(answer.status, 2) << testing::PrintToString(words);
    EXPECT_EQ(lines(answer.err), 1) << answer.err;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "state"));
}

TEST(Up, NamesItselfBeforeFaultsOfFlags) {
  const TemporaryFolder folder;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--set", "nonsense"}, {"--set", "a.b=c"}, {"--endpoint", "a b"}, {"--node-name", "A_B"}}) {
    std::vector<std::string> all{"up", "--config", folder / "w.toml", "--state-dir", folder / "state", "--socket", folder / "s"};
    all.insert(all.end(), words.begin(), words.end());
    const Answer answer = wigwag(all);
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, testing::StartsWith("wigwag: --")) << testing::PrintToString(words);
  }
}

TEST(Up, SaysHowToLeaveWhereNoDaemonRuns) {
  const TemporaryFolder folder;
  ASSERT_TRUE(start_crypto());
  {
    const auto directory = StateDir::open(folder / "state", StateDir::Missing::create);
    ASSERT_TRUE(directory);
    ASSERT_TRUE(found_network(*directory, {"home", "n1", std::nullopt, {}}, UnixTime{1'800'000'000}));
  }
  const Answer answer = wigwag({"up", "--name", "other", "--config", folder / "w.toml", "--state-dir", folder / "state", "--socket", folder / "s"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("`wigwag up` without a token"));
  EXPECT_THAT(answer.err, HasSubstr("remove " + folder / "state"));
}

TEST(Down, WithoutADaemonTakesNothingWhenNothingWasApplied) {
  const TemporaryFolder folder;
  const Answer answer = wigwag({"down", "--socket", folder / "s", "--state-dir", folder.path(), "--config", folder / "w.toml"});
  EXPECT_EQ(answer.status, 3);
}

TEST(Doctor, SaysWhatIsWrongAndTheMend) {
  const TemporaryFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const Answer answer = wigwag({"doctor", "--socket", folder / "s", "--state-dir", folder.path(), "--config", folder / "w.toml"});
  EXPECT_EQ(answer.status, 3);
  EXPECT_EQ(answer.err, "") << "the list says already that no daemon answers";
  EXPECT_THAT(answer.out, HasSubstr("daemon: no daemon answers on " + folder / "s" + "\n\tmend: start one with `wigwag up`"));
  EXPECT_THAT(answer.out, HasSubstr("chmod 700 " + folder.path()));
  const Answer json = wigwag({"doctor", "--json", "--socket", folder / "s", "--state-dir", folder.path(), "--config", folder / "w.toml"});
  EXPECT_TRUE(Json::parse(json.out, nullptr, false).is_array());
}

TEST(Doctor, TellsAStateDirectoryThatIsMissingFromOneThatIsClosed) {
  const TemporaryFolder folder;
  const Answer answer = wigwag({"doctor", "--socket", folder / "s", "--state-dir", folder / "none", "--config", folder / "w.toml"});
  EXPECT_THAT(answer.out, HasSubstr("state: " + folder / "none" + " is not there yet\n\tmend: `wigwag up` makes it"));
}

TEST(Wigwagd, ChecksAConfigurationAndPrintsEveryFault) {
  const TemporaryFolder folder;
  const std::string good = folder.write("good.toml", "[node]\nname = \"fine\"\nrelay = \"auto\"\n");
  const std::string bad = folder.write("bad.toml", "[node]\nnaem = \"x\"\n[wireguard]\nport = 99999\n");
  const Answer fine = wigwagd("--check --config " + good);
  EXPECT_EQ(fine.status, 0) << fine.out;
  EXPECT_THAT(fine.out, HasSubstr("note: node.relay = \"auto\" is not acted on"));
  const Answer wrong = wigwagd("--check --config " + bad);
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.out, HasSubstr("bad.toml:2:8: node.naem: there is no such key; did you mean node.name?"));
  EXPECT_THAT(wrong.out, HasSubstr("bad.toml:4:8: wireguard.port: cannot be 99999; allowed: a UDP port"));
  EXPECT_EQ(wigwagd("--check --config " + folder / "absent.toml").status, 2);
}

TEST(Wigwagd, EndsWithTwoForAWrongCommandLine) {
  EXPECT_EQ(wigwagd("--nonsense").status, 2);
  EXPECT_EQ(wigwagd("--check --log-level loud").status, 2);
  EXPECT_EQ(wigwagd("--check --set nonsense").status, 2);
  EXPECT_EQ(wigwagd("--help").status, 0);
  EXPECT_EQ(wigwagd("--version").status, 0);
}

TEST(Wigwagd, WithoutANetworkSaysHowToGetOne) {
  const TemporaryFolder folder;
  folder.write("w.toml", "");
  const Answer answer = wigwagd("--config " + folder / "w.toml" + " --state-dir " + folder / "state" + " --socket " + folder / "s");
  EXPECT_EQ(answer.status, status_no_network);
  EXPECT_THAT(answer.out, HasSubstr("wigwag up TOKEN"));
}

TEST(Wigwagd, RefusesAKeyThatOthersCanRead) {
  const TemporaryFolder folder;
  folder.write("w.toml", "");
  ASSERT_EQ(::mkdir((folder / "state").c_str(), 0700), 0);
  folder.write("state/identity.key", std::string(43, 'A') + "=\n", 0644);
  const Answer answer = wigwagd("--config " + folder / "w.toml" + " --state-dir " + folder / "state" + " --socket " + folder / "s");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.out, HasSubstr("chmod 600 " + folder / "state/identity.key"));
}

}  // namespace
}  // namespace wigwag
