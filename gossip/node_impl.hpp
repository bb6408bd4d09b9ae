#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gossip/hello_client.hpp"
#include "gossip/membership/anti_entropy.hpp"
#include "gossip/membership/local_health.hpp"
#include "gossip/membership/patience.hpp"
#include "gossip/membership/peer_clock.hpp"
#include "gossip/membership/probe.hpp"
#include "gossip/membership/repair_budget.hpp"
#include "gossip/membership/roster.hpp"
#include "gossip/membership/spread.hpp"
#include "gossip/membership/verdict.hpp"
#include "gossip/node.hpp"
#include "gossip/topology/endpoints.hpp"
#include "gossip/topology/plan.hpp"
#include "gossip/topology/subnets.hpp"
#include "gossip/trust/identity.hpp"

namespace wigwag {

// The conductor: owns every part, hands inputs to them and turns what they say into outputs.
// Each node_*.cpp holds one of its concerns. Handlers append to out_ and mail_; upkeep() runs
// after every input and does whatever has become due.
class Node::Impl {
 public:
  Impl(NodeConfig config, NodeSecrets secrets, StoredState stored, std::optional<Invitation> invitation, Verifier& verifier);

  Outputs step(Now now, const Input& input);
  Instant next_wakeup() const;
  Bytes stored() const;
  const Tunnel& desired() const { return desired_; }
  NodeStatus status(Now now) const;
  const NodeCounters& counters() const { return counters_; }
  View view() const;
  bool joined() const { return joined_; }
  std::uint64_t revision() const { return roster_.revision(); }
  LiveSet live_set() const;
  std::optional<Health> health_of(const NodeId& id) const;
  bool has_path(const NodeId& id, Instant now) const;
  bool ignores(const NodeId& accuser, const NodeId& subject, Instant now) const { return verdicts_.is_ignored(subject, accuser, now); }
  Version version_of(const NodeId& id) const;
  std::vector<Prefix> subnets() const;
  GrantUse grant_use(const GrantId& grant) const;

 private:
  static constexpr std::int64_t record_lifetime_s = 30 * 24 * 3600;
  static constexpr Duration nudge_pause = seconds(1);
  static constexpr Duration island_pause_least = seconds(15);

  // node.cpp: inputs and time
  void notice_time(Now now);
  void on(const TunnelDatagram& datagram);
  void on(const HelloDatagram& datagram);
  void on(const Wakeup&) {}
  void on(const KernelSnapshot& snapshot);
  void on(const LocalAddresses& local);
  void on(const Resolved& resolved);
  void on(const LeaveCommand&);
  void on(const RevokeCommand& command);
  void upkeep();
  void flush_mail();
  void raise(EventKind kind, const NodeId& subject, std::string detail = {});
  // At most one event of this kind every ten seconds: for what others can cause at will.
  void raise_rarely(EventKind kind, const NodeId& subject, std::string detail);
  std::optional<UnixTime> judged_at() const;
  void clock_news(bool was_trusted);
  // The time to date statements of ours with.
  UnixTime network_time() const;

  // node_start.cpp: what was stored, and first membership
  void load(StoredState stored);
  void certify(const Invitation& invitation);
  void become_member();

  // node_self.cpp: our own record
  Record describe_self() const;
  void announce(bool even_if_same);
  void publish(Record record);
  void end_membership();
  void outbid(const Record& record);
  void watch_own_record();
  void report_losers(const Address& address);
  void settle_own_ipv4();
  void leave_tick();

  // node_subnets.cpp: networks behind members
  struct OwnSubnets {
    std::vector<Prefix> announced;
    std::vector<std::pair<Prefix, std::string>> withheld;  // configured ones, and why each is not announced
  };
  OwnSubnets own_subnets() const;
  void leave_room_for_subnets(Record& record) const;
  void note_own_subnets();
  void note_subnets_of(const NodeId& id, const SubnetGround& ground);
  void note_subnets(const Touched& touched);
  std::vector<Prefix> inside_prefixes() const;
  bool carriers_in_doubt() const;
  std::vector<SubnetStatus> subnet_status() const;

  // node_hello.cpp: joining, and letting others in
  void seek_tick();
  void call_somebody();
  bool is_own_hello(const Endpoint& at) const;
  bool is_living_seed(const Endpoint& seed) const;
  void on_hello_finished(const HelloClient::Finished& finished);
  void accept_welcome(const HelloClient::Finished& finished);
  void note_admission(const std::string& how);
  void on_call(const HelloHost::Call& call);
  HelloAnswer judge_call(const HelloHost::Call& call);
  Result<Chain, TrustError> sponsor(const Chain& chain);
  bool lacks_sponsor();
  void call_for_sponsor();
  std::optional<NodeId> own_sponsor() const;
  HelloOffer offer();
  void note_hint(const NodeId& id, const Endpoint& tunnel);

