#pragma once

#include <map>
#include <optional>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/rng.hpp"
#include "gossip/base/time.hpp"
#include "gossip/base/tunnel.hpp"
#include "gossip/membership/record.hpp"

namespace wigwag {

// Whether datagrams may be sent there at another's word: no group, no link-local address,
// nothing inside the mesh itself.
bool usable_endpoint(const Endpoint& endpoint, const std::vector<Prefix>& mesh);

// Where our own WireGuard may be reached: what the operator configured, what members see
// of us, and this host's addresses.
class OwnEndpoints {
 public:
  void set_configured(std::vector<Endpoint> endpoints) { configured_ = std::move(endpoints); }
  void set_local(std::vector<Address> addresses);
  // `witness` sees us at `endpoint`. Holds at most witnesses_max; the one longest not heard makes room.
  void seen_by(const NodeId& witness, const Endpoint& endpoint);
  void forget_witness(const NodeId& witness) {
    std::erase_if(witnesses_, [&](const auto& w) { return w.first == witness; });
  }

  // What at least two witnesses agree on, or the only one says.
  std::optional<Endpoint> observed() const;
  // Members see us at an address that this host does not have.
  bool behind_nat() const;
  const std::vector<Address>& local() const { return local_; }

  // Best first, at most limits::endpoints_per_record; nothing inside `mesh`.
  std::vector<Endpoint> announce(std::uint16_t listen_port, const std::vector<Prefix>& mesh) const;

 private:
  static constexpr std::size_t witnesses_max = 16;
  std::vector<Endpoint> configured_;
  std::vector<Address> local_;          // sorted: global before private
  std::vector<std::pair<NodeId, Endpoint>> witnesses_;  // in the order they were heard
};

// Which endpoint of a peer to try, and when to try the next: while no handshake succeeds
// each candidate gets candidate_patience (two initiations of the kernel's). Once a session
// stands, the endpoint belongs to the kernel, which follows its peer as it roams. A session
// that is silent for silence_patience stands no more: WireGuard answers all data within ten
// seconds, so when both ends have moved at once, neither would ever hear of the other.
class PeerEndpoints {
 public:
  static constexpr Duration candidate_patience = seconds(11);
  static constexpr std::int64_t session_s = 180;  // WireGuard's REJECT_AFTER_TIME
  static constexpr Duration silence_patience = seconds(12);
  static constexpr std::uint64_t keepalive_bytes = 32;  // a packet that nobody answers

  // We send to this peer, and nothing comes back.
  bool silent(const NodeId& id, Instant now) const;

  // What we want written into the kernel for this peer; nullopt: leave what is there.
  std::optional<Endpoint> wanted(const NodeId& id) const;

  // Judges one peer: its record's candidates, what the kernel shows, what hello told. Returns
  // true when wanted() has changed.
  struct Facts {
    const Record& record;
    const TunnelPeerState* kernel = nullptr;   // nullptr: not configured yet
    std::optional<Endpoint> hint;              // from a hello with that node: tried first
    const std::vector<Address>& local;         // ours: a candidate beside one of them is tried first
    const std::vector<Prefix>& mesh;           // candidates in here are refused: a tunnel in the tunnel
    UnixTime wall;
    bool down = false;
  };
  bool judge(const NodeId& id, const Facts& facts, Instant now);
  // The path stopped working or we moved: candidates are tried afresh.
  void retry(const NodeId& id) { peers_.erase(id); }
  void forget(const NodeId& id) { peers_.erase(id); }
  // When a candidate's patience ends next.
  Instant next_wakeup() const;

 private:
  struct Peer {
    std::vector<Endpoint> candidates;
    std::size_t trying = 0;
    Instant since{};
    bool up = false;
    std::uint64_t rx = 0, tx = 0;  // as the kernel showed them at `looked`
    Instant looked{};
    bool looked_before = false;
    std::optional<Instant> heard_at;       // more than keepalives came in
    std::optional<Instant> unanswered_since;
  };
  static void listen(Peer& peer, const TunnelPeerState* kernel, Instant now);
  static std::vector<Endpoint> candidates(const Facts& facts);
  std::map<NodeId, Peer> peers_;
};

}  // namespace wigwag
