#pragma once

#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/node.hpp"
#include "gossip/trust/crypto.hpp"

namespace wigwag::bench {

// Nodes under virtual time whose datagrams arrive after twenty milliseconds wherever both ends
// have each other as peers. As little around the core as can be, so that what is measured is it.
class DirectMesh {
 public:
  DirectMesh(std::size_t nodes, std::uint64_t seed);

  void start_knowing();   // all of them, each with all others' records on its disk
  void start_joining();   // all of them, the first one a founder and the others with an invitation
  void start_one();       // the first alone, which knows the others and is answered as if by them
  void run_for(Duration span);
  // Every minute so many of a hundred are killed, and started again from their disks half a minute later.
  void churn_for(Duration span, int percent_a_minute);

  std::size_t agreeing() const;       // running nodes whose digest is the first one's
  std::size_t live_at_first() const;
  std::uint64_t datagrams() const { return datagrams_; }
  const Hash32& hash() const { return hash_; }

 private:
  struct Machine {
    NodeSecret identity;
    NodeId id;
    TunnelKey tunnel_key;
    Endpoint tunnel, hello;
    Address overlay;
    std::optional<Node> node;
    std::map<TunnelKey, TunnelPeerState> peers;  // the kernel's
    Bytes certificate, redemption, record;
    Bytes disk;
    std::uint64_t life = 0;
    Instant wakeup = never;
  };
  enum class What : std::uint8_t { wakeup, tunnel, hello, poll, apply, restart };
  struct Happening {
    Instant when;
    std::uint64_t order = 0;
    What what = What::wakeup;
    std::size_t machine = 0;
    std::size_t from = 0;
    std::uint64_t life = 0;
    Bytes bytes{};
    std::shared_ptr<Tunnel> wish{};
    bool operator<(const Happening& other) const { return when != other.when ? when > other.when : order > other.order; }
  };

  void make_machine(std::size_t index);
  StoredState remembered(std::size_t index) const;
  void start(std::size_t index, StoredState stored, bool invited);
  void put(Happening happening);
  void happen(Happening happening);
  void feed(std::size_t index, const Input& input);
  void carry_out(std::size_t index, Outputs outputs);
  void send(std::size_t from, std::size_t to, Bytes bytes);
  void answer(std::size_t as, const Bytes& bytes);
  void apply(std::size_t index, const Tunnel& wish);
  void snapshot(std::size_t index);
  Now now() const;

  Entropy entropy_;
  Rng rng_;
  Verifier verifier_{1 << 20, true};
  RootSecret root_;
  NetworkId network_;
  AdminSecret admin_;
  GrantSecret grant_secret_;
  Signed<Bundle> bundle_;
  Signed<Grant> grant_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::map<Address, std::size_t> by_overlay_;
  std::priority_queue<Happening> happenings_;
  std::uint64_t next_order_ = 0;
  Instant now_{hours(5)};
  std::uint64_t datagrams_ = 0;
  Hash32 hash_;
  bool answers_for_all_ = false;
};

}  // namespace wigwag::bench
