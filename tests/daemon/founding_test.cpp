#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/invites.hpp"
#include "daemon/startup.hpp"
#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

using testing::HasSubstr;

constexpr UnixTime now{1'800'000'000};

StateDir open(const std::string& path) {
  auto directory = StateDir::open(path, StateDir::Missing::create);
  EXPECT_TRUE(directory) << (directory ? "" : directory.error().what);
  return std::move(directory).value();
}

class Founding : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(start_crypto()); }
  Membership found() {
    const StateDir directory = open(folder / "state");
    return found_network(directory, {"home", "fra-1", std::nullopt, {*Prefix::parse("10.0.0.0/9")}}, now).value();
  }
  Config config;
  TemporaryFolder folder;
};

TEST_F(Founding, MakesAMembershipThatADaemonStartsFrom) {
  const Membership made = found();
  const auto startup = prepare_start(config, folder / "state", now.seconds);
  ASSERT_TRUE(startup) << startup.error().what;
  EXPECT_TRUE(startup->member());
  EXPECT_FALSE(startup->token);
  EXPECT_THAT(startup->remarks, testing::IsEmpty());
  EXPECT_EQ(startup->stored.network, made.network);
  const auto bundle = decode_bundle(startup->stored.bundle).value();
  EXPECT_EQ(bundle.body.network_name, "home");
  EXPECT_EQ(bundle.body.ipv4.length, 16);
  EXPECT_FALSE(bundle.body.ipv4.overlaps(*Prefix::parse("10.0.0.0/9"))) << to_string(bundle.body.ipv4) << " is in use here";
  const auto certificate = decode_certificate(startup->stored.certificate).value();
  EXPECT_EQ(certificate.body.node, public_key(startup->identity));
  Verifier verifier;
  const Chain chain{certificate, std::nullopt, std::nullopt};
  const ChainContext context{bundle.body, made.network, now, false, false, {}};
  EXPECT_TRUE(verify_chain(chain, context, verifier)) << "every member accepts the founder";
}

TEST_F(Founding, KeepsItsKeysClosed) {
  found();
  for (const char* name : {"identity.key", "wireguard.key", "root.key", "admin.key", "state", "membership"}) {
    EXPECT_EQ(std::filesystem::status(folder / (std::string("state/") + name)).permissions(), std::filesystem::perms(0600)) << name;
  }
}

TEST_F(Founding, IsSeenWithoutStarting) {
  EXPECT_FALSE(membership_in(open(folder / "state")).value().has_value());
  const Membership made = found();
  const auto held = membership_in(open(folder / "state")).value();
  ASSERT_TRUE(held);
  EXPECT_EQ(held->network, made.network);
  EXPECT_EQ(held->network_name, "home");
}

TEST_F(Founding, SurvivesADamagedStateByItsMembershipFile) {
  found();
  folder.write("state/state", "noise");
  const auto startup = prepare_start(config, folder / "state", now.seconds);
  ASSERT_TRUE(startup) << startup.error().what;
  EXPECT_TRUE(startup->member());
  EXPECT_THAT(startup->remarks, testing::ElementsAre(HasSubstr("state.broken-"), HasSubstr("membership")));
}

TEST_F(Founding, RefusesAStateOfAnotherIdentity) {
  found();
  std::array<std::uint8_t, 32> other{};
  other.fill(9);
  ASSERT_TRUE(open(folder / "state").save_secret("identity.key", NodeSecret(other)));
  const auto startup = prepare_start(config, folder / "state", now.seconds);
  ASSERT_FALSE(startup);
  EXPECT_THAT(startup.error().what, HasSubstr("another node"));
}

TEST_F(Founding, WithoutItsIdentityIsAnErrorAndNotANewNode) {
  found();
  std::filesystem::remove(folder / "state/identity.key");
  const auto startup = prepare_start(config, folder / "state", now.seconds);
  ASSERT_FALSE(startup);
  EXPECT_THAT(startup.error().what, HasSubstr("identity.key is missing"));
  EXPECT_FALSE(std::filesystem::exists(folder / "state/identity.key"));
}

TEST(LargeState, LeavesAccusationsOutBeforeItIsTooLargeToBeRead) {
  StoredState state;
  state.epoch = 7;
  state.members.resize(3);
  for (auto& member : state.members) {
    member.record = Bytes(100, 1);
    member.accusations.assign(4, Bytes(150, 2));
  }
  const Bytes whole = encode_stored(state);
  EXPECT_EQ(fit_state(whole, whole.size()), whole);
  const Bytes fitted = fit_state(whole, whole.size() - 1);
  EXPECT_LT(fitted.size() + 3 * 4 * 150, whole.size());
  const auto read = decode_stored(fitted);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->epoch, 7U);
  ASSERT_EQ(read->members.size(), 3U);
  EXPECT_EQ(read->members[2].record, state.members[2].record);
  EXPECT_TRUE(read->members[2].accusations.empty());
}

