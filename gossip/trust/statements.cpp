#include "gossip/trust/statements.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

bool Rights::covers(const Rights& less) const {
  if ((less.relay && !relay) || (less.invite && !invite)) return false;
  return std::all_of(less.subnets.begin(), less.subnets.end(), [&](const Prefix& wanted) {
    return std::any_of(subnets.begin(), subnets.end(), [&](const Prefix& held) { return held.contains(wanted); });
  });
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::name_bytes && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

bool is_valid_name_pattern(std::string_view pattern) {
  return pattern.size() <= limits::name_bytes &&
         std::all_of(pattern.begin(), pattern.end(), [](char c) { return c == '*' || is_name_character(c); });
}

bool name_matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return true;
  constexpr auto none = std::string_view::npos;
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = none;    // the last star passed
  std::size_t star_name = 0;  // where in the name its run ends so far
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != none) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

const char* to_string(TrustError error) {
  switch (error) {
    case TrustError::malformed: return "malformed";
    case TrustError::bad_signature: return "bad signature";
    case TrustError::unknown_admin: return "signed by an unknown admin";
    case TrustError::wrong_network: return "of another network";
    case TrustError::grant_missing: return "invitation missing";
    case TrustError::grant_expired: return "invitation expired";
    case TrustError::grant_spent: return "invitation used up";
    case TrustError::grant_withdrawn: return "invitation withdrawn";
    case TrustError::certificate_expired: return "certificate expired";
    case TrustError::exceeds_rights: return "claims more than it was given";
    case TrustError::sponsor_unknown: return "sponsor unknown";
    case TrustError::revoked: return "revoked";
    case TrustError::redemption_invalid: return "vouched for by itself, or before it was invited";
  }
  return "unknown";
}

const char* advice(TrustError error) {
  switch (error) {
    case TrustError::malformed: return "Bring both nodes to the same version of wigwag.";
    case TrustError::bad_signature:
      return "The statement was altered, or belongs to another network: check that the token is this network's.";
    case TrustError::unknown_admin: return "Ask for a new token from someone who may invite into this network now.";
    case TrustError::wrong_network: return "Use a token of this network, or point the seed at a member of the token's network.";
    case TrustError::grant_missing: return "Join again with the token.";
    case TrustError::grant_expired: return "Check this machine's clock; if it is right, ask for a new token (wigwag invite).";
    case TrustError::grant_spent: return "Ask for a new token (wigwag invite), or for one with more uses (--uses N).";
    case TrustError::grant_withdrawn: return "Ask for a new token (wigwag invite).";
    case TrustError::certificate_expired: return "Check this machine's clock; if it is right, join again with a new token.";
    case TrustError::exceeds_rights:
      return "Ask for a token that allows the name, relaying and the subnets that are configured here.";
    case TrustError::sponsor_unknown: return "Wait until word of the sponsor arrives, or join again through another member.";
    case TrustError::revoked: return "This node was put out of the network: ask its administrators, and join with a new token.";
    case TrustError::redemption_invalid: return "Check the clock of the machine that made the token, and join again with a new one.";
  }
  return "";
}

}  // namespace wigwag
