#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/run/run.hpp"
#include "sim/scenario/read.hpp"

// What exploration once broke, as small as it could be made. Each file says at its head what that was.
namespace wigwag::sim {
namespace {

const std::filesystem::path folder = std::filesystem::path(__FILE__).parent_path() / "regressions";

std::vector<std::filesystem::path> kept() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Regression : public testing::TestWithParam<std::filesystem::path> {};

std::string name_of(const testing::TestParamInfo<std::filesystem::path>& file) {
  std::string name = file.param.stem().string();
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Explored, Regression, testing::ValuesIn(kept()), name_of);

TEST_P(Regression, KeepsEveryPromise) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  const auto scenario = read_scenario(text.str(), GetParam().string());
  ASSERT_TRUE(scenario.has_value()) << GetParam();
  ASSERT_TRUE(scenario->seed.has_value()) << "without its seed it is another run";
  RunControl control;
  control.moments = false;
  const auto outcome = run(*scenario, *scenario->seed, control);
  EXPECT_FALSE(outcome.interrupted);
  for (const auto& broken : outcome.broken) ADD_FAILURE() << broken.at << " s " << broken.invariant << ": " << broken.text;
}

// How little a liar may cost, once everybody knows it for one.
TEST(Liars, OfAFifthOfTheNetworkCostItLittle) {
  Scenario scenario;
  scenario.nodes = 60;
  scenario.duration = minutes(3);
  scenario.joining.pattern = Joining::Pattern::converged;
  NodeGroup& liars = scenario.groups.emplace_back();
  liars.name = "liars";
  liars.count = 12;
  liars.hostile = Behaviour::accuse_everyone;
  RunControl control;
  control.moments = false;
  const auto outcome = run(scenario, 1, control);
  EXPECT_TRUE(outcome.broken.empty());
  ASSERT_GT(outcome.samples.size(), 60U);
  for (const auto& sample : outcome.samples) {
    if (sample.at > 60) {
      EXPECT_LT(sample.bytes_per_node_s, 3000) << sample.at;
    }
  }
}

}  // namespace
}  // namespace wigwag::sim
