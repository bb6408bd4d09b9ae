#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/failure.hpp"
#include "daemon/state_dir.hpp"
#include "gossip/trust/statements.hpp"
#include "gossip/trust/token.hpp"

namespace wigwag {

struct InviteTerms {
  std::uint32_t uses = 1;                            // 0: any number
  std::optional<std::chrono::seconds> lifetime;      // nullopt: never expires
  Rights may;
  std::vector<std::string> seeds;
};

// The invitations made on this node, which holds an admin key. Only the signed grants are
// kept: a token's secret is printed once and then forgotten. Holds at most 4,096; those
// long expired make room, and when none is, no further one is made.
class Invites {
 public:
  static Outcome<Invites> load(const StateDir& directory);

  // Signs a grant, notes it on disk, then hands out its token. The bundle goes into tokens
  // for any number of uses, whose holders certify themselves.
  Outcome<std::string> make(const InviteTerms& terms, const NetworkId& network, const Signed<Bundle>& bundle, const AdminSecret& admin,
                            UnixTime now);

  const std::vector<Signed<Grant>>& made() const { return made_; }
  // By the first eight or more hexadecimal digits of its id.
  Outcome<Signed<Grant>> find(const std::string& id) const;

  static constexpr std::size_t most = 4096;

 private:
  explicit Invites(const StateDir& directory) : directory_(&directory) {}
  Outcome<void> save() const;

  const StateDir* directory_;
  std::vector<Signed<Grant>> made_;
};

// An admin's statement that a grant admits nobody any more.
Signed<Revocation> withdraw(const Grant& grant, const NetworkId& network, const AdminSecret& admin, UnixTime now);

}  // namespace wigwag
