#include "daemon/reconciler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/netlink/model_kernel.hpp"
#include "tests/netlink/values.hpp"

namespace wigwag {
namespace {

using test::key;
using test::ModelKernel;
using test::prefix;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

// A kernel of plain values, and a list of what shall go wrong.
struct World {
  ModelKernel kernel;
  std::size_t reads = 0, applied = 0;
  std::vector<NetError> refuse;  // instead of the next applies, one each
  bool pretend = false;          // say "done" and do nothing
  bool disk_full = false;
  std::optional<NetError> unreadable;
  std::vector<AppliedTunnel> stored;
  std::vector<std::size_t> applied_when_stored;
  std::vector<TunnelEvent> events;
};

class FakeHost : public TunnelHost {
 public:
  explicit FakeHost(World& world) : world_(world) {}
  const std::string& interface() const override { return name_; }
  BackendKind backend() const override { return BackendKind::kernel; }
  bool removes_allowed_ip() const override { return true; }
  Task<ActualTunnel> read(std::vector<TunnelRoute>) override {
    ++world_.reads;
    if (world_.unreadable) co_return Unexpected{*world_.unreadable};
    co_return world_.kernel.state;
  }
  Task<std::vector<TunnelPeerState>> read_peers() override { co_return world_.kernel.state.peers; }
  boost::asio::awaitable<std::vector<NetError>> apply(std::vector<TunnelChange> changes, TunnelSecret) override {
    std::vector<NetError> failures;
    if (!world_.refuse.empty()) {
      failures.push_back(world_.refuse.front());
      world_.refuse.erase(world_.refuse.begin());
      co_return failures;
    }
    if (world_.pretend) co_return failures;
    for (const TunnelChange& change : changes) {
      EXPECT_EQ(world_.kernel.apply(change), "") << to_string(change);
      ++world_.applied;
      if (std::holds_alternative<CreateInterface>(change)) world_.kernel.state.index = ++last_index_;
    }
    co_return failures;
  }

 private:
  World& world_;
  std::string name_ = "wigwag0";
  std::uint32_t last_index_ = 4;
};

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() {
    world.kernel.own_key = key(200);
    world.kernel.removes_allowed_ip = true;
    desired.device = {key(200), 51820, 1420};
    desired.tunnel.addresses = {prefix("10.99.0.1/32")};
    desired.tunnel.peers = {{key(1), Endpoint::parse("192.0.2.1:1"), {prefix("10.99.0.2/32")}, {}}};
    desired.tunnel.routes = {{prefix("10.99.0.2/32"), RouteKind::through_tunnel, metric_direct}};
  }
  ~ReconcilerTest() override {
    reconciler.reset();
    io.restart();
    io.poll();
  }
  void start(AppliedTunnel applied = {}) {
    Reconciler::Calls calls;
    calls.persist = [this](AppliedTunnel now) -> boost::asio::awaitable<bool> {
      if (world.disk_full) co_return false;
      world.stored.push_back(now);
      world.applied_when_stored.push_back(world.applied);
      co_return true;
    };
    calls.event = [this](const TunnelEvent& event) { world.events.push_back(event); };
    reconciler =
        std::make_unique<Reconciler>(io.get_executor(), std::make_unique<FakeHost>(world), std::move(applied), std::move(calls));
  }
  void want() { reconciler->want(desired, TunnelSecret{}, {}); }
  bool run_until(const std::function<bool()>& holds, std::chrono::milliseconds patience = 5s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_for(2ms);
    }
    return true;
  }
  bool settles() {
    return run_until([this] { return reconciler->settled(); });
  }
  std::vector<TunnelEventKind> kinds() const {
    std::vector<TunnelEventKind> found;
    for (const TunnelEvent& one : world.events) found.push_back(one.kind);
    return found;
  }

  boost::asio::io_context io;
  World world;
  DesiredTunnel desired;
  std::unique_ptr<Reconciler> reconciler;
};

TEST_F(ReconcilerTest, StoresItsClaimBeforeTheFirstChange) {
  start();
  want();
  ASSERT_TRUE(settles());
  ASSERT_GE(world.stored.size(), 2u);
  EXPECT_EQ(world.applied_when_stored.front(), 0u);
  EXPECT_TRUE(world.stored.front().created);
  EXPECT_EQ(world.stored.front().interface, "wigwag0");
  EXPECT_THAT(world.stored.front().peers, ElementsAre(AppliedPeer{key(1), std::nullopt}));
  EXPECT_THAT(world.stored.back().peers, ElementsAre(AppliedPeer{key(1), Endpoint::parse("192.0.2.1:1")}));
  EXPECT_THAT(kinds(), ElementsAre(TunnelEventKind::created));
}

