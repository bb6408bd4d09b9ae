#include "gossip/base/key.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace wigwag {
namespace {

static_assert(!std::is_convertible_v<NodeId, TunnelKey> && !std::is_constructible_v<NodeId, TunnelKey>);

TEST(Key, IsPrintedAsWireGuardPrintsIt) {
  TunnelKey key;
  key.bytes[0] = 1;
  EXPECT_EQ(to_base64(key), "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  EXPECT_EQ(key_from_base64<TunnelKey>(to_base64(key)), key);
  EXPECT_EQ(key_from_hex<TunnelKey>(to_hex(key)), key);
}

TEST(Key, HasExactlyThirtyTwoBytes) {
  EXPECT_FALSE(NodeId::from(Bytes(31)));
  EXPECT_FALSE(NodeId::from(Bytes(33)));
  EXPECT_FALSE(key_from_base64<NodeId>("AQ=="));
  EXPECT_FALSE(key_from_hex<NodeId>("01"));
  EXPECT_TRUE(NodeId::from(Bytes(32))->is_zero());
}

TEST(Key, SortsByItsBytes) {
  const NodeId low{{1, 0xff}};
  const NodeId high{{2, 0}};
  EXPECT_LT(low, high);
  EXPECT_NE(low, high);
}

}  // namespace
}  // namespace wigwag
