#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/control_server.hpp"
#include "daemon/datagrams.hpp"
#include "daemon/event_log.hpp"
#include "daemon/forwarding.hpp"
#include "daemon/invites.hpp"
#include "daemon/names.hpp"
#include "daemon/notify.hpp"
#include "daemon/reconciler.hpp"
#include "daemon/recorder.hpp"
#include "daemon/shell.hpp"
#include "daemon/startup.hpp"
#include "daemon/status_json.hpp"
#include "netlink/monitor.hpp"

// The parts of one running daemon; only shell*.cpp include this.
namespace wigwag {

// Interprets the core's outputs on this machine. One thread, one event loop; whatever
// could block happens elsewhere, but for writing the state, which must come before what
// follows it. While the state cannot be written the node says nothing to anybody: a
// version that was used must never be used again after a crash.
class Shell {
 public:
  Shell(ShellTerms terms, Startup startup, std::unique_ptr<Recorder> recorder);

  // Opens sockets and files; what fails here ends the daemon before it has touched anything.
  Outcome<void> open();
  int run();

 private:
  // --- shell.cpp: the loop
  Now now() const;
  boost::asio::awaitable<void> boot();
  AppliedTunnel load_applied();
  boost::asio::awaitable<bool> leave_former_interface(AppliedTunnel& applied);
  boost::asio::awaitable<bool> look_at_kernel();
  void fail(const std::string& why);
  void catch_signals();
  void housekeep();
  void keep_watchdog();
  void report_status();
  void stop(int status);

  // --- shell_core.cpp: inputs and outputs of the core
  void feed(Input input);
  void wake_later();
  void carry_out(const Outputs& outputs);
  void carry_out(const SendTunnel& send);
  void carry_out(const SendHello& send);
  void carry_out(const Desire& desire);
  void carry_out(const Persist& persist);
  void carry_out(const Raise& raise);
  void carry_out(const Left& left);
  void react(const Event& event);
  void admitted();
  void tell_followers(const LoggedEvent& event);
  void note(const std::string& kind, const std::string& detail, LogLevel level);
  void save_state();
  void save_soon();
  void resolve_names();
  void took_snapshot(std::vector<TunnelPeerState> peers);
  void want();
  void on_tunnel_event(const TunnelEvent& event);
  boost::asio::awaitable<bool> persist_applied(AppliedTunnel applied);

  // --- shell_forwarding.cpp: packets between the tunnel and the networks behind this node
  void open_forwarding();
  void steer_forwarding();
  std::vector<std::string> end_forwarding();

  // --- shell_control.cpp: what the operator asks
  void answer(const ControlRequest& request, const ControlCall& call);
  void answer_status(const ControlRequest& request, const ControlCall& call);
  boost::asio::awaitable<void> look_afresh();
  void answer_events(const ControlRequest& request, const ControlCall& call);
  void answer_plan(const ControlCall& call);
  void answer_invite(const ControlRequest& request, const ControlCall& call);
  void answer_invites(const ControlCall& call);
  void answer_uninvite(const ControlRequest& request, const ControlCall& call);
  void answer_reload(const ControlCall& call);
  void answer_leave(const ControlCall& call);
  void answer_down(const ControlCall& call);
  void answer_facts(const ControlCall& call);
  Outcome<Json> reload();
  Outcome<AdminSecret> admin_secret() const;
  std::vector<std::string> token_seeds(const ControlRequest& request) const;
  boost::asio::awaitable<Json> tear_down();
  boost::asio::awaitable<void> finish_leaving(bool goodbye_said);
  Json status_document();
  HostStatus host_status() const;

  ShellTerms terms_;
  boost::asio::io_context io_{1};
  StateDir directory_;
  NodeId id_;
  TunnelSecret tunnel_secret_;
  std::vector<std::string> remarks_;
  std::vector<HostPort> token_seeds_;
  Address own_address_;
  bool member_ = false;             // our chain is on disk: the token has served
  Verifier verifier_;
  std::unique_ptr<Recorder> recorder_;  // null: nothing is recorded
  Node node_;

  EventLog events_;
  PathWatch paths_;
  std::vector<ControlCall> followers_;   // bounded by the server's connections
  std::vector<ControlCall> watchers_;
  std::vector<ControlCall> leavers_;
  std::unique_ptr<GossipSocket> gossip_;
  std::unique_ptr<HelloSocket> hello_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<Forwarding> forwarding_;
  std::unique_ptr<ControlServer> control_;
  ServiceManager service_;

  boost::asio::steady_timer wake_timer_{io_};
  boost::asio::steady_timer house_timer_{io_};
  boost::asio::steady_timer save_timer_{io_};
  boost::asio::steady_timer watchdog_timer_{io_};
  boost::asio::steady_timer leave_timer_{io_};
  boost::asio::signal_set signals_{io_};

  std::deque<Input> inputs_;        // fed while another was being carried out
  bool feeding_ = false;
  bool dirty_ = false;              // the state on disk is older than the core's
  bool save_due_ = false;           // save_timer_ runs
  Instant saved_at_{};
  Duration save_pause_{};           // between two writes
  bool mute_ = false;               // and could not be written
  bool torn_down_ = false;
  bool forgotten_ = false;
  bool left_ = false;
  std::vector<Address> local_;      // this host's own addresses
  std::optional<Tunnel> desired_;
  std::optional<DesiredTunnel> wanted_;  // as last told to the reconciler
  std::vector<TunnelKey> down_;          // likewise
  Instant last_look_{};             // when the kernel's peers were last seen
  Instant hurry_until_{};           // the kernel is asked often until then
  std::map<std::string, std::string> unresolved_;  // by host: the last reason, said once
  std::string clock_doubt_;         // why our clock is doubted; empty: it is not
  std::string last_status_;
  int ticks_ = 0;
  int exit_status_ = 0;
};

}  // namespace wigwag
