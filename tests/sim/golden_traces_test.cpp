#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sim/cli.hpp"

// One seed gives one run, whoever compiled it: golden/traces has runs and what they come to. Both compilers
// are held to the same file; that a run repeats itself within one build would not show what differs between two.
namespace wigwag::sim {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

const std::filesystem::path file = std::filesystem::path(__FILE__).parent_path() / "golden" / "traces";
constexpr std::size_t hash_digits = 64;

// "HASH  command and flags of wigwag-sim"
struct Golden {
  std::string hash, line;
};

std::vector<Golden> golden_traces() {
  std::vector<Golden> all;
  std::ifstream lines(file);
  for (std::string hash, line; lines >> hash && std::getline(lines >> std::ws, line);) all.push_back({hash, line});
  return all;
}

// The hash behind "trace ", the last line of what it prints; all that it printed where there is none.
std::string trace_of(const std::string& line) {
  std::vector<std::string> words{"wigwag-sim"};
  std::istringstream rest(line);
  for (std::string word; rest >> word;) words.push_back(word);
  words.insert(words.end(), {"--quiet", "--trace-hash"});
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  CaptureStdout();
  CaptureStderr();
  const int status = run_cli(static_cast<int>(arguments.size()), arguments.data());
  const std::string out = GetCapturedStdout(), notes = GetCapturedStderr();
  const auto at = out.rfind("trace ");
  return status == status_good && at != std::string::npos ? out.substr(at + 6, hash_digits) : notes + out;
}

TEST(GoldenTraces, AreThoseOnFile) {
  auto traces = golden_traces();
  ASSERT_GE(traces.size(), 6U) << file;
  const bool writing = std::getenv("WIGWAG_WRITE_GOLDEN") != nullptr;
  for (auto& one : traces) {
    const std::string hash = trace_of(one.line);
    if (writing) one.hash = hash;
    ASSERT_EQ(hash.size(), hash_digits) << one.line << " broke a promise or did not run: " << hash;
    EXPECT_EQ(hash, one.hash) << "wigwag-sim " << one.line << " --trace-hash"
                              << "\nIf the protocol or the simulator was changed on purpose (golden/README.md): WIGWAG_WRITE_GOLDEN=1 ctest --test-dir "
                                 "build/dev -R sim.GoldenTraces";
  }
  if (!writing) return;
  std::ofstream out(file, std::ios::trunc);
  for (const auto& one : traces) out << one.hash << "  " << one.line << "\n";
  ASSERT_TRUE(out.flush()) << file;
}

}  // namespace
}  // namespace wigwag::sim