class Inviting : public Founding {
 protected:
  std::string token(const InviteTerms& terms) { return make(terms).value(); }
  Outcome<std::string> make(const InviteTerms& terms) {
    const StateDir directory = open(folder / "state");
    const auto network = membership_in(directory).value()->network;
    const auto admin = directory.load_secret<AdminSecret>("admin.key").value();
    const auto stored = decode_stored(directory.load("state").value().value()).value();
    auto invites = Invites::load(directory).value();
    return invites.make(terms, network, decode_bundle(stored.bundle).value(), *admin, now);
  }
};

// Whoever it lets in must fit a datagram, whatever its name.
TEST_F(Inviting, RefusesToConferMoreSubnetsThanOthersCanBeToldOf) {
  found();
  const auto invite = [&](std::size_t count, const char* like) {
    InviteTerms terms;
    for (std::size_t i = 0; i < count; ++i) {
      Prefix subnet = Prefix::parse(like).value();
      subnet.address.bytes[2] = static_cast<std::uint8_t>(i);
      terms.may.subnets.push_back(subnet);
    }
    return make(terms);
  };
  EXPECT_TRUE(invite(16, "10.20.0.0/24"));
  EXPECT_TRUE(invite(7, "fd00::/128"));
  const auto refused = invite(9, "fd00::/64");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("9 subnets"), std::string::npos) << refused.error().what;
  EXPECT_NE(refused.error().what.find("Name fewer"), std::string::npos) << refused.error().what;
  EXPECT_EQ(Invites::load(open(folder / "state"))->made().size(), 2U) << "and keeps nothing of it";
}

TEST_F(Inviting, MakesATokenWhoseGrantHolds) {
  const Membership made = found();
  InviteTerms terms;
  terms.lifetime = std::chrono::hours(24);
  terms.seeds = {"203.0.113.5:51822"};
  const auto decoded = decode_token(token(terms));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->network, made.network);
  EXPECT_EQ(decoded->grant.body.uses, 1U);
  EXPECT_EQ(decoded->grant.body.expires.seconds, now.seconds + 86400);
  EXPECT_EQ(public_key(decoded->secret), decoded->grant.body.id);
  EXPECT_FALSE(decoded->bundle);
}

TEST_F(Inviting, GivesTheBundleToWhoeverMayCertifyItself) {
  found();
  InviteTerms terms;
  terms.uses = 0;
  EXPECT_TRUE(decode_token(token(terms))->bundle);
}

TEST_F(Inviting, RemembersGrantsAndNoSecrets) {
  found();
  const auto decoded = decode_token(token({})).value();
  const StateDir directory = open(folder / "state");
  const auto invites = Invites::load(directory).value();
  ASSERT_EQ(invites.made().size(), 1U);
  EXPECT_EQ(invites.made()[0].body.id, decoded.grant.body.id);
  const std::string id = to_hex(decoded.grant.body.id);
  EXPECT_TRUE(invites.find(id.substr(0, 8)));
  EXPECT_FALSE(invites.find(id.substr(0, 7)));
  EXPECT_FALSE(invites.find("00000000"));
  const std::string kept = folder.read("state/invites");
  EXPECT_EQ(kept.find(to_base64(ByteView(decoded.secret.open()))), std::string::npos);
  EXPECT_EQ(kept.find(decoded.grant.wire.empty() ? "" : to_base64(ByteView(decoded.grant.wire))), 0U);
}

TEST_F(Inviting, SaysThatItsListIsDamaged) {
  found();
  folder.write("state/invites", "noise\n");
  const StateDir directory = open(folder / "state");
  EXPECT_FALSE(Invites::load(directory));
}

TEST_F(Inviting, WithdrawsByARevocationThatMembersAccept) {
  found();
  const auto grant = decode_token(token({}))->grant;
  const StateDir directory = open(folder / "state");
  const auto admin = directory.load_secret<AdminSecret>("admin.key").value();
  const auto revocation = withdraw(grant.body, membership_in(directory).value()->network, *admin, now);
  const auto read = decode_revocation(revocation.wire);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->body.kind, RevokedKind::grant);
  EXPECT_EQ(read->body.target, grant.body.id.bytes);
}

TEST_F(Inviting, JoinsFromATokenOrAFleetsFile) {
  found();
  InviteTerms terms;
  terms.uses = 0;
  const std::string text = token(terms);
  Config fleet;
  fleet.secret_file = folder.write("secret", text + "\n", 0644);
  const auto startup = prepare_start(fleet, folder / "other", now.seconds);
  ASSERT_TRUE(startup) << startup.error().what;
  ASSERT_TRUE(startup->token);
  EXPECT_THAT(startup->remarks, testing::ElementsAre(HasSubstr("chmod 600")));
  EXPECT_EQ(startup->stored.network, startup->token->network);
  ASSERT_TRUE(open(folder / "third").save_text("token", text));
  EXPECT_TRUE(prepare_start(config, folder / "third", now.seconds)->token);
  fleet.secret_file = folder.write("noise", "noise");
  EXPECT_FALSE(prepare_start(fleet, folder / "fourth", now.seconds));
  const auto nowhere = prepare_start(config, folder / "fifth", now.seconds);
  EXPECT_THAT(nowhere.error().what, HasSubstr("wigwag up"));
  EXPECT_EQ(nowhere.error().exit_status, status_no_network);
}

}  // namespace
}  // namespace wigwag
