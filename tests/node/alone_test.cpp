#include <gtest/gtest.h>

#include "tests/node/lone_node.hpp"

// A node that nobody speaks to, and one that speaks to those who had been given up.
namespace wigwag {
namespace {

// So many that it cannot get together the votes against any of them.
TEST(Silence, MakesANodeOfALargeMeshCallAnybody) {
  LoneNode lone(LoneNode::numbers_max);
  lone.settle();
  lone.run_for(seconds(29));
  EXPECT_TRUE(lone.called.empty()) << "nobody is Down";
  EXPECT_FALSE(lone.has_raised(EventKind::isolated));
  lone.run_for(minutes(1));
  EXPECT_GT(lone.called.size(), 5U);
  EXPECT_TRUE(lone.has_raised(EventKind::isolated));
  EXPECT_FALSE(lone.status().converged);
}

TEST(Silence, EndsWithTheFirstWord) {
  LoneNode lone(LoneNode::numbers_max);
  lone.settle();
  lone.run_for(minutes(1));
  lone.step(lone.from(2, Ping{1}));
  lone.run_for(seconds(10));  // calls that were begun are repeated for a while
  lone.called.clear();
  lone.step(lone.from(2, Ping{2}));
  lone.run_for(seconds(29));
  EXPECT_TRUE(lone.called.empty());
}

TEST(Silence, MakesANodeCallThoseWhoseRecordsRanOutToo) {
  LoneNode lone;
  lone.settle();
  const Record old = lone.about_to_run_out(3);
  lone.step(lone.from(2, Push{{SmallMesh::record_item(lone.mesh.sign(old, 3))}}));
  lone.run_beside(2, minutes(3));
  lone.run_for(minutes(10));
  EXPECT_TRUE(lone.called.contains(old.endpoints[0].address));
}

TEST(Clock, ThatNobodyConfirmsMakesNobodyForgotten) {
  LoneNode lone;
  lone.settle();
  lone.now.wall.seconds += 90LL * 24 * 3600;
  lone.run_for(minutes(5));
  for (const std::uint64_t other : {0U, 2U, 3U}) EXPECT_NE(lone.member(other), nullptr) << other;
}

TEST(Clock, ThatIsSetAwayFromThePeersMakesNobodyForgotten) {
  LoneNode lone;
  lone.settle();
  lone.run_beside(2, minutes(1));
  lone.now.wall.seconds += 90LL * 24 * 3600;
  lone.run_for(minutes(5));
  EXPECT_TRUE(lone.has_raised(EventKind::clock_doubtful)) << "what was measured before is still known";
  for (const std::uint64_t other : {0U, 2U, 3U}) EXPECT_NE(lone.member(other), nullptr) << other;
}

// Six hosts, and this node is the seventh.
TEST(Address, IsNotMovedForEverWhereThePrefixIsFull) {
  LoneNode lone;
  Bundle small = lone.mesh.bundle_body();
  small.ipv4 = prefix_of("10.99.0.0/29");
  StoredState state = lone.state_of(7);
  state.bundle = make_bundle(small, lone.mesh.network, lone.mesh.root).wire;
  Redemption late = lone.mesh.redemption_body(lone.mesh.identity(LoneNode::self));
  late.at = SmallMesh::at(200);
  state.redemption = make_redemption(late, lone.mesh.network, lone.mesh.sponsor).wire;
  std::uint32_t address = 0x0a630001;
  for (auto& member : state.members) {
    const auto stored = decode_record(member.record);
    for (std::uint64_t number = 0; number < 7; ++number) {
      if (stored->body.node != lone.mesh.id(number)) continue;
      Record body = stored->body;
      body.ipv4 = Address::ipv4(address++);
      member.record = lone.mesh.sign(body, number).wire;
    }
  }
  lone.disk = encode_stored(state);
  lone.start();
  lone.settle();
  lone.run_for(seconds(5));
  ASSERT_EQ(lone.status().members.size(), 7U);
  const auto before = lone.status().self;
  for (std::uint32_t times = 1; times <= 10; ++times) {
    lone.step(lone.from(2, Push{{SmallMesh::record_item([&] {
      Record news = lone.mesh.record_body(2, {2, times});
      news.ipv4 = Address::ipv4(0x0a630002);
      return lone.mesh.sign(news, 2);
    }())}}));
    lone.run_for(seconds(1));
  }
  EXPECT_EQ(lone.status().self.sequence, before.sequence) << "there is nothing new to say";
  EXPECT_FALSE(lone.has_raised(EventKind::address_moved));
}

}  // namespace
}  // namespace wigwag
