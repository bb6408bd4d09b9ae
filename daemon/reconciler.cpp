#include "daemon/reconciler.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/reconciler_watch.hpp"

namespace wigwag {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds resync_interval{30};
constexpr std::chrono::milliseconds resync_gap{500};  // between readings that events ask for
constexpr std::chrono::milliseconds first_retry{250};
constexpr std::chrono::milliseconds last_retry{30'000};
constexpr int busy_retries = 3;  // at once, before it counts as a failure
constexpr int teardown_attempts = 3;
constexpr std::uint32_t mtu_least = 1280;  // below, IPv6 ends; below 68 the kernel drops IPv4 addresses for good
constexpr std::uint32_t mtu_most = 65'535;

template <class T>
void sort_unique(std::vector<T>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

// The same wish in the one form that compares.
void normalise(DesiredTunnel& desired) {
  sort_unique(desired.tunnel.addresses);
  sort_unique(desired.tunnel.routes);
  for (TunnelPeer& peer : desired.tunnel.peers) sort_unique(peer.allowed_ips);
  sort_unique(desired.tunnel.peers);
  if (desired.device.mtu != 0) desired.device.mtu = std::clamp(desired.device.mtu, mtu_least, mtu_most);
}

}  // namespace

class Reconciler::Impl : public std::enable_shared_from_this<Reconciler::Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, std::unique_ptr<TunnelHost> host, AppliedTunnel applied, Calls calls)
      : executor_(executor),
        host_(std::move(host)),
        applied_(std::move(applied)),
        calls_(std::move(calls)),
        watch_(host_->interface()),
        run_bell_(executor),
        poll_bell_(executor) {}

  void start() {
    auto self = shared_from_this();
    boost::asio::co_spawn(
        executor_, [self] { return self->run_loop(self); }, boost::asio::detached);
    boost::asio::co_spawn(
        executor_, [self] { return self->poll_loop(self); }, boost::asio::detached);
  }
  void stop() {
    stopped_ = true;
    calls_ = {};
    run_bell_.cancel();
    poll_bell_.cancel();
  }

  void want(DesiredTunnel desired, TunnelSecret key, std::vector<TunnelKey> down) {
    if (torn_down_) return;
    normalise(desired);
    sort_unique(down);
    key_ = std::move(key);
    if (desired_ == desired && down_ == down) return;
    desired_ = std::move(desired);
    down_ = std::move(down);
    ++wish_;
    run_at(retry_at_);
  }
  void resync() { run_at(std::max(retry_at_, last_run_ + resync_gap)); }
  void forget_sources() {
    if (host_->backend() != BackendKind::userspace) return;
    forget_sources_ = true;
    run_at(std::max(retry_at_, Clock::now()));
  }
  void poll_every(std::chrono::milliseconds interval) {
    const bool sooner = interval < poll_interval_;
    poll_interval_ = interval;
    if (sooner) poll_bell_.cancel();
  }
  bool settled() const { return desired_ && wish_ == good_wish_ && last_run_good_; }
  BackendKind backend() const { return host_->backend(); }
  const AppliedTunnel& applied() const { return applied_; }

  Task<TunnelDiff> plan() {
    const auto self = shared_from_this();
    const auto turn = co_await runs_.take();
    if (!desired_) co_return TunnelDiff{};
    const DesiredTunnel desired = *desired_;
    auto actual = co_await read(desired);
    if (!actual) co_return Unexpected{actual.error()};
    co_return diff_tunnel(desired, applied_, *actual, terms());
  }

  Task<std::vector<TunnelPeerState>> snapshot() {
    const auto self = shared_from_this();
    co_return co_await host_->read_peers();
  }

  awaitable<TeardownReport> teardown() {
    const auto self = shared_from_this();
    torn_down_ = true;
    desired_.reset();
    const auto turn = co_await runs_.take();
    TeardownReport report;
    bool clean = false, kept = false;
    for (int attempt = 0; attempt < teardown_attempts && !clean; ++attempt) {
      report = {};
      auto actual = co_await host_->read(applied_.routes);
      if (!actual) {
        report.failures.push_back(actual.error());
        continue;
      }
      const bool another = is_anothers(*actual, applied_.public_key);
      if (another) look_away(*actual);
      TeardownPlan plan = diff_teardown(applied_, *actual);
      report.kept_for = plan.kept_for;
      if (another) report.kept_for.push_back("the interface, whose private key is not wigwag's");
      report.interface_removed = !actual->exists && !another;
      kept = actual->exists && !applied_.created;
      clean = plan.changes.empty();
      if (clean) break;
      report.failures = co_await host_->apply(std::move(plan.changes), TunnelSecret{});
      // The next round finds whether it all went.
    }
    // What could not be taken away stays on record, for the next attempt.
    if (!clean) co_return report;
    watch_.forget();
    AppliedTunnel left;
    // An interface that is not ours keeps the key it was given: the next run must not take it for its own work by that.
    if (kept) left.public_key = applied_.public_key;
    report.forgotten = co_await persist(std::move(left)) && !kept;
    co_return report;
  }

