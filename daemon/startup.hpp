#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config.hpp"
#include "daemon/state_dir.hpp"
#include "gossip/node.hpp"
#include "gossip/trust/overlay.hpp"
#include "gossip/trust/token.hpp"

namespace wigwag {

// All that a node needs to start, from its state directory and configuration.
struct Startup {
  StateDir directory;
  NodeSecret identity;
  TunnelSecret tunnel_secret;
  StoredState stored;
  std::optional<Token> token;         // only while there is no membership
  std::vector<std::string> remarks;   // what an operator should read: files set aside, loose permissions

  bool member() const { return !stored.certificate.empty(); }
};
// The exit status of a start in no network, a wrong command line's: no trying again changes that,
// only `wigwag up` does.
inline constexpr int status_no_network = 2;
Outcome<Startup> prepare_start(const Config& config, const std::string& state_dir, std::int64_t unix_now);

// The stored state in at most so many bytes: accusations, of which there may be many and which
// members tell again, are left out where they would make it a file that no start reads.
Bytes fit_state(Bytes content, std::size_t most);

// Why `content` cannot be the stored state of this identity; nullopt when it can.
std::optional<std::string> refuse_stored(ByteView content, const NodeId& self);

// A token from a file that somebody made, with all that can be wrong about it.
Outcome<Token> read_token_file(const std::string& path);

// Makes the secrets of a new node where they are missing.
Outcome<NodeSecret> identity_in(const StateDir& directory);
Outcome<TunnelSecret> tunnel_secret_in(const StateDir& directory);

// What a state directory knows of its membership, without starting anything.
struct Membership {
  NetworkId network;
  std::string network_name;
};
Outcome<std::optional<Membership>> membership_in(const StateDir& directory);

struct FoundingTerms {
  std::string network_name;
  std::string node_name;
  std::optional<Prefix> ipv4;     // nullopt: a /16 of 10.0.0.0/8 clear of `avoid`
  std::vector<Prefix> avoid;
};
// Makes a network of one: root and admin key, trust bundle, and this node's certificate by
// the admin key. What is on disk afterwards is an ordinary membership.
Outcome<Membership> found_network(const StateDir& directory, const FoundingTerms& terms, UnixTime now);

}  // namespace wigwag
