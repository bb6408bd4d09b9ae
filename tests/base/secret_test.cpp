#include "gossip/base/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <ostream>
#include <type_traits>

namespace wigwag {
namespace {

template <class T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};
template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!std::is_copy_constructible_v<NodeSecret> && !std::is_copy_assignable_v<NodeSecret>);
static_assert(std::is_nothrow_move_constructible_v<NodeSecret> && std::is_nothrow_move_assignable_v<NodeSecret>);
static_assert(!Comparable<NodeSecret> && !Printable<NodeSecret>);
static_assert(!std::is_convertible_v<GrantSecret, NodeSecret> && !std::is_constructible_v<NodeSecret, GrantSecret>);

constexpr std::array<std::uint8_t, 32> some_bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9};

bool all_zero(const std::array<std::uint8_t, 32>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

TEST(Secret, OpensToItsBytes) { EXPECT_EQ(NodeSecret(some_bytes).open(), some_bytes); }

TEST(Secret, LeavesNothingBehindWhenMoved) {
  NodeSecret first(some_bytes);
  NodeSecret second(std::move(first));
  EXPECT_TRUE(all_zero(first.open()));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.open(), some_bytes);
  NodeSecret third;
  third = std::move(second);
  EXPECT_TRUE(all_zero(second.open()));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third.open(), some_bytes);
}

TEST(Secret, SurvivesBeingMovedOntoItself) {
  NodeSecret secret(some_bytes);
  NodeSecret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.open(), some_bytes);
}

TEST(Secret, WipesItsMemoryWhenItEnds) {
  alignas(NodeSecret) std::array<std::uint8_t, sizeof(NodeSecret)> memory{};
  auto* secret = new (memory.data()) NodeSecret(some_bytes);
  EXPECT_TRUE(std::equal(some_bytes.begin(), some_bytes.end(), memory.begin()));
  secret->~NodeSecret();
  asm volatile("" : "+m"(memory));  // what is there now counts, though nothing lives in it
  EXPECT_TRUE(all_zero(memory));
}

TEST(Secret, IsDuplicatedOnlyByName) {
  const NodeSecret secret(some_bytes);
  EXPECT_EQ(secret.duplicate().open(), secret.open());
}

TEST(Secret, ComesFromExactlyAsManyBytes) {
  EXPECT_TRUE(NodeSecret::from(Bytes(32)).has_value());
  EXPECT_FALSE(NodeSecret::from(Bytes(31)).has_value());
  EXPECT_FALSE(NodeSecret::from(Bytes(33)).has_value());
  EXPECT_FALSE(NodeSecret::from({}).has_value());
}

}  // namespace
}  // namespace wigwag
