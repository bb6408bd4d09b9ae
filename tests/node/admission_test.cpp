#include <gtest/gtest.h>

#include "sim/world/world.hpp"
#include "tests/node/lone_node.hpp"

// How a node comes to its admission, and what it makes of others'.
namespace wigwag {
namespace {

Signed<Grant> one_use_grant(const SmallMesh& mesh) {
  Grant body = mesh.grant_body();
  body.uses = 1;
  return make_grant(body, mesh.network, mesh.admin);
}

StoredState::Member stored_claim(const SmallMesh& mesh, std::uint64_t number, std::int64_t at) {
  const Chain chain = mesh.chain(number);
  const Redemption redemption{public_key(mesh.invitation), mesh.id(number), mesh.id(0), SmallMesh::at(at)};
  return {mesh.record(number).wire, chain.certificate.wire, one_use_grant(mesh).wire,
          make_redemption(redemption, mesh.network, mesh.identity(0)).wire, {}};
}

TEST(Invitation, UsedTwiceAccordingToTheDiskLetsInOne) {
  LoneNode lone(2);
  StoredState state = lone.state_of(2);
  state.members.push_back(stored_claim(lone.mesh, 2, 130));
  state.members.push_back(stored_claim(lone.mesh, 3, 120));
  lone.disk = encode_stored(state);
  lone.start();
  lone.settle();
  EXPECT_EQ(lone.member(2)->health, Health::dead) << "left out";
  EXPECT_EQ(lone.member(3)->health, Health::alive);
}

TEST(Member, ForgottenStaysForgottenWhenANeighbourStillKnowsIt) {
  LoneNode lone;
  lone.settle();
  const Record old = lone.about_to_run_out(3);
  const auto item = SmallMesh::member_item(lone.mesh.sign(old, 3), lone.mesh.chain(3));
  lone.step(lone.from(2, Push{{item}}));
  lone.now.wall.seconds += 3 * 24 * 3600;
  lone.run_beside(2, minutes(2));
  ASSERT_EQ(lone.member(3), nullptr);
  lone.step(lone.from(2, Push{{item}}));
  EXPECT_EQ(lone.member(3), nullptr);
  lone.step(lone.from(2, Push{{lone.mesh.member(3, {3, 0})}}));
  EXPECT_NE(lone.member(3), nullptr) << "it has shown itself";
}

TEST(Member, WhoseRecordHasRunOutIsNotCalledWhileOthersSpeak) {
  LoneNode lone;
  lone.settle();
  const Record old = lone.about_to_run_out(3);
  lone.step(lone.from(2, Push{{SmallMesh::record_item(lone.mesh.sign(old, 3))}}));
  lone.run_beside(0, minutes(3));
  lone.called.clear();
  lone.run_beside(0, minutes(10));
  EXPECT_NE(lone.member(3), nullptr) << "it is known for a day";
  EXPECT_TRUE(lone.called.contains(lone.mesh.record_body(2).endpoints[0].address));
  EXPECT_FALSE(lone.called.contains(old.endpoints[0].address));
}

// Member 9 has a sponsor that nobody here knows, under an invitation that takes one.
TEST(Sponsor, OfThisNodeIsBelievedAboutThoseItLetsUsMeet) {
  LoneNode lone;
  lone.settle();
  Chain chain = lone.mesh.chain(9);
  chain.grant = one_use_grant(lone.mesh);
  chain.redemption = make_redemption({public_key(lone.mesh.invitation), lone.mesh.id(9), lone.mesh.id(20), SmallMesh::at(150)},
                                     lone.mesh.network, lone.mesh.identity(20));
  const auto item = SmallMesh::member_item(lone.mesh.record(9), chain);
  lone.heard_by(0);
  lone.step(lone.from(2, Push{{item}}));
  EXPECT_EQ(lone.member(9), nullptr);
  const auto asked = LoneNode::only<Need>(lone.heard_by(0));
  ASSERT_EQ(asked.size(), 1U) << "the one who let us in is asked about it";
  EXPECT_EQ(asked[0].keys, std::vector<std::uint64_t>{key_of(lone.mesh.id(9))});
  lone.step(lone.from(0, Push{{item}}));
  EXPECT_NE(lone.member(9), nullptr);
}

TEST(Member, CannotBeGivenAnotherCertificateByWhoHoldsAToken) {
  LoneNode lone;
  lone.settle();
  Certificate forged = lone.mesh.certificate_body(lone.mesh.identity(3), "mallory");
  forged.issued = SmallMesh::at(299);
  Chain chain = lone.mesh.chain(3);
  chain.certificate = make_certificate(forged, lone.mesh.network, lone.mesh.invitation);
  lone.step(lone.from(2, Push{{SmallMesh::member_item(lone.mesh.record(3), chain)}}));
  EXPECT_EQ(lone.member(3)->name, "node-3");
  EXPECT_EQ(lone.node->counters().dropped_refused, 1U);
}

// What a node says that holds an invitation, before it has called anybody.
std::string joining(std::string name, std::size_t subnets) {
  LoneNode lone;
  Grant grant = lone.mesh.grant_body();
  grant.may.subnets.clear();
  for (std::size_t i = 0; i < subnets; ++i) {
    Prefix subnet = prefix_of("fd00:20::/64");
    subnet.address.bytes[7] = static_cast<std::uint8_t>(i);
    grant.may.subnets.push_back(subnet);
  }
  NodeConfig config;
  config.name = std::move(name);
  config.network = lone.mesh.network;
  Invitation invitation{make_grant(grant, lone.mesh.network, lone.mesh.admin), lone.mesh.invitation.duplicate(), std::nullopt};
  lone.node.emplace(config,
                    NodeSecrets{lone.mesh.joiner.duplicate(), lone.mesh.record_body(1).tunnel_key, fixed_secret<Secret<struct EntropySeedRole>>(9)},
                    lone.empty_state(), std::move(invitation), lone.mesh.verifier);
  lone.step(Resolved{.seeds = {{Address::ipv4(0xCB007101), 51822}}, .endpoints = {}});
  lone.run_for(seconds(3));
  EXPECT_EQ(lone.called.empty(), lone.status().waiting_for != "no seed has answered yet") << "whoever cannot be let in asks nobody";
  return lone.status().waiting_for;
}

TEST(Joining, SaysThatTheNameIsTooLongForTheInvitation) {
  EXPECT_EQ(joining("fra-1", 8), "no seed has answered yet");
  EXPECT_EQ(joining(std::string(limits::name_bytes, 'n'), 7), "no seed has answered yet");
  const auto said = joining(std::string(limits::name_bytes, 'n'), 9);
  EXPECT_NE(said.find("too long"), std::string::npos) << said;
  EXPECT_NE(said.find("9 subnets"), std::string::npos) << said;
}

TEST(Joining, SaysThatTheInvitationConfersTooMuch) {
  const auto said = joining("n", 11);
  EXPECT_NE(said.find("too many subnets"), std::string::npos) << said;
  EXPECT_NE(said.find("with fewer"), std::string::npos) << said;
}

}  // namespace

namespace sim {
namespace {

// As a fleet is that certified itself from the bundle in its token: nobody has vouched for machine 1.
Bytes without_word_for(const NodeId& node, const Bytes& disk, bool own) {
  auto state = decode_stored(disk);
  check(state.has_value(), "a disk can be read");
  if (own) state->redemption.clear();
  for (auto& member : state->members) {
    if (decode_record(member.record)->body.node == node) member.redemption.clear();
  }
  return encode_stored(*state);
}

bool vouched_for(const World& world, std::size_t machine) {
  for (std::size_t i = 0; i < world.size(); ++i) {
    const auto state = decode_stored(world.node(i).stored());
    if (i == machine && state->redemption.empty()) return false;
    for (const auto& member : state->members) {
      if (decode_record(member.record)->body.node == world.id(machine) && member.redemption.empty()) return false;
    }
  }
  return true;
}

TEST(Fleet, FindsASponsorForWhoeverCertifiedItself) {
  World world(8);
  world.found();
  while (world.size() < 4) world.add();
  ASSERT_TRUE(world.run_until(seconds(40), [&] { return world.agreed({0, 1, 2, 3}) && vouched_for(world, 1); }));
  for (std::size_t i = 0; i < 4; ++i) world.kill(i);
  for (std::size_t i = 0; i < 4; ++i) world.restore_disk(i, without_word_for(world.id(1), world.disk(i), i == 1));
  for (std::size_t i = 0; i < 4; ++i) world.start(i, false);
  ASSERT_FALSE(vouched_for(world, 1));
  EXPECT_TRUE(world.run_until(minutes(2), [&] { return world.agreed({0, 1, 2, 3}) && vouched_for(world, 1); }));
}

}  // namespace
}  // namespace sim
}  // namespace wigwag
