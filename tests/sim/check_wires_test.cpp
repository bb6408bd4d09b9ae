#include <gtest/gtest.h>

#include "gossip/membership/record.hpp"
#include "gossip/trust/overlay.hpp"
#include "tests/sim/watched_world.hpp"

namespace wigwag::sim {
namespace {

// The checkers of bytes, kernels and packets; as in check_promises_test.cpp each is shown a broken promise.

// Changes what a core puts out, as a broken core would.
class BrokenCore : public Meddler {
 public:
  explicit BrokenCore(std::function<void(Outputs&, const Seat&)> change) : change_(std::move(change)) {}
  void take_seat(const Seat& seat) override { seat_ = &seat; }
  void outgoing(Outputs& outputs) override { change_(outputs, *seat_); }

 private:
  std::function<void(Outputs&, const Seat&)> change_;
  const Seat* seat_ = nullptr;
};

void spoil(WatchedWorld& watched, std::size_t machine, std::function<void(Outputs&, const Seat&)> change) {
  watched.world.set_meddler(machine, std::make_unique<BrokenCore>(std::move(change)));
}

TEST(CheckBounds, NoticeADatagramThatIsTooLarge) {
  WatchedWorld watched(4, 21, false);
  watched.watch(check_bounds);
  ASSERT_TRUE(watched.settle());
  watched.pass(5);
  ASSERT_TRUE(watched.found.empty()) << watched.told();
  spoil(watched, 2, [&](Outputs& outputs, const Seat&) {
    for (auto& output : outputs) {
      if (auto* sent = std::get_if<SendTunnel>(&output)) sent->bytes.resize(1201);
    }
  });
  watched.pass(5);
  EXPECT_TRUE(watched.found_any("I8")) << watched.told();
}

TEST(CheckBounds, WeighAnswersToStrangers) {
  WatchedWorld watched(4, 22, false);
  watched.watch(check_bounds);
  watched.pass(20);
  ASSERT_TRUE(watched.found.empty()) << watched.told();
  // An introduction to somebody who never called.
  spoil(watched, 0, [](Outputs& outputs, const Seat&) { outputs.push_back(SendHello{{Address::ipv4(0xC6336407U), World::hello_port}, {'w', 'h', 1, 2, 0, 0}}); });
  watched.pass(3);
  EXPECT_TRUE(watched.found_any("I8")) << watched.told();
}

TEST(CheckTraffic, NoticesAStorm) {
  WatchedWorld watched(4, 23, false);
  watched.watch(check_traffic);
  ASSERT_TRUE(watched.settle());
  watched.pass(21);
  ASSERT_TRUE(watched.found.empty()) << watched.told();
  spoil(watched, 2, [](Outputs& outputs, const Seat& seat) {
    for (int i = 0; i < 1000; ++i) outputs.push_back(SendTunnel{overlay_ipv6(seat.network(), seat.world().id(1)), Bytes(1200)});
  });
  watched.pass(25);
  EXPECT_TRUE(watched.found_any("I10")) << watched.told();
}

TEST(CheckKernels, CompareWithTheWish) {
  WatchedWorld watched(4, 24, false);
  watched.watch(check_kernels);
  ASSERT_TRUE(watched.settle());
  ASSERT_TRUE(watched.found.empty()) << watched.told();
  watched.look();
  watched.checkers[0]->applied(1);
  ASSERT_TRUE(watched.found.empty()) << watched.told();
  // Somebody takes a peer away, and the reconciler is said to be done all the same.
  auto& kernel = const_cast<FakeKernel&>(watched.world.kernel(1));  // NOLINT: this test breaks what nobody may touch
  kernel.apply(RemovePeer{watched.world.tunnel_key(2)});
  watched.checkers[0]->applied(1);
  EXPECT_TRUE(watched.found_any("I9")) << watched.told();
}

TEST(CheckOwners, NoticeADivertedAddress) {
  WatchedWorld watched(5, 25, false);
  watched.watch(check_owners);
  ASSERT_TRUE(watched.settle());
  watched.pass(5);
  ASSERT_TRUE(watched.found.empty()) << watched.told();
  auto& kernel = const_cast<FakeKernel&>(watched.world.kernel(1));  // NOLINT: see above
  kernel.apply(SetPeer{.key = watched.world.tunnel_key(2), .create = false, .endpoint = {}, .replace = false,
                       .add = {Prefix::host(watched.world.overlay_address(3))}, .remove = {}, .keepalive = {}});
  for (int i = 0; i < 5; ++i) watched.look();
  EXPECT_TRUE(watched.found_any("I13")) << watched.told();
}

TEST(CheckReach, FindsWhoDoesNotGetThrough) {
  WatchedWorld watched(5, 26, false);
  watched.watch(check_reach);
  ASSERT_TRUE(watched.settle());
  watched.pass(40);
  watched.end_calm();
  EXPECT_TRUE(watched.found.empty()) << watched.told();
  watched.world.set_cable(2, false);
  watched.facts.path = [](std::size_t, std::size_t) { return true; };
  watched.end_calm();
  EXPECT_TRUE(watched.found_any("I14")) << watched.told();
}

TEST(CheckConservation, CountsOnItsOwn) {
  WatchedWorld watched(4, 27, false);
  watched.watch(check_conservation);
  watched.pass(20);
  EXPECT_TRUE(watched.found.empty()) << watched.told();
  watched.checkers[0]->sent(1, 100, false);  // one that the network never saw
  watched.look();
  EXPECT_TRUE(watched.found_any("conservation")) << watched.told();
}

TEST(CheckSignatures, VerifyEverythingAnew) {
  WatchedWorld watched(5, 28, false);
  watched.watch(check_signatures);
  ASSERT_TRUE(watched.settle());
  watched.pass(10);
  EXPECT_TRUE(watched.found.empty()) << watched.told();
}

TEST(CheckSignatures, FindWhatNobodySigned) {
  WatchedWorld watched(5, 28, false);
  ASSERT_TRUE(watched.settle());
  const auto good = decode_stored(watched.world.node(1).stored());
  ASSERT_TRUE(good.has_value());
  Verifier verifier;
  ASSERT_EQ(fault_of(*good, verifier), std::nullopt);
  const auto spoilt = [&](const std::function<void(StoredState&)>& change) {
    auto state = *good;
    change(state);
    return fault_of(state, verifier);
  };
  EXPECT_TRUE(spoilt([](StoredState& state) { state.bundle.back() ^= 1; }));
  EXPECT_TRUE(spoilt([](StoredState& state) { state.members[2].record.back() ^= 1; }));
  EXPECT_TRUE(spoilt([](StoredState& state) { state.members[2].certificate.back() ^= 1; }));
  EXPECT_TRUE(spoilt([](StoredState& state) { state.members[2].certificate = state.members[1].certificate; }));
  EXPECT_TRUE(spoilt([&](StoredState& state) {  // the right words by the wrong mouth
    const Accusation body{watched.world.id(3), watched.world.node(1).version_of(watched.world.id(3)), watched.world.id(4)};
    for (auto& member : state.members) {
      if (decode_record(member.record)->body.node == watched.world.id(3)) {
        member.accusations = {make_accusation(body, watched.world.network(), watched.world.identity(2)).wire};
      }
    }
  }));
}

TEST(CheckReports, EndAtABound) {
  WatchedWorld watched(4, 29, false);
  watched.watch(check_conservation);
  watched.checkers[0]->sent(1, 100, false);
  for (int i = 0; i < 100; ++i) watched.look();
  EXPECT_EQ(watched.found.size(), Checker::reports_max);
}

}  // namespace
}  // namespace wigwag::sim
