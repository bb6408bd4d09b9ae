#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node/lone_node.hpp"

// Networks behind members: what a node announces of its own, and what it makes of others'.
namespace wigwag {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Prefix lan = prefix_of("10.20.1.0/24");    // conferred on every member of the small mesh
const Prefix elsewhere = prefix_of("10.30.0.0/24");

std::vector<Event> told_of_subnets(const LoneNode& lone) {
  std::vector<Event> told;
  for (const auto& event : lone.raised) {
    if (event.kind == EventKind::subnet_refused) told.push_back(event);
  }
  return told;
}

void announce(LoneNode& lone, std::uint64_t number, std::vector<Prefix> subnets, Version version = {2, 0}) {
  const Item item = lone.mesh.lan_member(number, std::move(subnets), version);
  lone.step(lone.from(0, Push{{item}}));
  lone.run_for(milliseconds(300));
}

bool routes(const LoneNode& lone, const Prefix& subnet) {
  return std::any_of(lone.wish.routes.begin(), lone.wish.routes.end(), [&](const TunnelRoute& route) { return route.destination == subnet; });
}

// A node that knows which networks it is in.
struct PlacedNode : LoneNode {
  explicit PlacedNode(std::vector<Prefix> networks = {prefix_of("192.0.2.0/24")}) {
    step(LocalAddresses{{*Address::parse("192.0.2.7")}, std::move(networks)});
    settle();
  }
};

TEST(OwnSubnets, AreAnnouncedAsFarAsTheCertificateConfersThem) {
  LoneNode lone;
  const Prefix half = prefix_of("10.20.1.0/25");
  lone.subnets = {elsewhere, half, lan, lan};
  lone.start();
  lone.settle();
  EXPECT_THAT(lone.node->subnets(), ElementsAre(lan, half));
  EXPECT_THAT(lone.own_records_heard_by(2).back().subnets, ElementsAre(lan, half));
  ASSERT_EQ(told_of_subnets(lone).size(), 1U);
  const Event said = told_of_subnets(lone).front();
  EXPECT_EQ(said.subject, lone.mesh.id(LoneNode::self));
  EXPECT_THAT(said.detail, HasSubstr("10.30.0.0/24 is not announced: this node's certificate does not confer it"));
  EXPECT_THAT(said.detail, HasSubstr("wigwag invite --subnet 10.30.0.0/24"));
  const auto shown = lone.status().subnets;
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[0].carrier, lone.mesh.id(LoneNode::self));
  EXPECT_EQ(shown[2].subnet, elsewhere);
  EXPECT_FALSE(shown[2].carrier.has_value());
  EXPECT_THAT(shown[2].why_not, HasSubstr("certificate"));
  lone.run_for(minutes(2));
  EXPECT_EQ(told_of_subnets(lone).size(), 1U) << "said once";
}

// Who may announce everything still cannot announce what nobody can have behind it.
TEST(OwnSubnets, OfTheMeshItselfAreNotAnnounced) {
  LoneNode lone;
  StoredState state = lone.state_of(4);
  const Item item = lone.mesh.lan_member(LoneNode::self, {});
  state.certificate = item.certificate, state.grant = item.grant, state.redemption = item.redemption;
  lone.disk = encode_stored(state);
  lone.subnets = {prefix_of("0.0.0.0/0"), elsewhere, prefix_of("10.99.4.0/24")};
  lone.start();
  lone.settle();
  EXPECT_THAT(lone.node->subnets(), ElementsAre(elsewhere));
  ASSERT_EQ(told_of_subnets(lone).size(), 1U);
  EXPECT_THAT(told_of_subnets(lone).front().detail, HasSubstr("0.0.0.0/0 is not announced: it is a default route"));
  EXPECT_THAT(told_of_subnets(lone).front().detail, HasSubstr("10.99.4.0/24 is not announced: it overlaps the mesh's own"));
}

