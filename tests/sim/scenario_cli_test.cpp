#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sim/cli.hpp"
#include "sim/scenario/bundled.hpp"

namespace wigwag::sim {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

struct Answer {
  int status = -1;
  std::string out, err;
};

Answer wigwag_sim(std::vector<std::string> words) {
  words.insert(words.begin(), "wigwag-sim");
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  CaptureStdout();
  CaptureStderr();
  const int status = run_cli(static_cast<int>(arguments.size()), arguments.data());
  return {status, GetCapturedStdout(), GetCapturedStderr()};
}

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// A file of this test's own, gone with it.
class WrittenFile {
 public:
  explicit WrittenFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("wigwag-sim-test-" + std::to_string(::getpid()) + ".toml")) {
    std::ofstream(path_) << text;
  }
  ~WrittenFile() { std::filesystem::remove(path_); }
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(SimulatorCommandLine, EndsWrongUsageWithTwoAndOneLine) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"nonsense"}, {"run", "--nonsense"}, {"run", "nonsense"}, {"run", "--nodes", "0"}, {"run", "--nodes", "many"}, {"run", "--nodes", ""},
           {"run", "--duration", "10"}, {"run", "--duration", "31d"}, {"run", "--seed", "-1"}, {"run", "--seed", "18446744073709551616"}, {"run", "--churn", "10%"},
           {"run", "--loss", "5"}, {"run", "--latency", "fast"}, {"run", "--nat", "some"}, {"run", "--partition", "50%"}, {"run", "/nonsense/net.toml"},
           {"run", "/"}, {"run", "--nodes"}, {"run", "--json", "/nonsense/out.json"}, {"show"}, {"show", "nonsense"}, {"list", "extra"}, {"version", "extra"}}) {
    const Answer answer = wigwag_sim(words);
    EXPECT_EQ(answer.status, 2) << testing::PrintToString(words) << answer.err;
    EXPECT_EQ(lines(answer.err), 1) << testing::PrintToString(words) << answer.err;
    EXPECT_EQ(answer.out, "") << testing::PrintToString(words);
  }
}

TEST(SimulatorCommandLine, SaysWhatWasProbablyMeant) {
  EXPECT_THAT(wigwag_sim({"run", "--duraton", "5m"}).err, HasSubstr("did you mean --duration?"));
  EXPECT_THAT(wigwag_sim({"run", "join-strom"}).err, HasSubstr("did you mean join-storm?"));
  EXPECT_THAT(wigwag_sim({"lst"}).err, HasSubstr("did you mean list?"));
}

TEST(SimulatorCommandLine, ReportsEveryFaultOfAFileWithItsLine) {
  const WrittenFile file("nodes = 5\n[links]\nlos = \"5%\"\nqueue = 3\n");
  const Answer answer = wigwag_sim({"run", file.path()});
  EXPECT_EQ(answer.status, 2);
  EXPECT_EQ(lines(answer.err), 2) << answer.err;
  EXPECT_THAT(answer.err, StartsWith(file.path() + ":3: links.los: there is no such key; did you mean links.loss?\n" + file.path() + ":4: links.queue: "));
}

TEST(SimulatorCommandLine, ListsAndShowsTheBundledScenarios) {
  const Answer list = wigwag_sim({"list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_EQ(lines(list.out), static_cast<long>(bundled_scenarios().size()));
  const Answer shown = wigwag_sim({"show", "steady"});
  EXPECT_EQ(shown.status, 0);
  EXPECT_EQ(shown.out, bundled_scenario("steady")->text);
}

TEST(SimulatorCommandLine, PrintsTheSeedFirstAndTheSameTraceForIt) {
  const std::vector<std::string> words{"run", "--nodes", "4", "--duration", "20s", "--seed", "11", "--trace-hash", "--quiet"};
  const Answer first = wigwag_sim(words);
  EXPECT_EQ(first.status, 0) << first.out << first.err;
  EXPECT_THAT(first.out, StartsWith("seed 11\ntrace "));
  EXPECT_EQ(wigwag_sim(words).out, first.out);
}

TEST(SimulatorCommandLine, ChoosesASeedWhereNobodyDoes) {
  const Answer answer = wigwag_sim({"run", "--nodes", "2", "--duration", "5s"});
  EXPECT_EQ(answer.status, 0) << answer.out << answer.err;
  const std::string seed = answer.out.substr(5, answer.out.find('\n') - 5);
  EXPECT_THAT(answer.out, HasSubstr("wigwag-sim run --nodes 2 --duration 5s --seed " + seed + "\n")) << "the line that runs it again";
}

TEST(SimulatorCommandLine, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_line({"run", "--nat", "30% symmetric", "it's", ""}), "run --nat '30% symmetric' 'it'\\''s' ''");
}

}  // namespace
}  // namespace wigwag::sim
