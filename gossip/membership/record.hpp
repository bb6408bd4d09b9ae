#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/result.hpp"
#include "gossip/base/time.hpp"
#include "gossip/trust/signed.hpp"
#include "gossip/trust/statements.hpp"

namespace wigwag {

// How new a record is. Only its owner raises it: a new epoch at every start
// (max(stored + 1, unix time)), the sequence within a run.
struct Version {
  std::uint32_t epoch = 0;
  std::uint32_t sequence = 0;
  auto operator<=>(const Version&) const = default;
};
// The version after this one. The sequence carries into the epoch, and the last of
// all versions has no successor, so a forged accusation at the top cannot wrap anybody round.
Version next_version(Version version);

// What a node says of itself, signed by it: the unit of membership.
struct Record {
  NodeId node;
  Hash32 certificate;                         // of the one it stands on: nobody else can put another in its place
  Version version;
  bool left = false;                          // goodbye: final for this identity
  bool relay = false;
  TunnelKey tunnel_key;
  std::optional<TunnelKey> next_tunnel_key;   // announced before a key change
  std::vector<Endpoint> endpoints;            // where WireGuard's direct plane may be reached, best first
  std::optional<Address> ipv4;                // the claimed overlay address
  std::uint16_t listen_port = 0;
  std::uint16_t hello_port = 0;
  std::vector<Prefix> subnets;                // sorted, unique
  std::vector<NodeId> homes;                  // ordered; the first is the active one
  UnixTime expires;
  bool operator==(const Record&) const = default;
};

// A left record beats every other of its node, then the higher version wins. Records
// that tie differ only when their owner equivocates; the caller keeps the smaller hash.
constexpr bool supersedes(bool fresh_left, Version fresh, bool held_left, Version held) {
  if (fresh_left != held_left) return fresh_left;
  return held < fresh;
}
static_assert(supersedes(false, {2, 0}, false, {1, 9}));
static_assert(supersedes(true, {1, 0}, false, {9, 9}));
static_assert(!supersedes(false, {1, 1}, false, {1, 1}));
static_assert(!supersedes(false, {9, 9}, true, {1, 0}));

// Whether two records of one node tell others the same: version and expiry alone are no news.
bool says_the_same(const Record& a, const Record& b);

// An observer's word that a subject did not answer. It holds against one version only:
// a newer record refutes it.
struct Accusation {
  NodeId subject;
  Version version;
  NodeId accuser;
  bool operator==(const Accusation&) const = default;
};

// Decoding checks form and limits, not signatures.
Result<Signed<Record>, TrustError> decode_record(ByteView wire);
Result<Signed<Accusation>, TrustError> decode_accusation(ByteView wire);
Signed<Record> make_record(const Record& body, const NetworkId& network, const NodeSecret& identity);
Signed<Accusation> make_accusation(const Accusation& body, const NetworkId& network, const NodeSecret& accuser);
Signed<Record> make_record(const Record& body, const NetworkId& network, Signer& owner);
Signed<Accusation> make_accusation(const Accusation& body, const NetworkId& network, Signer& accuser);

bool verify_record(const Signed<Record>& record, const NetworkId& network, Verifier& verifier);
bool verify_accusation(const Signed<Accusation>& accusation, const NetworkId& network, Verifier& verifier);

// Eight bytes that name a statement in announcements: a prefix of BLAKE2b over its wire bytes.
std::uint64_t statement_id(ByteView wire);

}  // namespace wigwag