TEST_F(ReconcilerTest, WritesNothingWhileTheDiskIsFull) {
  world.disk_full = true;
  start();
  want();
  ASSERT_TRUE(run_until([this] { return !world.events.empty(); }));
  EXPECT_EQ(world.applied, 0u);
  EXPECT_THAT(world.events[0].text, HasSubstr("write down what is ours on wigwag0"));
  world.disk_full = false;
  EXPECT_TRUE(settles());
}

TEST_F(ReconcilerTest, DoesNotStoreOrWriteWhenNothingDiffers) {
  start();
  want();
  ASSERT_TRUE(settles());
  const auto applied = world.applied;
  const auto stored = world.stored;
  reconciler.reset();
  start(stored.back());
  want();
  ASSERT_TRUE(settles());
  EXPECT_EQ(world.applied, applied);
  EXPECT_EQ(world.stored, stored);
  EXPECT_EQ(world.events.back().kind, TunnelEventKind::adopted);
}

TEST_F(ReconcilerTest, SaysOnceThatItFailsAndOnceThatItRecovered) {
  const NetError error{NetFault::refused, EINVAL, "add address 10.99.0.1/32 on wigwag0"};
  world.refuse = {error, error, error};
  start();
  want();
  ASSERT_TRUE(settles());
  EXPECT_THAT(kinds(), ElementsAre(TunnelEventKind::failed, TunnelEventKind::created, TunnelEventKind::recovered));
}

TEST_F(ReconcilerTest, TriesLessOftenTheLongerItFails) {
  world.unreadable = NetError{NetFault::refused, EINVAL, "read"};
  start();
  want();
  (void)run_until([] { return false; }, 1200ms);
  // At 0, 250 and 750 ms.
  EXPECT_GE(world.reads, 2u);
  EXPECT_LE(world.reads, 4u);
}

TEST_F(ReconcilerTest, NewWishesDoNotShortenThePauseAfterAFailure) {
  world.unreadable = NetError{NetFault::refused, EINVAL, "read"};
  start();
  for (std::uint16_t n = 1; n < 100; ++n) {
    desired.device.listen_port = n;
    want();
    io.restart();
    io.run_for(2ms);
  }
  EXPECT_LE(world.reads, 3u);
}

TEST_F(ReconcilerTest, TriesAtOnceWhenTheKernelIsBusy) {
  world.refuse = {NetError{NetFault::busy, 0, "remove a single allowed IP"}};
  start();
  want();
  ASSERT_TRUE(run_until([this] { return reconciler->settled(); }, 150ms));
  EXPECT_THAT(kinds(), ElementsAre(TunnelEventKind::created));
}

TEST_F(ReconcilerTest, FindsOutThatAChangeTookNoEffect) {
  world.pretend = true;
  start();
  want();
  ASSERT_TRUE(run_until([this] { return !world.events.empty(); }));
  EXPECT_THAT(world.events[0].text, HasSubstr("make this change take effect on wigwag0: create the interface"));
  EXPECT_FALSE(reconciler->settled());
}

TEST_F(ReconcilerTest, FoldsManyWishesIntoOneRun) {
  start();
  for (std::uint16_t n = 1; n <= 50; ++n) {
    desired.device.listen_port = n;
    want();
  }
  ASSERT_TRUE(settles());
  EXPECT_LE(world.reads, 4u);
  EXPECT_EQ(world.kernel.state.listen_port, 50);
}

TEST_F(ReconcilerTest, FoldsManyEventsIntoOneReading) {
  start();
  want();
  ASSERT_TRUE(settles());
  const auto reads = world.reads;
  for (int n = 0; n < 100; ++n) {
    reconciler->resync();
    io.restart();
    io.run_for(2ms);
  }
  (void)run_until([] { return false; }, 600ms);
  EXPECT_GE(world.reads, reads + 1);
  EXPECT_LE(world.reads, reads + 3);
}

TEST_F(ReconcilerTest, TellsAConflictOnce) {
  world.kernel.state.routes = {{prefix("10.99.0.2/32"), RouteTarget::elsewhere, metric_direct, false}};
  start();
  want();
  ASSERT_TRUE(settles());
  reconciler->resync();
  (void)run_until([] { return false; }, 700ms);
  EXPECT_THAT(kinds(), ElementsAre(TunnelEventKind::created, TunnelEventKind::conflict));
}

TEST_F(ReconcilerTest, LeavesAnInterfaceAloneWhoseKeyIsNotOurs) {
  world.kernel.state.exists = world.kernel.state.up = true;
  world.kernel.state.index = 9;
  world.kernel.state.public_key = key(66);
  start();
  want();
  ASSERT_TRUE(run_until([this] { return !world.events.empty(); }));
  EXPECT_EQ(world.applied, 0u);
  EXPECT_THAT(world.stored, IsEmpty());
}

