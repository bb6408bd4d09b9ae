#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gossip/base/time.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/record.hpp"
#include "gossip/membership/rings.hpp"
#include "gossip/status.hpp"
#include "gossip/trust/chain.hpp"
#include "gossip/trust/overlay.hpp"

namespace wigwag {

// One accusation against the version of the record that we hold.
struct HeldAccusation {
  Signed<Accusation> statement;
  std::uint64_t id = 0;
  bool legal = false;        // its accuser was a legitimate observer when we took it
};

// What follows from a node's id alone.
struct Place {
  Address ipv6;
  RingSeat seat;
};

// One member: its admission, its newest record and what is said against it.
struct Member {
  Shared<Chain> chain;
  Shared<Signed<Record>> record;
  std::uint64_t record_id = 0;
  std::uint64_t chain_id = 0;               // over the certificate's and the redemption's ids
  std::uint64_t key_since = 0;              // the roster's revision when it first announced its WireGuard key
  Shared<Place> place;
  std::vector<HeldAccusation> accusations;  // sorted by accuser: of too many the first sixteen, so the same everywhere
  Health health = Health::alive;
  std::optional<Instant> accused_since;     // when the oldest held accusation arrived here
  std::optional<Instant> quorum_since;      // when the votes first sufficed
  Instant down_since{};                     // when health became dead
  bool expired = false;                     // its record or certificate ran out: a candidate only
  bool dormant = false;                     // Down for so long that it is out of the kernel and no longer tried
  bool seated = false;                      // the roster's rings hold its seat: it was live when last looked at
  bool excluded = false;                    // its invitation's uses were all taken by earlier redemptions
  std::vector<NodeId> refuted;              // whose accusations its newest record answered

  const NodeId& id() const { return record->body.node; }
  const std::string& name() const { return chain->certificate.body.name; }
  // Counts in rings, quorums and the digest.
  bool live() const { return !record->body.left && health != Health::dead && !expired && !excluded; }
};

// What became of a statement that was offered.
enum class Applied : std::uint8_t {
  added,          // a new member
  updated,        // a newer record, or more of the chain, of a known one
  held,           // exactly what we have
  stale,          // older than what we have
  equivocation,   // another record of the same version: the smaller hash is kept
  needs_chain,    // a record of a node we have no chain for
  refused,        // does not hold; `reason` says why
  full,           // limits::members are known
};

struct Outcome {
  Applied applied = Applied::refused;
  TrustError reason = TrustError::malformed;
  NodeId node;
  bool changed() const { return applied == Applied::added || applied == Applied::updated; }
};

// What the roster judges statements by.
struct RosterRules {
  NetworkId network;
  std::size_t members_max = 10'000;
  NodeId self{};                            // never dropped, and its admission is for others to judge
};

// What happened to members by the way, since it was last asked for.
struct Aftermath {
  std::vector<NodeId> excluded;             // earlier redemptions took all uses of their invitation
  std::vector<NodeId> dropped;              // and so many that they are not even kept
};

// Whose place in the network or whose ways may have changed, since it was last asked for: they
// themselves, whoever shares a key or an address with them, and the keys they have or had.
struct Touched {
  bool all = false;
  std::set<NodeId> ids;
  std::set<TunnelKey> keys;
};

// Every member we have heard of, this node included, with everything that was signed about
// it. Invariant: each entry's chain and record were verified when they came, the record names
// the chain's certificate, no entry's version ever goes back, and of an invitation's redeemers
// those beyond its uses are excluded. Holds at most rules.members_max; when full a new member is
// refused, because those we know may be relied on by somebody. Of those under one invitation for
// limits::spare_claims more than its uses the earliest are held, and whose word somebody rests on.
class Roster {
 public:
  using Members = std::map<NodeId, Member>;
  using Revocations = std::map<NodeId, Signed<Revocation>>;  // by target, whatever its kind

  Roster(RosterRules rules, Verifier& verifier) : rules_(rules), verifier_(&verifier) {}
  Roster(Roster&&) = default;
  Roster& operator=(Roster&&) = default;

  void set_bundle(Signed<Bundle> bundle) { bundle_ = std::move(bundle); }
  const std::optional<Signed<Bundle>>& bundle() const { return bundle_; }
  const NetworkId& network() const { return rules_.network; }

  const Members& members() const { return members_; }
  // For marking members as away; keys, chains and records stay untouched.
  Members& members_for_sweep() { return members_; }
  const Member* find(const NodeId& id) const;
  Member* find(const NodeId& id);
  // By the first eight bytes of the id: the key of anti-entropy, and the host part of the overlay address.
  const Member* by_key(std::uint64_t key) const;
  const Member* by_overlay(const Address& ipv6) const;

  // `judged_at` is the wall clock, or nullopt while it is not trusted: then nothing expires.
  // `item` is of kind record or member. `vouched`: its node proved itself to us in a hello, we
  // verified it in an earlier run, or who let us in holds it, so that its sponsor need not be
  // known (yet).
  Outcome apply_record(const Item& item, std::optional<UnixTime> judged_at, UnixTime wall, bool vouched = false);
  // Only against the version that is held; `at` starts its clock.
  Outcome apply_accusation(const Item& item, Instant at);
  Outcome apply_revocation(const Item& item);

  // It is not taken back until then, save by a newer record: others may still hold what we forgot.
  void forget(const NodeId& id, Instant until);
  void drop_graves(Instant now);
  // Its node has proven itself to us, so what we forgot of it is taken from itself. Goodbyes stay final.
  void drop_grave(const NodeId& id);
  // Marks records and certificates that have run out, none when the time is unknown; returns
  // whose state changed.
  std::vector<NodeId> expire(std::optional<UnixTime> now);
  // When a sponsor let it in, for settling who came first; the far future when nobody we know did.
  UnixTime admitted(const Member& member) const;
  Aftermath take_aftermath() { return std::exchange(aftermath_, {}); }
  // Members whose word others' admission rests on: never forgotten while those stay.
  bool sponsors_somebody(const NodeId& id) const;

