#include "sim/world/nat.hpp"

#include <gtest/gtest.h>

namespace wigwag::sim {
namespace {

const Endpoint server{Address::ipv4(0xC6120001U), 51820};
const Endpoint same_host_other_port{Address::ipv4(0xC6120001U), 9};
const Endpoint stranger{Address::ipv4(0xC6120002U), 51820};
constexpr NatInside laptop{0, 51820};
constexpr NatInside phone{1, 51820};

Instant at(int s) { return Instant{} + seconds(s); }

bool lets_in(NatKind::Filter filter, const Endpoint& from) {
  Nat nat({.filter = filter}, 1);
  const auto port = nat.outgoing(at(0), laptop, server);
  return nat.incoming(at(1), *port, from) == laptop;
}

TEST(Nat, LetsInWhatItsKindLetsIn) {
  using Filter = NatKind::Filter;
  for (const auto filter : {Filter::endpoint_independent, Filter::address, Filter::address_and_port}) EXPECT_TRUE(lets_in(filter, server));
  EXPECT_TRUE(lets_in(Filter::endpoint_independent, stranger));
  EXPECT_FALSE(lets_in(Filter::address, stranger));
  EXPECT_TRUE(lets_in(Filter::address, same_host_other_port));
  EXPECT_FALSE(lets_in(Filter::address_and_port, same_host_other_port));
}

TEST(Nat, LetsNobodyInBeforeSomethingWentOut) {
  const Nat nat({.filter = NatKind::Filter::endpoint_independent}, 1);
  EXPECT_FALSE(nat.incoming(at(0), 51820, server));
}

TEST(Nat, ForgetsAMappingThatIsIdle) {
  Nat nat({.filter = NatKind::Filter::endpoint_independent, .idle = seconds(30)}, 1);
  const auto port = nat.outgoing(at(0), laptop, server);
  EXPECT_TRUE(nat.incoming(at(29), *port, server));
  EXPECT_FALSE(nat.incoming(at(30), *port, server)) << "what comes in does not keep it";
  nat.outgoing(at(40), laptop, server);
  EXPECT_TRUE(nat.incoming(at(69), *port, server));
}

TEST(Nat, GivesOnePortToAllDestinationsUnlessItIsSymmetric) {
  Nat cone({}, 1);
  EXPECT_EQ(cone.outgoing(at(0), laptop, server), cone.outgoing(at(0), laptop, stranger));
  Nat symmetric({.symmetric = true}, 1);
  const auto one = symmetric.outgoing(at(0), laptop, server), other = symmetric.outgoing(at(0), laptop, stranger);
  EXPECT_NE(one, other);
  EXPECT_EQ(symmetric.outgoing(at(5), laptop, server), one);
  EXPECT_FALSE(symmetric.incoming(at(6), *one, stranger));
}

TEST(Nat, GivesTheSecondHostWithOnePortAnother) {
  Nat nat({}, 1);
  EXPECT_EQ(nat.outgoing(at(0), laptop, server), 51820);
  const auto other = nat.outgoing(at(0), phone, server);
  ASSERT_TRUE(other);
  EXPECT_NE(*other, 51820);
  EXPECT_EQ(nat.incoming(at(1), *other, server), phone);
  EXPECT_EQ(nat.incoming(at(1), 51820, server), laptop);
}

TEST(Nat, PicksOtherPortsOnceItWasReset) {
  Nat nat({}, 1);
  const auto before = nat.outgoing(at(0), laptop, server);
  nat.rebind();
  EXPECT_FALSE(nat.incoming(at(1), *before, server));
  EXPECT_NE(nat.outgoing(at(1), laptop, server), before);
}

TEST(Nat, OnlyCertainPairsMeetByThemselves) {
  using Filter = NatKind::Filter;
  const NatKind full{.filter = Filter::endpoint_independent}, restricted{.filter = Filter::address}, port{.filter = Filter::address_and_port};
  const NatKind symmetric{.filter = Filter::address_and_port, .symmetric = true};
  EXPECT_TRUE(let_meet(nullptr, &symmetric));
  EXPECT_TRUE(let_meet(&full, &symmetric));
  EXPECT_TRUE(let_meet(&restricted, &symmetric));
  EXPECT_FALSE(let_meet(&port, &symmetric));
  EXPECT_FALSE(let_meet(&symmetric, &symmetric));
  EXPECT_TRUE(let_meet(&port, &port));
}

}  // namespace
}  // namespace wigwag::sim
