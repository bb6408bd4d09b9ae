#include <gtest/gtest.h>

#include <set>

#include "tests/membership/golden_vectors.hpp"
#include "tests/membership/golden_world.hpp"

namespace wigwag::golden {
namespace {

std::filesystem::path here() { return folder(__FILE__); }

TEST(GoldenGossip, RecordsAndAccusationsAreThoseOnFile) {
  for (const auto& vector : good_records()) expect(vector, true, here());
}

TEST(GoldenGossip, RecordsAndAccusationsAreRejectedForTheReasonInTheirName) {
  for (const auto& vector : rejected_records()) expect(vector, false, here());
}

TEST(GoldenGossip, MessagesAreThoseOnFile) {
  for (const auto& vector : good_messages()) expect(vector, true, here());
}

TEST(GoldenGossip, MessagesAreRejectedForTheReasonInTheirName) {
  for (const auto& vector : rejected_messages()) expect(vector, false, here());
}

TEST(GoldenGossip, HasAnExampleOfEveryMessage) {
  std::set<std::size_t> kinds;
  for (const auto& vector : good_messages()) {
    if (const auto read = decode_message(vector.bytes)) kinds.insert(read->index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Message>);
}

// What is on file is signed, and by whom it says.
TEST(GoldenGossip, StatementsHoldAtTheirReader) {
  GossipWorld world;
  for (const char* name : {"record-least", "record-full", "record-left"}) {
    const auto record = decode_record(read(name, here()).value());
    ASSERT_TRUE(record) << name;
    EXPECT_TRUE(verify_record(*record, world.network, world.verifier)) << name;
  }
  const auto full = decode_record(read("record-full", here()).value());
  EXPECT_EQ(full->body, world.full());
  const auto accusation = decode_accusation(read("accusation", here()).value());
  EXPECT_TRUE(verify_accusation(*accusation, world.network, world.verifier));
}

TEST(GoldenGossip, EveryFileIsTried) {
  std::set<std::string> known;
  for (const auto& vectors : {good_records(), rejected_records(), good_messages(), rejected_messages()}) {
    for (const auto& vector : vectors) EXPECT_TRUE(known.insert(vector.name).second) << vector.name << " twice";
  }
  std::set<std::string> on_file;
  for (const auto& entry : std::filesystem::directory_iterator(here())) {
    if (entry.path().extension() == ".hex") on_file.insert(entry.path().stem().string());
  }
  EXPECT_EQ(on_file, known);
}

}  // namespace
}  // namespace wigwag::golden
