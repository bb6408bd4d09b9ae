#include "gossip/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace wigwag {
namespace {

enum class Fault { broken, missing };

Result<int, Fault> half(int number) {
  if (number % 2 != 0) return Unexpected{Fault::broken};
  return number / 2;
}

Result<void, Fault> need(bool there) {
  if (!there) return Unexpected{Fault::missing};
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_TRUE(half(4).has_value());
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error(), Fault::broken);
  EXPECT_EQ(half(3).value_or(7), 7);
  EXPECT_EQ(half(4).value_or(7), 2);
}

TEST(Result, KnowsSuccessWithoutAValue) {
  EXPECT_TRUE(need(true).has_value());
  EXPECT_FALSE(need(false).has_value());
  EXPECT_EQ(need(false).error(), Fault::missing);
}

TEST(Result, MovesItsValueOut) {
  Result<std::unique_ptr<int>, Fault> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, TellsAValueFromAnErrorOfTheSameType) {
  const Result<std::string, std::string> good(std::string("yes"));
  const Result<std::string, std::string> bad(Unexpected<std::string>{"no"});
  EXPECT_EQ(good.value(), "yes");
  EXPECT_EQ(bad.error(), "no");
}

TEST(ResultDeathTest, AbortsWhenTheWrongSideIsAskedFor) {
  EXPECT_DEATH((void)half(3).value(), "broken invariant: Result::value");
  EXPECT_DEATH((void)half(4).error(), "broken invariant: Result::error");
  EXPECT_DEATH((void)need(true).error(), "broken invariant: Result::error");
}

TEST(CheckDeathTest, SaysWhatDoesNotHold) {
  check(true, "nothing happens");
  EXPECT_DEATH(check(false, "the sky is up"), "wigwag: broken invariant: the sky is up");
}

}  // namespace
}  // namespace wigwag