TEST(OwnSubnets, ThatDoNotFitTheRecordAreSaidToBeMissing) {
  LoneNode lone;
  const auto numbered = [](std::uint8_t number) {
    Prefix subnet = prefix_of("fd00:20::/64");
    subnet.address.bytes[7] = number;
    return subnet;
  };
  Grant grant = lone.mesh.grant_body();
  grant.may.subnets.clear();
  for (std::uint8_t number = 0; number < 7; ++number) grant.may.subnets.push_back(numbered(number));
  Certificate certificate = lone.mesh.certificate_body(lone.mesh.identity(LoneNode::self), std::string(limits::name_bytes, 'n'));
  certificate.may.subnets = grant.may.subnets;
  StoredState state = lone.state_of(4);
  state.certificate = make_certificate(certificate, lone.mesh.network, lone.mesh.invitation).wire;
  state.grant = make_grant(grant, lone.mesh.network, lone.mesh.admin).wire;
  lone.disk = encode_stored(state);
  lone.subnets = grant.may.subnets;
  lone.start();
  std::vector<Address> addresses;
  for (std::uint8_t number = 1; number < 9; ++number) {
    Address address = *Address::parse("2001:db8::");
    address.bytes[15] = number;
    addresses.push_back(address);
  }
  lone.step(LocalAddresses{addresses});
  lone.settle();
  lone.run_for(seconds(2));
  const auto announced = lone.node->subnets();
  EXPECT_GT(announced.size(), 0U);
  EXPECT_LT(announced.size(), 7U);
  EXPECT_FALSE(lone.status().announced.empty()) << "without an endpoint nobody would find the way to them";
  EXPECT_FALSE(lone.has_raised(EventKind::record_refused)) << "others take the record";
  ASSERT_FALSE(told_of_subnets(lone).empty());
  EXPECT_THAT(told_of_subnets(lone).front().detail, HasSubstr("there is no room for it in this node's record"));
}

TEST(Subnets, OfAMemberAreRoutedAndShown) {
  PlacedNode lone;
  announce(lone, 2, {elsewhere});
  EXPECT_TRUE(routes(lone, elsewhere));
  const auto shown = lone.status().subnets;
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0].subnet, elsewhere);
  EXPECT_EQ(shown[0].carrier, lone.mesh.id(2));
  EXPECT_EQ(shown[0].carrier_name, "node-2");
  EXPECT_TRUE(shown[0].routed);
  announce(lone, 3, {elsewhere});
  const auto both = lone.status().subnets;
  ASSERT_EQ(both.size(), 1U);
  EXPECT_EQ(both[0].others.size(), 1U);
  announce(lone, 2, {}, {3, 0});
  announce(lone, 3, {}, {3, 0});
  EXPECT_FALSE(routes(lone, elsewhere));
  EXPECT_THAT(lone.status().subnets, IsEmpty());
  EXPECT_THAT(told_of_subnets(lone), IsEmpty());
}

TEST(Subnets, ThatOverlapANetworkOfThisHostAreSaidOnceAndNotRouted) {
  PlacedNode lone({prefix_of("10.30.0.0/16")});
  announce(lone, 2, {elsewhere});
  EXPECT_FALSE(routes(lone, elsewhere));
  lone.run_for(minutes(1));
  announce(lone, 3, {});
  ASSERT_EQ(told_of_subnets(lone).size(), 1U);
  EXPECT_EQ(told_of_subnets(lone)[0].subject, lone.mesh.id(2));
  EXPECT_EQ(told_of_subnets(lone)[0].name, "node-2");
  EXPECT_EQ(told_of_subnets(lone)[0].detail, "10.30.0.0/24 is not routed: it overlaps this host's own network 10.30.0.0/16");
  EXPECT_THAT(lone.status().subnets[0].why_not, HasSubstr("own network"));
  // The host moves: nothing is in the way any more.
  lone.step(LocalAddresses{{*Address::parse("192.0.2.7")}, {prefix_of("192.0.2.0/24")}});
  EXPECT_TRUE(routes(lone, elsewhere));
  lone.step(LocalAddresses{{*Address::parse("10.30.0.9")}, {elsewhere}});
  EXPECT_FALSE(routes(lone, elsewhere));
  EXPECT_EQ(told_of_subnets(lone).size(), 2U);
}

TEST(Subnets, ThatNobodyCanHaveAreLaidToWhoAnnouncesThem) {
  PlacedNode lone;
  announce(lone, 2, {prefix_of("0.0.0.0/0"), prefix_of("10.99.0.0/24")});
  EXPECT_FALSE(routes(lone, prefix_of("0.0.0.0/0")));
  EXPECT_FALSE(routes(lone, prefix_of("10.99.0.0/24")));
  ASSERT_EQ(told_of_subnets(lone).size(), 1U);
  EXPECT_EQ(told_of_subnets(lone)[0].name, "node-2");
  EXPECT_THAT(told_of_subnets(lone)[0].detail, HasSubstr("0.0.0.0/0 is not routed: it is a default route"));
  EXPECT_THAT(told_of_subnets(lone)[0].detail, HasSubstr("10.99.0.0/24 is not routed: it overlaps the mesh's own"));
  EXPECT_TRUE(lone.wishes_for(2)) << "it is a member like any other";
}

