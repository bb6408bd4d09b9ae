#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/result.hpp"
#include "gossip/base/time.hpp"
#include "gossip/trust/signed.hpp"

// The statements that admission rests on (DESIGN section 3). Every decode_* checks
// form and limits only; who signed, and whether that was allowed, is chain.hpp's.
// Encodings are in gossip/README.md.
namespace wigwag {

// Times in statements are whole seconds; zero stands for "never" in an expiry.
inline constexpr UnixTime no_expiry{0};
inline bool expired(UnixTime expiry, UnixTime now) { return expiry != no_expiry && now >= expiry; }

// What a grant may confer and a certificate does confer.
struct Rights {
  bool relay = false;
  bool invite = false;             // reserved in the format: nothing acts on it
  std::vector<Prefix> subnets;     // sorted, unique; LANs that may be announced, or larger ranges that hold them
  bool operator==(const Rights&) const = default;
  bool covers(const Rights& less) const;
};

// Signed by the root: who speaks for the network, and what all members must agree on.
struct Bundle {
  std::uint32_t epoch = 1;               // the highest wins
  std::string network_name;
  Prefix ipv4;                           // overlay addresses are claimed out of it
  struct Admin {
    AdminId id;
    bool may_invite = true;
    bool may_revoke = true;
    bool operator==(const Admin&) const = default;
  };
  std::vector<Admin> admins;             // at most limits::admins
  std::optional<NetworkId> next_root;    // reserved in the format: nothing acts on it
  bool operator==(const Bundle&) const = default;
};

// An invitation, signed by an admin. Whoever holds its secret may certify nodes.
struct Grant {
  GrantId id;
  AdminId admin;
  std::uint32_t uses = 1;                // 0: any number
  UnixTime issued;
  UnixTime expires;                      // for redeeming it; members stay
  std::uint32_t certificate_lifetime_s = 0;  // 0: certificates under it need not expire
  Rights may;
  std::string name_pattern;              // '*' stands for any run of characters; empty: any name
  bool operator==(const Grant&) const = default;
};

enum class Issuer : std::uint8_t { grant, admin };

// A node's admission, signed by an invitation's key or by an admin.
struct Certificate {
  NodeId node;
  Issuer issuer = Issuer::grant;
  std::array<std::uint8_t, 32> issuer_key{};  // a GrantId or an AdminId
  std::string name;                      // a DNS label: a-z 0-9 and inner hyphens
  UnixTime issued;
  UnixTime expires;
  Rights may;
  bool operator==(const Certificate&) const = default;
  GrantId grant() const { return GrantId{issuer_key}; }
  AdminId admin() const { return AdminId{issuer_key}; }
};

// A sponsor's word that it let a node in, and when: what counts an invitation's uses
// and settles who came first.
struct Redemption {
  GrantId grant;
  NodeId node;
  NodeId sponsor;
  UnixTime at;
  bool operator==(const Redemption&) const = default;
};

enum class RevokedKind : std::uint8_t { node, grant, admin };

// Signed by an admin. Grow-only: one a target, the earliest, kept for good. Acted on where the
// target is a grant, and in a hello where it is the caller.
struct Revocation {
  RevokedKind kind = RevokedKind::grant;
  std::array<std::uint8_t, 32> target{};
  AdminId admin;
  UnixTime at;
  UnixTime keep_until;                   // no_expiry: for ever. Reserved in the format: nothing acts on it
  bool operator==(const Revocation&) const = default;
};

// Why a statement was refused; state is never touched by a refused one.
enum class TrustError : std::uint8_t {
  malformed,             // not our encoding, or beyond a limit
  bad_signature,
  unknown_admin,         // the bundle does not name it, or not for this
  wrong_network,
  grant_missing,         // a certificate that needs its grant came without, or with another
  grant_expired,
  grant_spent,           // all uses taken by earlier redemptions, or no room for more members
  grant_withdrawn,
  certificate_expired,
  exceeds_rights,        // a certificate beyond its grant, or a record beyond its certificate or the network's bounds
  sponsor_unknown,       // no redemption where one is needed, or by no member we know; may be known later
  revoked,               // or has left
  redemption_invalid,    // by the node itself, or dated before its invitation by more than is tolerated
};
const char* to_string(TrustError error);
// What an operator should do about it, one sentence.
const char* advice(TrustError error);

bool is_valid_name(std::string_view name);
// Characters of names, and '*'; empty is valid and matches any name.
bool is_valid_name_pattern(std::string_view pattern);
// "web-1" matches "web-*"; at most one linear scan with backtracking to the last star.
bool name_matches(std::string_view pattern, std::string_view name);

// Whether a body keeps the rules that decoding enforces, its size on the wire included. Ask
// before make_* wherever a person's wishes went into the body: what make_* builds from any
// other is refused by everyone.
bool is_well_formed(const Rights& rights);
bool is_well_formed(const Bundle& body);
bool is_well_formed(const Grant& body);
bool is_well_formed(const Certificate& body);
bool is_well_formed(const Redemption& body);
bool is_well_formed(const Revocation& body);

// What a joiner signs for itself with an invitation's key: it bears the invitation's date and all that it confers.
Certificate certificate_under(const Grant& grant, const NodeId& node, std::string name);
// Whether both are well-formed, and leave room in a datagram for a redemption and their node's
// record: nobody could tell others of a node without.
bool leave_room_for_record(const Certificate& certificate, const Grant& grant);

Result<Signed<Bundle>, TrustError> decode_bundle(ByteView wire);
Result<Signed<Grant>, TrustError> decode_grant(ByteView wire);
Result<Signed<Certificate>, TrustError> decode_certificate(ByteView wire);
Result<Signed<Redemption>, TrustError> decode_redemption(ByteView wire);
Result<Signed<Revocation>, TrustError> decode_revocation(ByteView wire);

Signed<Bundle> make_bundle(const Bundle& body, const NetworkId& network, const RootSecret& root);
Signed<Grant> make_grant(const Grant& body, const NetworkId& network, const AdminSecret& admin);
Signed<Certificate> make_certificate(const Certificate& body, const NetworkId& network, const GrantSecret& grant);
Signed<Certificate> make_certificate(const Certificate& body, const NetworkId& network, const AdminSecret& admin);
Signed<Redemption> make_redemption(const Redemption& body, const NetworkId& network, const NodeSecret& sponsor);
Signed<Redemption> make_redemption(const Redemption& body, const NetworkId& network, Signer& sponsor);
Signed<Revocation> make_revocation(const Revocation& body, const NetworkId& network, const AdminSecret& admin);

}  // namespace wigwag