  bool is_self(const NodeId& id) const { return id == rules_.self; }
  bool is_revoked(const NodeId& target) const { return revocations_.contains(target); }
  const Revocations& revocations() const { return revocations_; }
  std::uint32_t redemptions(const GrantId& grant) const;

  // The live members, in id order. Valid until the next change.
  const std::vector<const Member*>& live() const { return live_; }
  std::size_t live_count() const { return live_.size(); }
  const Rings& rings() const { return rings_; }
  // Those who stand accused, dead or alive.
  const std::set<NodeId>& accused() const { return accused_; }
  // To be called after somebody's health changed outside of apply_*, or anybody's.
  void health_changed(Member& member);
  void health_changed();
  // Raised whenever the live set may have changed.
  std::uint64_t seating() const { return seating_; }
  // Raised with every change of what is known (not of health).
  std::uint64_t revision() const { return revision_; }

  Touched take_touched() { return std::exchange(touched_, {}); }

  // Everybody who announces this WireGuard key, or claims this address, in id order.
  std::vector<const Member*> announcing(const TunnelKey& key) const;
  std::vector<const Member*> claiming(const Address& ipv4) const;
  // Addresses that more than one claims.
  std::vector<Address> contested() const;

  // Who announces which network behind it: the announcers in id order.
  using Subnets = std::map<Prefix, std::vector<const Member*>>;
  const Subnets& subnets() const { return subnets_; }
  // Raised whenever a network is announced that nobody announced before, or by nobody any more.
  std::uint64_t subnets_revision() const { return subnets_revision_; }

  // What the set of statements under one key amounts to, for anti-entropy.
  RangeEntry entry(const Member& member) const;
  std::vector<RangeEntry> entries(std::uint64_t first, std::uint64_t last) const;  // in key order
  // What all entries amount to.
  struct Whole {
    std::uint64_t fingerprint = 0;
    std::uint32_t count = 0;
  };
  Whole whole() const;

  // Over (id, version) of every live member: equal views have equal digests.
  Hash32 digest() const;

  Item item_of(const Member& member, bool with_chain) const;

 private:
  struct Judgement {
    std::optional<UnixTime> judged_at;
    UnixTime wall;
    bool vouched;
  };
  // A record we knew and then forgot: `until` something newer of its node is taken only.
  struct Grave {
    bool left;
    Version version;
    Instant until;
  };
  using Claim = std::pair<UnixTime, NodeId>;  // who redeemed an invitation first, in this order

  Result<Chain, TrustError> accept_chain(const Item& item, const Record& record, const Judgement& by) const;
  std::optional<TrustError> refusal(const Record& record, const Certificate& certificate, const Judgement& by) const;
  Outcome insert(Chain chain, Signed<Record> record, std::uint64_t record_id, std::optional<UnixTime> judged_at);
  Outcome update(Member& held, std::optional<Chain> chain, Signed<Record> record, std::uint64_t record_id, const Judgement& by);
  Shared<Chain> shared(Chain chain) const;
  void adopt_chain(Member& member, Chain chain);
  void adopt_record(Member& member, Signed<Record> record, std::uint64_t record_id, std::optional<UnixTime> judged_at);

  // roster_uses.cpp: who redeemed what
  static Claim claim_of(const Chain& chain, const NodeId& node);
  std::vector<Claim> claims_on(const GrantId& grant) const;
  bool make_place(const Chain& chain, const NodeId& node);
  void settle_uses(const GrantId& grant);
  void note_claim(Member& member);
  void erase(Members::iterator member);

  // roster_index.cpp
  void index_id(Members::value_type& member);
  void unindex_id(const Members::value_type& member);
  void index(Member& member);
  void unindex(const Member& member);
  void touch(const Member& member);
  void touch_claimants(const Address& ipv4);
  void touch_contested();
  void index_subnets(const Member& member);
  void unindex_subnets(const Member& member);

  // Brings rings and live_ up to what the member has become.
  void reseat(Member& member);
  void unseat(Member& member);
  void count_in(const Member& member) { fingerprint_ += entry(member).fingerprint; }
  void count_out(const Member& member) { fingerprint_ -= entry(member).fingerprint; }

  RosterRules rules_;
  Verifier* verifier_;
  std::optional<Signed<Bundle>> bundle_;
  Members members_;
  Revocations revocations_;
  std::set<std::pair<GrantId, NodeId>> redeemers_;  // of every grant that a member was admitted by
  std::set<std::pair<GrantId, NodeId>> limited_;    // those of them whose grant is for a number of uses
  std::map<NodeId, Grave> graves_;
  Aftermath aftermath_;
  std::vector<const Member*> live_;                 // by id
  Rings rings_;                                     // over the same
  std::set<NodeId> accused_;
  std::vector<std::pair<std::uint64_t, Members::value_type*>> by_id_;  // by the id's first eight bytes, which no two share
  std::vector<std::pair<std::uint64_t, Member*>> by_tunnel_key_;  // likewise
  std::vector<std::pair<std::uint64_t, Member*>> by_ipv4_;
  Subnets subnets_;
  std::uint64_t subnets_revision_ = 0;
  Touched touched_;
  std::uint64_t fingerprint_ = 0;                   // the sum over all entries
  std::uint64_t revision_ = 0;
  std::uint64_t seating_ = 0;
};

std::uint64_t key_of(const NodeId& id);

}  // namespace wigwag
