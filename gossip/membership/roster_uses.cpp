#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/membership/roster.hpp"

// Whose an invitation's uses are, and who makes room.
namespace wigwag {
namespace {

// Where it is for a number of uses: that number.
std::uint32_t uses_of(const Chain& chain) { return chain.grant ? chain.grant->body.uses : 0; }

}  // namespace

Roster::Claim Roster::claim_of(const Chain& chain, const NodeId& node) {
  return {chain.redemption ? chain.redemption->body.at : far_future, node};
}

// The first one first.
std::vector<Roster::Claim> Roster::claims_on(const GrantId& grant) const {
  std::vector<Claim> claims;
  for (auto at = limited_.lower_bound({grant, NodeId{}}); at != limited_.end() && at->first == grant; ++at) {
    claims.push_back(claim_of(*members_.at(at->second).chain, at->second));
  }
  std::sort(claims.begin(), claims.end());
  return claims;
}

// One token must not fill every roster: of the redeemers of one invitation only so many are kept.
// Whose word others' admission rests on stays, or newcomers could not verify those.
bool Roster::make_place(const Chain& chain, const NodeId& node) {
  if (uses_of(chain) == 0 || is_self(node)) return true;
  const GrantId grant = chain.certificate.body.grant();
  auto claims = claims_on(grant);
  if (claims.size() < uses_of(chain) + limits::spare_claims) return true;
  const Claim fresh = claim_of(chain, node);
  claims.insert(std::lower_bound(claims.begin(), claims.end(), fresh), fresh);
  const auto last = std::find_if(claims.rbegin(), claims.rend(),
                                 [this](const Claim& claim) { return !is_self(claim.second) && !sponsors_somebody(claim.second); });
  if (last == claims.rend()) return true;
  if (last->second == node) return false;
  aftermath_.dropped.push_back(last->second);
  erase(members_.find(last->second));
  return true;
}

// The earliest redeemers, then the lowest ids, have the uses: the same everywhere.
void Roster::settle_uses(const GrantId& grant) {
  const auto claims = claims_on(grant);
  for (std::size_t place = 0; place < claims.size(); ++place) {
    Member& member = members_.at(claims[place].second);
    const bool excluded = place >= uses_of(*member.chain);
    if (excluded == member.excluded) continue;
    if (excluded) aftermath_.excluded.push_back(member.id());
    member.excluded = excluded;
    touch(member);
    reseat(member);
    ++seating_;
  }
}

void Roster::note_claim(Member& member) {
  const auto& certificate = member.chain->certificate.body;
  if (uses_of(*member.chain) == 0) member.excluded = false;
  touch(member);
  reseat(member);
  if (certificate.issuer != Issuer::grant) return;
  redeemers_.emplace(certificate.grant(), member.id());
  if (uses_of(*member.chain) != 0) limited_.emplace(certificate.grant(), member.id());
  else limited_.erase({certificate.grant(), member.id()});
  settle_uses(certificate.grant());
}

void Roster::erase(Members::iterator member) {
  const auto certificate = member->second.chain->certificate.body;
  const NodeId node = member->first;
  count_out(member->second);
  unindex(member->second);
  unseat(member->second);
  accused_.erase(node);
  unindex_id(*member);
  members_.erase(member);
  if (certificate.issuer == Issuer::grant) {
    redeemers_.erase({certificate.grant(), node});
    limited_.erase({certificate.grant(), node});
    settle_uses(certificate.grant());
  }
  touch_contested();
  ++seating_;
  ++revision_;
}

void Roster::forget(const NodeId& id, Instant until) {
  const auto member = members_.find(id);
  if (member == members_.end()) return;
  if (graves_.size() >= limits::graves) {
    graves_.erase(std::min_element(graves_.begin(), graves_.end(),
                                   [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  const Record& record = member->second.record->body;
  graves_.insert_or_assign(id, Grave{record.left, record.version, until});
  erase(member);
}

void Roster::drop_grave(const NodeId& id) {
  const auto grave = graves_.find(id);
  if (grave != graves_.end() && !grave->second.left) graves_.erase(grave);
}

void Roster::drop_graves(Instant now) {
  std::erase_if(graves_, [now](const auto& grave) { return grave.second.until <= now; });
}

bool Roster::sponsors_somebody(const NodeId& id) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
    const auto& redemption = entry.second.chain->redemption;
    return entry.first != id && redemption && redemption->body.sponsor == id;
  });
}

std::uint32_t Roster::redemptions(const GrantId& grant) const {
  const auto first = redeemers_.lower_bound({grant, NodeId{}});
  const auto behind = std::find_if(first, redeemers_.end(), [&](const auto& entry) { return entry.first != grant; });
  return static_cast<std::uint32_t>(std::distance(first, behind));
}

}  // namespace wigwag
