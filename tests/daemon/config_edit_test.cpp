#include "daemon/config_edit.hpp"

#include <gtest/gtest.h>

#include "daemon/config.hpp"

namespace wigwag {
namespace {

using Wanted = std::vector<std::pair<std::string, ConfigValue>>;

TEST(ConfigEdit, ReplacesAValueAndKeepsEveryOtherByte) {
  const std::string before = "# mine\n[node]   # the node\nname = \"old\"  # keep me\nrelay='no'\n\n[wireguard]\nport = 1000\n";
  const auto after = edit_config(before, Wanted{{"node.name", std::string("new-1")}, {"wireguard.port", std::int64_t{2000}}});
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(*after, "# mine\n[node]   # the node\nname = \"new-1\"  # keep me\nrelay='no'\n\n[wireguard]\nport = 2000\n");
}

TEST(ConfigEdit, AddsAKeyToItsSectionAndASectionToTheFile) {
  const auto after = edit_config("[node]\nname = \"a\"", Wanted{{"node.relay", std::string("no")}, {"network.seeds", std::vector<std::string>{"h", "i"}}});
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(*after, "[node]\nrelay = \"no\"\nname = \"a\"\n\n[network]\nseeds = [\"h\", \"i\"]\n");
}

TEST(ConfigEdit, ReplacesAListOverManyLines) {
  const auto after = edit_config("[network]\nseeds = [\n  \"a\", # first\n  \"b\",\n]\nipv4 = \"10.0.0.0/16\"\n", Wanted{{"network.seeds", std::vector<std::string>{"c"}}});
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(*after, "[network]\nseeds = [\"c\"]\nipv4 = \"10.0.0.0/16\"\n");
}

TEST(ConfigEdit, FindsItsPlaceBehindCharactersOfManyBytes) {
  const auto after = edit_config("# Grüße\n[node]\nname = \"ä\" # ö\n", Wanted{{"node.name", std::string("b")}});
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(*after, "# Grüße\n[node]\nname = \"b\" # ö\n");
}

TEST(ConfigEdit, WorksOnDottedKeysThatHoldTheValue) {
  const auto after = edit_config("node.name = \"a\"\n", Wanted{{"node.name", std::string("b")}});
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, "node.name = \"b\"\n");
}

TEST(ConfigEdit, RefusesClearlyWhatItCannotDoWithoutTouchingTheRest) {
  const auto refused = edit_config("node = { name = \"a\" }\n", Wanted{{"node.relay", std::string("no")}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("node.relay = \"no\""), std::string::npos) << refused.error().what;
  EXPECT_FALSE(edit_config("[node\n", Wanted{{"node.relay", std::string("no")}}));
}

TEST(ConfigEdit, OfNothingChangesNothing) { EXPECT_EQ(edit_config("[node]\n#x\n", {}).value(), "[node]\n#x\n"); }

TEST(ConfigEdit, QuotesWhatMustBeQuoted) {
  const auto after = edit_config("", Wanted{{"network.secret_file", std::string("/a \"b\"\\c\n")}});
  ASSERT_TRUE(after);
  const auto entries = read_toml(*after, "");
  ASSERT_TRUE(entries);
  EXPECT_EQ(std::get<std::string>(entries->at(0).value), "/a \"b\"\\c\n");
}

TEST(FreshConfig, IsGood) { EXPECT_TRUE(read_config(read_toml(fresh_config(), "").value(), {}, "a")); }

}  // namespace
}  // namespace wigwag
