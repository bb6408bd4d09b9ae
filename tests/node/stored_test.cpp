#include <gtest/gtest.h>

#include <algorithm>

#include "tests/base/seeded.hpp"
#include "tests/node/lone_node.hpp"

namespace wigwag {
namespace {

// A state with everything in it: members, an accusation, a revocation.
Bytes full_state() {
  LoneNode lone(4);
  lone.wake();
  lone.step(lone.from(2, Push{{lone.mesh.accusation(2, 3)}}));
  lone.step(RevokeCommand{make_revocation(lone.mesh.revocation_body(), lone.mesh.network, lone.mesh.revoker).wire});
  return lone.node->stored();
}

TEST(Stored, IsReadAsItWasWritten) {
  const Bytes bytes = full_state();
  const auto state = decode_stored(bytes);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->members.size(), 4U);
  EXPECT_EQ(state->revocations.size(), 1U);
  EXPECT_TRUE(std::any_of(state->members.begin(), state->members.end(), [](const auto& member) { return member.accusations.size() == 1; }));
  EXPECT_EQ(encode_stored(*state), bytes);
}

TEST(Stored, GivesANewLifeAllThatWasKnown) {
  LoneNode lone(4);
  lone.disk = full_state();
  lone.start();
  lone.wake();
  const auto status = lone.status();
  EXPECT_TRUE(status.joined);
  EXPECT_EQ(status.members.size(), 4U);
  EXPECT_EQ(lone.member(3)->health, Health::suspect);
  EXPECT_GT(lone.status().self.epoch, decode_stored(full_state())->epoch);
}

TEST(Stored, CutAnywhereIsAnError) {
  const Bytes bytes = full_state();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto state = decode_stored(ByteView(bytes).first(size));
    ASSERT_FALSE(state) << "cut to " << size << " of " << bytes.size();
    EXPECT_EQ(state.error(), size == 0 ? StoredError::not_ours : StoredError::damaged) << "cut to " << size;
  }
}

TEST(Stored, WithSomethingBehindItIsAnError) {
  Bytes bytes = full_state();
  bytes.push_back(0xc0);
  EXPECT_FALSE(decode_stored(bytes));
}

TEST(Stored, OfAnotherKindIsToldFromDamage) {
  const Bytes text = {'[', 'n', 'o', 'd', 'e', ']'};
  EXPECT_EQ(decode_stored(text).error(), StoredError::not_ours);
  EXPECT_EQ(decode_stored(Packer().array(2).text("other-state").number(1).take()).error(), StoredError::not_ours);
  EXPECT_EQ(decode_stored(Packer().array(3).text("wigwag-state").number(2).nil().take()).error(), StoredError::newer_format);
}

// Whatever became of the bytes on disk: an error, or a node that believes nothing that does not hold.
TEST(Stored, AlteredAtRandomNeverMakesAMemberOfANobody) {
  const Bytes bytes = full_state();
  for_seeds(60, [&](Rng& rng) {
    Bytes altered = bytes;
    for (auto flips = 1 + rng.below(3); flips > 0; --flips) altered[rng.below(altered.size())] = static_cast<std::uint8_t>(rng.next());
    if (!decode_stored(altered)) return;
    LoneNode lone(4, rng.next());
    lone.disk = altered;
    lone.start();
    lone.settle();
    for (const auto& member : lone.status().members) EXPECT_TRUE(lone.admissible(member.id)) << member.name;
    lone.run_for(seconds(5));
  });
}

TEST(Stored, OfAnotherNetworkMakesNoMember) {
  LoneNode lone(3);
  StoredState foreign = lone.state_of(3);
  foreign.bundle = make_bundle(lone.mesh.bundle_body(), NetworkId{{1}}, fixed_secret<RootSecret>(77)).wire;
  lone.disk = encode_stored(foreign);
  lone.start();
  lone.settle();
  EXPECT_FALSE(lone.status().joined);
  EXPECT_TRUE(lone.status().members.empty());
  EXPECT_NE(lone.status().waiting_for, "");
}

// A node goes on above the epoch on disk, whatever the clock says.
TEST(Stored, KeepsVersionsRisingWhenTheClockGoesBack) {
  LoneNode lone;
  lone.wake();
  const auto before = lone.status().self.epoch;
  lone.now.wall.seconds -= 1'000'000'000;
  lone.start();
  lone.wake();
  EXPECT_EQ(lone.status().self.epoch, before + 1);
}

}  // namespace
}  // namespace wigwag