TEST_F(ReconcilerTest, TakesOverTheInterfaceOfItsFormerKey) {
  world.kernel.state.exists = world.kernel.state.up = true;
  world.kernel.state.index = 9;
  world.kernel.state.public_key = key(66);
  AppliedTunnel applied;
  applied.public_key = key(66);
  start(applied);
  want();
  ASSERT_TRUE(settles());
  EXPECT_EQ(world.kernel.state.public_key, key(200));
}

TEST_F(ReconcilerTest, PlansWithoutChanging) {
  start();
  world.disk_full = true;  // so that no run changes anything
  want();
  std::optional<std::size_t> planned;
  const auto ask = [&]() -> boost::asio::awaitable<void> {
    const auto plan = co_await reconciler->plan();
    planned = plan ? plan->changes.size() : 0;
  };
  boost::asio::co_spawn(io, ask, boost::asio::detached);
  ASSERT_TRUE(run_until([&] { return planned.has_value(); }));
  EXPECT_EQ(*planned, 8u);
  EXPECT_EQ(world.applied, 0u);
}

TEST_F(ReconcilerTest, ForgetsEverythingAfterTeardown) {
  start();
  want();
  ASSERT_TRUE(settles());
  std::optional<TeardownReport> report;
  const auto ask = [&]() -> boost::asio::awaitable<void> { report = co_await reconciler->teardown(); };
  boost::asio::co_spawn(io, ask, boost::asio::detached);
  ASSERT_TRUE(run_until([&] { return report.has_value(); }));
  EXPECT_TRUE(report->interface_removed);
  EXPECT_TRUE(report->forgotten);
  EXPECT_FALSE(world.kernel.state.exists);
  EXPECT_THAT(world.kernel.state.routes, IsEmpty());
  EXPECT_EQ(world.stored.back(), AppliedTunnel{});
  want();  // too late
  reconciler->resync();
  (void)run_until([] { return false; }, 600ms);
  EXPECT_FALSE(world.kernel.state.exists);
}

TEST_F(ReconcilerTest, RemembersWhatATeardownCouldNotTakeAway) {
  start();
  want();
  ASSERT_TRUE(settles());
  const auto before = world.stored.back();
  const NetError error{NetFault::denied, EPERM, "remove"};
  world.refuse = {error, error, error};
  std::optional<TeardownReport> report;
  const auto ask = [&]() -> boost::asio::awaitable<void> { report = co_await reconciler->teardown(); };
  boost::asio::co_spawn(io, ask, boost::asio::detached);
  ASSERT_TRUE(run_until([&] { return report.has_value(); }));
  EXPECT_EQ(report->failures.size(), 1u);
  EXPECT_FALSE(report->interface_removed);
  EXPECT_FALSE(report->forgotten);
  EXPECT_EQ(world.stored.back(), before);
}

// Without a key it is nobody's work that we know of; with our key on it, it still is not ours.
TEST_F(ReconcilerTest, NeverTakesAnInterfaceThatWasThereForItsOwnWork) {
  world.kernel.state.exists = true;
  world.kernel.state.index = 9;
  AppliedTunnel noted;
  for (int run = 0; run < 3; ++run) {
    world.refuse = {{NetError{NetFault::denied, EPERM, "set"}}};  // A first run that fails has set the claim down already.
    start(noted);
    want();
    ASSERT_TRUE(settles());
    EXPECT_EQ(world.kernel.state.public_key, key(200));
    EXPECT_FALSE(world.stored.back().created);
    std::optional<TeardownReport> report;
    const auto ask = [&]() -> boost::asio::awaitable<void> { report = co_await reconciler->teardown(); };
    boost::asio::co_spawn(io, ask, boost::asio::detached);
    ASSERT_TRUE(run_until([&] { return report.has_value(); }));
    EXPECT_TRUE(world.kernel.state.exists);
    EXPECT_THAT(world.kernel.state.peers, IsEmpty());
    EXPECT_THAT(report->kept_for, ElementsAre(HasSubstr("there before wigwag")));
    EXPECT_FALSE(report->forgotten);
    noted = world.stored.back();
  }
}

TEST_F(ReconcilerTest, KnowsItsOwnWorkByTheKeyWhenItsNotesAreLost) {
  world.kernel.state.exists = true;
  world.kernel.state.index = 9;
  world.kernel.state.public_key = key(200);
  start();
  want();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(world.stored.back().created);
}

}  // namespace
}  // namespace wigwag