 private:
  // --- when to run -----------------------------------------------------------------

  void run_at(Clock::time_point when) {
    if (when >= next_run_) return;
    next_run_ = when;
    run_bell_.cancel();
  }

  awaitable<void> run_loop(std::shared_ptr<Impl> self) {
    while (!stopped_) {
      if (Clock::now() < next_run_) {
        boost::system::error_code ignored;
        run_bell_.expires_at(next_run_);
        co_await run_bell_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        continue;
      }
      next_run_ = Clock::time_point::max();
      {
        const auto turn = co_await runs_.take();
        if (desired_ && !stopped_) co_await run();
      }
      last_run_ = Clock::now();
      run_at(std::max(retry_at_, std::min(next_run_, last_run_ + resync_interval)));
    }
    (void)self;
  }

  awaitable<void> poll_loop(std::shared_ptr<Impl> self) {
    while (!stopped_) {
      boost::system::error_code woken;
      poll_bell_.expires_after(poll_interval_);
      co_await poll_bell_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
      if (stopped_ || woken || watch_.index() == 0) continue;
      auto peers = co_await host_->read_peers();
      if (stopped_) break;
      if (peers)
        tell(std::move(*peers));
      else if (peers.error().fault == NetFault::no_device)
        resync();
    }
    (void)self;
  }

  // --- one run ---------------------------------------------------------------------

  awaitable<void> run() {
    // A newer wish may come at any co_await: this run is for the one it began with.
    const DesiredTunnel desired = *desired_;
    const std::uint64_t wish = wish_;
    auto actual = co_await read(desired);
    if (stopped_) co_return;
    if (!actual) co_return failed({actual.error()});
    if (std::exchange(forget_sources_, false)) co_await write_endpoints_again(desired, *actual);
    if (stopped_) co_return;
    auto diff = diff_tunnel(desired, applied_, *actual, terms());
    watch_.look(*actual, diff, wish == good_wish_, Clock::now());
    const bool own_work = is_own_work(*actual, desired.device.public_key);
    if (!diff.empty()) {
      AppliedTunnel claimed = claim(desired, applied_);
      claimed.created = own_work;
      if (!co_await persist(std::move(claimed))) co_return failed({could_not_store()});
      const auto failures = co_await host_->apply(std::move(diff.changes), key_.duplicate());
      if (stopped_) co_return;
      actual = co_await read(desired);
      if (stopped_) co_return;
      if (!actual) co_return failed({actual.error()});
      if (!failures.empty()) {
        co_await persist(settle(desired, applied_, *actual));
        co_return failed(failures);
      }
      diff = diff_tunnel(desired, applied_, *actual, terms());
    }
    co_await conclude(desired, wish, *actual, diff, own_work);
  }

  // The endpoints of our peers, as the device has them. That some could not be written is no
  // failure of the run: without it the device chooses its sources anew a little later.
  awaitable<void> write_endpoints_again(const DesiredTunnel& desired, const ActualTunnel& actual) {
    std::vector<TunnelChange> changes;
    for (const TunnelPeerState& peer : actual.peers) {
      const bool ours = std::any_of(desired.tunnel.peers.begin(), desired.tunnel.peers.end(),
                                    [&peer](const TunnelPeer& one) { return one.key == peer.key; });
      if (!ours || !peer.endpoint) continue;
      SetPeer same;
      same.key = peer.key;
      same.endpoint = peer.endpoint;
      changes.emplace_back(std::move(same));
    }
    if (!changes.empty()) (void)co_await host_->apply(std::move(changes), key_.duplicate());
  }

  awaitable<void> conclude(const DesiredTunnel& desired, std::uint64_t wish, const ActualTunnel& actual, const TunnelDiff& left,
                           bool own_work) {
    AppliedTunnel now = settle(desired, applied_, actual);
    now.created = own_work && actual.exists;
    const bool stored = co_await persist(std::move(now));
    if (stopped_) co_return;
    tell(actual.peers);
    if (!stored) co_return failed({could_not_store()});
    // The kernel says "done" to some changes and does nothing; others are undone at once.
    if (!left.empty())
      co_return failed({NetError{
          NetFault::busy, 0, "make this change take effect on " + host_->interface() + ": " + to_string(left.changes.front())}});
    good_wish_ = wish;
    last_run_good_ = true;
    retry_at_ = {};
    retry_pause_ = first_retry;
    busy_ = 0;
    for (TunnelEvent& event : watch_.good(actual)) tell(std::move(event));
    for (TunnelEvent& event : watch_.conflicts(left.conflicts)) tell(std::move(event));
  }

