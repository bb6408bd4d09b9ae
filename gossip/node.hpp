#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gossip/input.hpp"
#include "gossip/membership/record.hpp"
#include "gossip/status.hpp"
#include "gossip/trust/chain.hpp"
#include "gossip/trust/crypto.hpp"
#include "gossip/trust/identity.hpp"

namespace wigwag {

// What the operator decided. Valid as the configuration reader left it.
struct NodeConfig {
  std::string name;                      // asked for when joining; the certificate then rules
  NetworkId network;
  std::uint16_t listen_port = 51820;     // WireGuard, direct plane
  std::uint16_t hello_port = 51822;
  bool accept_hello = true;
  std::optional<Address> ipv4;           // claimed instead of the hashed candidate
  std::vector<Prefix> subnets{};         // behind this node, to be announced
  std::optional<std::chrono::seconds> keepalive;  // nullopt: automatic, 25 s where a NAT is on our path
  std::size_t members_max = 10'000;
  std::uint64_t random_seed = 0;
};

// The secrets that the node itself uses; they stay in its memory only.
struct NodeSecrets {
  NodeSecret identity;
  TunnelKey tunnel_key;                  // public: the private half is the shell's and the kernel's
  Secret<struct EntropySeedRole> entropy_seed;
  // Speaks in place of `identity`, which is then not used: who records a run or plays one again listens here.
  std::unique_ptr<Identity> in_its_place{};
};

// How to get in for the first time. Dropped from memory once admitted.
struct Invitation {
  Signed<Grant> grant;
  GrantSecret secret;
  // From a token for any number of uses: the node then certifies itself and is a member at once.
  std::optional<Signed<Bundle>> bundle{};
  // What the node is to certify itself with, where somebody has used the secret already.
  std::optional<Signed<Certificate>> certificate{};
};

// What was on disk, decoded but not believed: every statement is verified again.
// Its owner has not raised the epoch yet; Node does, and asks for a synced write
// before it says anything to anybody.
struct StoredState {
  NetworkId network;
  Bytes bundle;                          // empty before the first join
  Bytes certificate, grant, redemption;  // our own chain; empty where absent
  std::uint32_t epoch = 0;               // the last one used
  std::uint32_t ipv4_attempt = 0;
  struct Member {
    Bytes record, certificate, grant, redemption;
    std::vector<Bytes> accusations;
  };
  std::vector<Member> members;
  std::vector<Bytes> revocations;
};
enum class StoredError : std::uint8_t { not_ours, newer_format, damaged };
const char* to_string(StoredError error);
Result<StoredState, StoredError> decode_stored(ByteView bytes);
Bytes encode_stored(const StoredState& state);

// One member of one network: the conductor of the core. Pure: it does what step() is
// told, at the time it is told, and answers with everything there is to do.
class Node {
 public:
  // `verifier` is not owned and outlives the node; simulated nodes may share one.
  // `invitation` is needed when `stored` holds no chain of ours.
  Node(NodeConfig config, NodeSecrets secrets, StoredState stored, std::optional<Invitation> invitation, Verifier& verifier);
  ~Node();
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;

  // Feeds one input and returns all effects, to be carried out in order. `now.at` never
  // goes back between calls; `now.wall` may.
  Outputs step(Now now, const Input& input);

  // When step(Wakeup) is due at the latest; stepping earlier does no harm.
  Instant next_wakeup() const;

  // The whole state worth keeping, in the form of decode_stored().
  Bytes stored() const;

  // What the direct plane shall be; empty before the first Desire. Good until the next step.
  const Tunnel& desired() const;

  NodeStatus status(Now now) const;
  const NodeCounters& counters() const;

  // The little that whoever watches very many nodes asks all the time: status() costs words for every member.
  struct View {
    bool joined = false;
    std::size_t live = 0;                // members, this node included
    Hash32 digest;                       // as in NodeStatus
    std::uint64_t revision = 0;          // raised with every change of what is known
  };
  View view() const;
  bool joined() const;
  std::uint64_t revision() const;
  // Who is live, in two numbers: how many, and the sum of live_mark() of each. Equal sets have equal
  // numbers, and ids that somebody did not choose for it give equal numbers for equal sets only.
  struct LiveSet {
    std::size_t count = 0;
    std::uint64_t marks = 0;
    bool operator==(const LiveSet&) const = default;
  };
  LiveSet live_set() const;
  // As status() shows it; nullopt for who is not known.
  std::optional<Health> health_of(const NodeId& id) const;
  // status() would show a direct path to that member.
  bool has_path(const NodeId& id, Instant now) const;
  // Whether what this accuser says about that subject counts for nothing here.
  bool ignores(const NodeId& accuser, const NodeId& subject, Instant now) const;
  // Of the record held of that member; zero for who is not known.
  Version version_of(const NodeId& id) const;

  // The networks behind this node that its record announces.
  std::vector<Prefix> subnets() const;

  // How often a grant has been redeemed, as far as this node knows; and whether it is withdrawn.
  struct GrantUse {
    std::uint32_t redeemed = 0;
    bool withdrawn = false;
  };
  GrantUse grant_use(const GrantId& grant) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

std::uint64_t live_mark(const NodeId& id);

// The UDP port that gossip uses on overlay addresses, inside the tunnel.
inline constexpr std::uint16_t gossip_port = 51830;

}  // namespace wigwag
