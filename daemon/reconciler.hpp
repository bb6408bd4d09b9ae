#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gossip/base/secret.hpp"
#include "netlink/host.hpp"
#include "netlink/tunnel_diff.hpp"

namespace wigwag {

// Something about the interface that an operator wants to read.
enum class TunnelEventKind : std::uint8_t {
  created,            // by us, the first time
  adopted,            // it was there: an earlier run's, or somebody's without a key
  deleted_by_other,   // and created again
  set_down_by_other,  // and set up again
  changed_by_other,   // something of ours was changed or taken away, and put back
  conflict,           // a wish that stays unfulfilled, said once
  failed,             // a run failed; tried again with growing pauses, said once per cause
  recovered,          // the first good run after a failed one
};
struct TunnelEvent {
  TunnelEventKind kind = TunnelEventKind::failed;
  std::string text;  // "interface wigwag0 was deleted by someone else: created again"
};

struct TeardownReport {
  bool interface_removed = false;
  bool forgotten = false;             // nothing of ours is left that would have to be remembered
  std::vector<std::string> kept_for;  // what is foreign on the interface, if it was kept
  std::vector<NetError> failures;
};

// Keeps one WireGuard interface in the state it was last told to want.
//
// A run reads the kernel, takes the difference, has the claim put on disk, makes the
// changes and reads again. Runs are level-triggered: want(), resync(), a timer and the
// monitor only say that one is due, and at most one is pending. A failed run is repeated
// with a pause that doubles from 250 ms to 30 s. A run that finds nothing to do writes
// nothing, so restarting the daemon disturbs no traffic.
//
// Lives on one executor; no member may be called from another thread. Destroying it
// ends its coroutines and leaves the kernel as it is.
class Reconciler {
 public:
  struct Calls {
    // Puts what is ours on disk. Called before new claims reach the kernel, and awaited:
    // while it returns false nothing is written.
    std::function<boost::asio::awaitable<bool>(AppliedTunnel)> persist;
    std::function<void(const TunnelEvent&)> event;
    // The peers as the kernel has them, at every poll and after every run that wrote.
    std::function<void(std::vector<TunnelPeerState>)> peers;
  };

  // `applied` is what was last persisted; a default one when there is none.
  Reconciler(boost::asio::any_io_executor executor, std::unique_ptr<TunnelHost> host, AppliedTunnel applied, Calls calls);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  // The wish, in full. `down`: peers whose endpoint may be overwritten (sorted).
  void want(DesiredTunnel desired, TunnelSecret key, std::vector<TunnelKey> down);
  // Something in the kernel may have changed: read it all again soon.
  void resync();
  // This machine's addresses changed. wireguard-go goes on sending from an address that is
  // gone, in vain, until it gives up the session after 15 s; an endpoint that is written, be
  // it the same, makes it choose the source anew. The kernel finds out by itself.
  void forget_sources();
  // How often Calls::peers is made; 5 s at the start. Shorter takes effect at once.
  void poll_every(std::chrono::milliseconds interval);

  // Nothing is pending: the last run saw the kernel as wanted, and no newer wish came.
  bool settled() const;
  BackendKind backend() const;
  const AppliedTunnel& applied() const;

  // What a run would do now; changes nothing. Empty diff before the first want().
  Task<TunnelDiff> plan();
  Task<std::vector<TunnelPeerState>> snapshot();
  // Takes everything of ours out of the kernel and wants nothing from then on.
  boost::asio::awaitable<TeardownReport> teardown();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// AppliedTunnel as stored. Decoding answers nullopt to anything malformed.
Bytes encode_applied(const AppliedTunnel& applied);
std::optional<AppliedTunnel> decode_applied(ByteView stored);

}  // namespace wigwag