  void failed(const std::vector<NetError>& failures) {
    last_run_good_ = false;
    const bool busy =
        std::all_of(failures.begin(), failures.end(), [](const NetError& one) { return one.fault == NetFault::busy; });
    if (busy && busy_++ < busy_retries) {
      run_at(Clock::now());
      return;
    }
    retry_at_ = Clock::now() + retry_pause_;
    retry_pause_ = std::min(retry_pause_ * 2, last_retry);
    run_at(retry_at_);
    std::string why = to_string(failures.front());
    if (failures.size() > 1) why += "; and " + std::to_string(failures.size() - 1) + " more like it";
    for (TunnelEvent& event : watch_.failed(why)) tell(std::move(event));
  }

  // --- what is there, and whose it is ----------------------------------------------

  Task<ActualTunnel> read(const DesiredTunnel& desired) {
    std::vector<TunnelRoute> places = desired.tunnel.routes;
    auto actual = co_await host_->read(std::move(places));
    if (actual && is_anothers(*actual, desired.device.public_key))
      co_return Unexpected{NetError{NetFault::foreign_device, 0,
                                    "use interface " + host_->interface() + ": it has a private key that is not wigwag's"}};
    co_return actual;
  }

  // An interface that this process has worked on is ours whatever became of its key, and
  // one without a key is nobody's. Otherwise the key tells.
  bool is_anothers(const ActualTunnel& actual, const TunnelKey& expected) const {
    if (!actual.exists || !actual.public_key || actual.index == watch_.index()) return false;
    return actual.public_key != expected && actual.public_key != applied_.public_key;
  }

  // Told from what was there before any change of ours, because afterwards every interface has
  // our key. The key speaks only where nothing is noted: what we noted was lost then.
  bool is_own_work(const ActualTunnel& before, const TunnelKey& own) const {
    if (applied_.created || !before.exists) return true;
    return applied_.public_key.is_zero() && before.public_key == own;
  }

  static void look_away(ActualTunnel& actual) {
    actual.exists = false;
    actual.other_routes = false;
    actual.peers.clear();
    actual.addresses.clear();
    std::erase_if(actual.routes, [](const ActualRoute& one) { return one.target == RouteTarget::this_tunnel; });
  }

  DiffTerms terms() const { return {down_, host_->removes_allowed_ip()}; }

  // --- what goes out ---------------------------------------------------------------

  awaitable<bool> persist(AppliedTunnel now) {
    now.interface = now.public_key.is_zero() ? std::string() : host_->interface();
    if (now == applied_) co_return true;
    // A copy, because the call may outlive ours while it waits.
    const auto store = calls_.persist;
    AppliedTunnel copy = now;
    const bool stored = !store || co_await store(std::move(copy));
    if (stored) applied_ = std::move(now);
    co_return stored;
  }
  NetError could_not_store() const {
    return {NetFault::refused, 0,
            "write down what is ours on " + host_->interface() + " before changing it (is the state directory's disk full?)"};
  }
  void tell(TunnelEvent event) {
    if (calls_.event) calls_.event(event);
  }
  void tell(std::vector<TunnelPeerState> peers) {
    if (calls_.peers) calls_.peers(std::move(peers));
  }

  boost::asio::any_io_executor executor_;
  std::unique_ptr<TunnelHost> host_;
  AppliedTunnel applied_;
  Calls calls_;
  TunnelWatch watch_;
  Turns runs_;

  std::optional<DesiredTunnel> desired_;
  TunnelSecret key_;
  std::vector<TunnelKey> down_;
  std::uint64_t wish_ = 0, good_wish_ = 0;  // counts wishes; the last one fulfilled
  bool last_run_good_ = false;
  bool forget_sources_ = false;
  bool torn_down_ = false;
  bool stopped_ = false;

  boost::asio::steady_timer run_bell_, poll_bell_;
  Clock::time_point next_run_ = Clock::time_point::max(), retry_at_{}, last_run_{};
  std::chrono::milliseconds retry_pause_ = first_retry;
  std::chrono::milliseconds poll_interval_{5000};
  int busy_ = 0;
};

Reconciler::Reconciler(boost::asio::any_io_executor executor, std::unique_ptr<TunnelHost> host, AppliedTunnel applied,
                       Calls calls)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(host), std::move(applied), std::move(calls))) {
  impl_->start();
}
Reconciler::~Reconciler() { impl_->stop(); }

void Reconciler::want(DesiredTunnel desired, TunnelSecret key, std::vector<TunnelKey> down) {
  impl_->want(std::move(desired), std::move(key), std::move(down));
}
void Reconciler::resync() { impl_->resync(); }
void Reconciler::forget_sources() { impl_->forget_sources(); }
void Reconciler::poll_every(std::chrono::milliseconds interval) { impl_->poll_every(interval); }
bool Reconciler::settled() const { return impl_->settled(); }
BackendKind Reconciler::backend() const { return impl_->backend(); }
const AppliedTunnel& Reconciler::applied() const { return impl_->applied(); }
Task<TunnelDiff> Reconciler::plan() { return impl_->plan(); }
Task<std::vector<TunnelPeerState>> Reconciler::snapshot() { return impl_->snapshot(); }
awaitable<TeardownReport> Reconciler::teardown() { return impl_->teardown(); }

}  // namespace wigwag
