#include <gtest/gtest.h>

#include <set>

#include "tests/trust/golden_vectors.hpp"

namespace wigwag::golden {
namespace {

TEST(Golden, StatementsAndTokensAreThoseOnFile) {
  for (const auto& vector : good_statements()) expect(vector, true);
}

TEST(Golden, StatementsAndTokensAreRejectedForTheReasonInTheirName) {
  for (const auto& vector : rejected_statements()) expect(vector, false);
}

TEST(Golden, HelloMessagesAreThoseOnFile) {
  for (const auto& vector : good_hellos()) expect(vector, true);
}

TEST(Golden, HelloMessagesAreRejectedForTheReasonInTheirName) {
  for (const auto& vector : rejected_hellos()) expect(vector, false);
}

TEST(Golden, EveryFileIsTried) {
  std::set<std::string> known;
  for (const auto& vectors : {good_statements(), rejected_statements(), good_hellos(), rejected_hellos()}) {
    for (const auto& vector : vectors) EXPECT_TRUE(known.insert(vector.name).second) << vector.name << " twice";
  }
  std::set<std::string> on_file;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (entry.path().extension() == ".hex") on_file.insert(entry.path().stem().string());
  }
  EXPECT_EQ(on_file, known);
}

}  // namespace
}  // namespace wigwag::golden
