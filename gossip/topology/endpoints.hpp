#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/rng.hpp"
#include "gossip/base/time.hpp"
#include "gossip/base/tunnel.hpp"
#include "gossip/membership/record.hpp"

namespace wigwag {

// Whether datagrams may be sent there at another's word: no group, no link-local address, none of
// our own services behind the loopback address, nothing inside the mesh itself.
bool usable_endpoint(const Endpoint& endpoint, const std::vector<Prefix>& mesh);

// Where our own WireGuard may be reached: what the operator configured, what members see
// of us, and this host's addresses.
class OwnEndpoints {
 public:
  void set_configured(std::vector<Endpoint> endpoints) { configured_ = std::move(endpoints); }
  void set_local(std::vector<Address> addresses);
  // `witness` sees us at `endpoint`; its latest word counts. Holds at most witnesses_max of a
  // family; the one longest not heard makes room.
  void seen_by(const NodeId& witness, const Endpoint& endpoint);
  void forget_witness(const NodeId& witness);
  // Whether a path to that witness stands. Where it does to any of a family, only their words count: when a
  // router gives us another port, those whom we reach no more would outvote for ever the first that sees it.
  // True when that changes what is observed.
  bool set_in_reach(const NodeId& witness, bool in_reach);

  // Per family, what most witnesses, at least two, agree on, or the only one says: a host may have
  // an IPv6 address of its own and reach IPv4 through a NAT. Best first: an address of our own.
  std::vector<Endpoint> observed() const;
  // Members see us at an address that this host does not have, in either family.
  bool behind_nat() const { return behind_nat_; }
  const std::vector<Address>& local() const { return local_; }

  // Best first, at most limits::endpoints_per_record; nothing inside `mesh`.
  std::vector<Endpoint> announce(std::uint16_t listen_port, const std::vector<Prefix>& mesh) const;

 private:
  static constexpr std::size_t witnesses_max = 16;
  std::optional<Endpoint> agreed(Family family) const;
  void look_for_nat();
  bool is_local(const Address& address) const { return std::find(local_.begin(), local_.end(), address) != local_.end(); }
  std::vector<Endpoint> configured_;
  std::vector<Address> local_;          // sorted: global before private
  struct Witness {
    NodeId id;
    Endpoint endpoint;
    bool in_reach = true;
  };
  std::vector<Witness> witnesses_;      // in the order they were heard
  bool behind_nat_ = false;
};

// Which endpoint of a peer to try, and when to try the next: while no handshake succeeds
// each candidate gets candidate_patience (two initiations of the kernel's). Once a session
// stands, the endpoint belongs to the kernel, which follows its peer as it roams. A session
// that is silent for silence_patience stands no more: WireGuard answers all data within ten
// seconds, so when both ends have moved at once, neither would ever hear of the other.
// All of it goes by when the kernel was looked at and what had changed since the look before:
// the time that it gives a handshake is the wall clock's, which may be set at any moment.
class PeerEndpoints {
 public:
  static constexpr Duration candidate_patience = seconds(11);
  static constexpr Duration session = seconds(180);  // WireGuard's REJECT_AFTER_TIME
  static constexpr Duration silence_patience = seconds(12);
  static constexpr std::size_t others_max = 4;
  static constexpr std::uint64_t keepalive_bytes = 32;  // a packet that nobody answers

  // What a snapshot of the kernel shows of this peer, announced with `key`; nullptr: it has none such.
  // Whoever looks exactly as at the look before need not be shown again, save that one looked.
  void look(const NodeId& id, const TunnelKey& key, const TunnelPeerState* kernel, Now now);
  void looked(Instant at);
  bool looked_at(const NodeId& id, const TunnelKey& key) const;

  // A handshake succeeded so lately that its session is still good.
  bool has_session(const NodeId& id, Instant now) const;
  // We send to this peer, and nothing comes back.
  bool silent(const NodeId& id) const;
  // A path that works, as far as anybody can tell.
  bool stands(const NodeId& id, Instant now) const { return has_session(id, now) && !silent(id); }

  // What we want written into the kernel for this peer; nullopt: leave what is there.
  std::optional<Endpoint> wanted(const NodeId& id) const;

  // Judges one peer: its record's candidates, what the kernel showed, what hello told. Returns
  // true when wanted() has changed.
  struct Facts {
    const Record& record;
    std::optional<Endpoint> hint;              // from a hello with that node: tried first
    const std::vector<Address>& local;         // ours: a candidate beside one of them is tried first
    const std::vector<Prefix>& mesh;           // candidates in here are refused: a tunnel in the tunnel
    std::vector<Endpoint> others{};            // of members that announce the same key: a few are tried, after all else
    bool down = false;
  };
  bool judge(const NodeId& id, const Facts& facts, Instant now);
  // For whom that may now come to something else: what was seen or done has changed, or time has passed.
  std::set<NodeId> to_judge(Instant now);
  // Some fact about it may be another now.
  void facts_changed(const NodeId& id) { stale_.insert(id); }
  // The peer came back or called, perhaps from elsewhere: its candidates are tried afresh.
  void retry(const NodeId& id);
  // We moved: besides, what was heard or went unanswered before says nothing about here.
  void moved(const NodeId& id);
  void forget(const NodeId& id);
  // When a candidate's patience ends next.
  Instant next_wakeup() const;

 private:
  // What the kernel showed when it was last looked at, and what followed from that.
  struct Seen {
    TunnelKey key;
    bool configured = false;
    std::uint64_t rx = 0, tx = 0;
    std::int64_t handshake_unix_s = 0;
    std::optional<Instant> handshake_at;   // by our own clock: when it was first seen
    std::optional<Instant> heard_at;       // more than keepalives came in
    std::optional<Instant> unanswered_since;
  };
  struct Peer {
    std::vector<Endpoint> candidates;
    std::size_t trying = 0;
    Instant since{};
    bool afresh = true;
    bool up = false;
    std::optional<Seen> seen;
    Instant turn = never;                  // when the next candidate has its turn
    Instant end = never;                   // when what is up ends, if nothing more is seen of it
  };
  using Due = std::set<std::pair<Instant, NodeId>>;
  static void shake_hands(Seen& seen, const TunnelPeerState* kernel, bool first, Now now);
  void listen(Seen& seen, const TunnelPeerState* kernel) const;
  static void set_due(Due& all, Instant& held, Instant due, const NodeId& id);
  void schedule(const NodeId& id, Peer& peer, bool down, Instant now);
  static std::vector<Endpoint> candidates(const Facts& facts);
  const Seen* seen(const NodeId& id) const;
  std::map<NodeId, Peer> peers_;
  Instant look_{}, look_before_{};
  Instant judged_{}, judged_before_{};
  std::set<NodeId> stale_;
  std::set<NodeId> unanswered_;            // whose silence the next look may confirm
  Due turns_, ends_;
};

}  // namespace wigwag