TEST(Subnets, BeyondACertificateAreRefusedAndLaidToTheirAnnouncer) {
  PlacedNode lone;
  Record record = lone.mesh.record_body(2, {2, 0});
  record.subnets = {elsewhere};
  lone.step(lone.from(0, Push{{SmallMesh::record_item(lone.mesh.sign(record, 2))}}));
  lone.run_for(milliseconds(300));
  EXPECT_FALSE(routes(lone, elsewhere));
  EXPECT_EQ(lone.node->version_of(lone.mesh.id(2)), (Version{1, 0})) << "the record does not hold";
  const auto refused = std::find_if(lone.raised.begin(), lone.raised.end(), [](const Event& event) { return event.kind == EventKind::record_refused; });
  ASSERT_NE(refused, lone.raised.end());
  EXPECT_EQ(refused->subject, lone.mesh.id(2));
  EXPECT_EQ(refused->name, "node-2");
}

// Restarted in one of those networks, it must not lead its own LAN into the tunnel, be it for a moment.
TEST(Subnets, AreNotPlannedBeforeTheNetworksOfThisHostAreKnown) {
  LoneNode lone;
  announce(lone, 2, {elsewhere});
  lone.settle();
  EXPECT_FALSE(routes(lone, elsewhere));
  lone.step(LocalAddresses{{*Address::parse("192.0.2.7")}, {prefix_of("192.0.2.0/24")}});
  EXPECT_TRUE(routes(lone, elsewhere));
}

// Everybody begins a life as alive or accused: traffic that goes through the second of two must not go back to
// the first for as long as its fall takes to be known again.
TEST(Subnets, StayWithTheirCarrierThroughARestart) {
  PlacedNode lone;
  announce(lone, 2, {elsewhere});
  announce(lone, 3, {elsewhere});
  const std::uint64_t low = lone.mesh.id(2) < lone.mesh.id(3) ? 2 : 3, high = 5 - low;
  std::vector<Item> accusations;
  for (const std::uint64_t accuser : {std::uint64_t{0}, high}) accusations.push_back(lone.mesh.accusation(accuser, low, {2, 0}));
  lone.step(lone.from(0, Push{accusations}));
  lone.run_beside(high, seconds(8));
  const auto carried_by = [&](std::uint64_t number) {
    return std::any_of(lone.wish.peers.begin(), lone.wish.peers.end(), [&](const TunnelPeer& peer) {
      return peer.key == lone.mesh.record_body(number).tunnel_key && std::find(peer.allowed_ips.begin(), peer.allowed_ips.end(), elsewhere) != peer.allowed_ips.end();
    });
  };
  ASSERT_TRUE(carried_by(high));
  lone.disk = lone.node->stored();
  lone.start();
  lone.step(Wakeup{});
  KernelSnapshot before;
  for (const auto& peer : lone.wish.peers) before.peers.push_back({peer.key, peer.endpoint, peer.allowed_ips, peer.keepalive, 5, 100, 100});
  lone.kernel_shown = true;
  lone.step(before);
  lone.step(LocalAddresses{{*Address::parse("192.0.2.7")}, {prefix_of("192.0.2.0/24")}});
  for (int times = 0; times < 100; ++times) {
    lone.run_beside(high, milliseconds(100));
    ASSERT_FALSE(carried_by(low)) << "after " << times << " tenths of a second";
  }
  EXPECT_TRUE(carried_by(high));
  EXPECT_FALSE(lone.node->desired().peers.empty()) << "it plans in the end";
}

// The way there leads through the tunnel that it would have to carry.
TEST(Subnets, HoldNoEndpointThatIsTried) {
  const auto wanted = [](std::vector<Prefix> subnets) {
    PlacedNode lone;
    announce(lone, 3, std::move(subnets));
    Record record = lone.mesh.lan_record(2, {}, {2, 0});
    record.endpoints = {*Endpoint::parse("10.30.0.5:51820")};
    lone.step(lone.from(0, Push{{SmallMesh::member_item(lone.mesh.sign(record, 2), lone.mesh.wide_chain(2))}}));
    lone.run_for(milliseconds(300));
    for (const auto& peer : lone.wish.peers) {
      if (peer.key == record.tunnel_key) return peer.endpoint;
    }
    return std::optional<Endpoint>();
  };
  EXPECT_EQ(wanted({prefix_of("10.40.0.0/24")}), Endpoint::parse("10.30.0.5:51820"));
  EXPECT_EQ(wanted({elsewhere}), std::nullopt);
}

}  // namespace
}  // namespace wigwag