  // node_gossip.cpp: messages of members
  void on(const NodeId& from, const Ping& ping);
  void on(const NodeId& from, const Ack& ack);
  void on(const NodeId& from, const PingRequest& request);
  void on(const NodeId& from, const IndirectAck& ack);
  void on(const NodeId& from, const Push& push);
  void on(const NodeId& from, const Have& have);
  void on(const NodeId& from, const Want& want);
  void on(const NodeId& from, const Need& need);
  void on(const NodeId& from, const Compare& compare);
  void take_item(const NodeId& from, const Item& item);
  void take_record(const NodeId& from, const Item& item);
  void take_accusation(const NodeId& from, const Item& item);
  void take_revocation(const NodeId& from, const Item& item);
  void member_news(const NodeId& id, const Item& item, const Outcome& outcome, Health before, std::optional<NodeId> from);
  void heard_clock(const NodeId& from, UnixTime theirs);
  struct Lacking {
    std::vector<NodeId> members;           // with their chains,
    std::vector<NodeId> records;           // without,
    std::vector<std::uint64_t> keys;       // and everything under these
  };
  void send_all_about(const NodeId& to, const Lacking& lacking);
  void answer_with_newer(const NodeId& to, const NodeId& about);
  bool is_idle_talk(const NodeId& from, const Accusation& accusation);
  void nudge(const Member& member);
  const MacKey* mac_key(const NodeId& from, const NodeId& to);

  // node_watch.cpp: liveness and agreement
  void rewire();
  void handle_probe(const ProbeResult& result);
  void accuse(const NodeId& subject);
  void testify(const Member& member);
  // Somebody concluded Down here, to whose accusers we may add ourselves.
  struct Fallen {
    Version version;       // of its record; a newer one ends the matter
    Instant due;           // when the next step is to be taken
    bool asked;            // it has been pinged for this
  };
  void bear_witness();
  bool witnessed(const NodeId& id, Fallen& fallen);
  void judge_members();
  void hear_accused();
  void notice_silence();
  void wake(Member& member);
  // Nobody is alive as far as we know, or nobody has spoken to us for long.
  bool alone() const { return joined_ && (silent_ || roster_.live_count() <= 1); }
  void rejoin_tick();
  void compare_tick();
  void compare_with(const NodeId& edge, bool confirm);
  void sweep_tick();
  void note_aftermath();
  void forget_ways(const NodeId& id);
  bool synced() const { return roster_.live_count() <= 1 || synced_revision_ == roster_.revision(); }

  // node_plan.cpp: the kernel
  void note_peer(const TunnelPeerState& shown, bool first, std::set<TunnelKey>& changed);
  void drop_missing(const KernelSnapshot& snapshot, std::set<TunnelKey>& changed);
  void drop_peer(const TunnelKey& key, std::set<TunnelKey>& changed);
  void look_at(const Member& member);
  void note_touched();
  void judge_endpoints();
  void judge_ground();
  void judge_endpoint(const Member& member);
  void greet_peers();
  void greet_peer(const Member& member);
  bool gives_way(const Member& member) const;
  void plan();
  const TunnelPeerState* kernel_peer(const Member& member) const;
  std::vector<Prefix> mesh_prefixes() const;

  const Member* self() const { return roster_.find(id_); }

  NodeConfig config_;
  std::unique_ptr<Identity> identity_;
  TunnelKey tunnel_key_;
  NodeId id_;
  Entropy entropy_;
  Verifier* verifier_;
  Rng rng_;

  Roster roster_;
  Verdicts verdicts_;
  Prober prober_;
  Spread spread_;
  AntiEntropy anti_entropy_;
  PeerClock peer_clock_;
  LocalHealth health_;
  OwnEndpoints own_endpoints_;
  PeerEndpoints peer_endpoints_;
  HelloClient hello_client_;
  HelloHost hello_host_;

  Now now_;
  bool started_ = false;                // a step has been taken
  Instant expected_ = never;            // when the next wakeup was asked for
  std::int64_t wall_minus_boot_s_ = 0;
  Instant heard_at_{};                  // when a member last spoke to us in the tunnel
  bool silent_ = false;                 // that was long ago

  std::optional<Chain> chain_;          // our admission
  std::optional<Invitation> invitation_;
  bool joined_ = false;
  std::string waiting_for_;
  std::set<Endpoint> refused_by_;       // seeds that said no for good
  Version version_;                     // the last one used for a record of ours
  std::optional<Signed<Record>> offered_;  // shown to seeds before the first is published
  std::uint32_t ipv4_attempt_ = 0;
  UnixTime dated_;                      // of the latest record or certificate of ours: the network's time was not before it
  std::optional<Instant> leaving_since_;
  int goodbyes_sent_ = 0;
  bool left_told_ = false;
  Instant announced_at_{};
  Instant refuted_at_{};
  Duration refute_pause_{};
  Instant refute_due_ = never;
  std::optional<NodeId> stranger_;      // accuses our record somewhere, and nobody here knows it
  bool outdone_ = false;                // another speaks with our key
  Instant outbid_at_{};
  Duration outbid_pause_{};

  std::vector<Endpoint> seeds_;
  std::size_t next_seed_ = 0;
  Instant next_call_{};
  Duration call_pause_ = seconds(1);
  Duration island_pause_ = island_pause_least;
  std::map<NodeId, Endpoint> hints_;    // where a hello with that node suggests its tunnel is

  std::optional<std::map<TunnelKey, TunnelPeerState>> kernel_;
  Now kernel_shown_;                    // when it looked like that
  bool local_known_ = false;
  std::vector<Prefix> networks_;        // that this host is in
  bool networks_changed_ = false;
  std::string told_of_own_;             // what we said of networks of ours that are not announced
  std::map<NodeId, std::string> told_of_subnets_;  // and of members' that are not routed here
  Tunnel desired_;
  bool planned_ = false;
  Instant doubted_until_{};             // in a new life, accusations from the one before take that long to become verdicts again
  bool plan_stale_ = true;              // as a whole; else the peers with these keys may be
  std::set<TunnelKey> stale_keys_;
  bool planned_nat_ = false;
  bool all_ways_stale_ = true;          // every peer's endpoints are to be judged
  std::vector<Prefix> judged_mesh_;
  std::vector<Prefix> judged_inside_;   // the same, and the networks that are routed into the tunnel
  std::uint64_t judged_subnets_ = UINT64_MAX;  // the roster's revision of them
  std::uint64_t endpoints_revision_ = UINT64_MAX;
  bool self_stale_ = true;              // what our own record says may have changed
  std::map<NodeId, Instant> greeted_;
  std::map<TunnelKey, Instant> first_seen_;  // cold peers of the kernel: since when it has them
  Instant next_judgement_{};

  std::set<NodeId> edges_;              // subjects and observers
  Spread::Edges spread_edges_;
  std::set<NodeId> met_;                // edges compared with since they became edges
  std::uint64_t wired_ = UINT64_MAX;    // the seating that edges_ were computed from
  std::uint64_t judged_revision_ = UINT64_MAX;
  std::map<NodeId, Instant> nudged_;
  std::map<NodeId, Fallen> fallen_;     // whose fall our word may be added to
  Instant next_witness_{};
  Instant next_hearing_ = never;
  Instant heard_accused_at_{};
  std::uint64_t heard_revision_ = UINT64_MAX;  // the roster when it was last looked through for whom to hear
  Patience patience_;
  std::uint64_t synced_revision_ = UINT64_MAX;
  std::uint64_t compared_revision_ = 0;
  Instant next_compare_{};
  Instant next_meeting_{};
  Instant next_rejoin_{};
  Instant next_rejoin_hello_{};
  Instant next_sweep_{};
  RepairBudget repair_budget_;
  std::set<std::uint64_t> reported_;    // conflicts already told, by record id
  std::uint64_t settled_revision_ = UINT64_MAX;
  Instant next_settlement_{};
  std::map<EventKind, Instant> raised_;

  std::map<NodeId, std::optional<GossipKeys>> mac_keys_;

  // What view() and live_set() were last made from, so that asking again costs nothing.
  struct Seen {
    std::uint64_t revision = UINT64_MAX;
    std::uint64_t seating = UINT64_MAX;
    bool operator==(const Seen&) const = default;
  };
  Seen seen_now() const { return {roster_.revision(), roster_.seating()}; }
  mutable Seen digest_seen_, live_seen_;
  mutable Hash32 digest_;
  mutable LiveSet live_set_;

  NodeCounters counters_;
  bool dirty_ = false;
  Outputs out_;
  Outbox mail_;
};

}  // namespace wigwag
