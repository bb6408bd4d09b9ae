#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// The bounds of the core on one page, each with what happens at its edge, but for those of
// single tables, queues and messages, which stand beside them. Protocol constants that two
// implementations must share are in gossip/README.md.
namespace wigwag::limits {

inline constexpr std::size_t datagram_payload = 1200;     // gossip, and a hello before its proof; larger ones are neither sent nor read
inline constexpr std::size_t record_bytes = 600;          // a larger record is refused; our own is trimmed of endpoints
inline constexpr std::size_t certificate_bytes = 400;     // refused
inline constexpr std::size_t grant_bytes = 400;           // refused
inline constexpr std::size_t redemption_bytes = 192;      // refused
inline constexpr std::size_t bundle_bytes = 480;          // refused
inline constexpr std::size_t revocation_bytes = 240;      // refused
inline constexpr std::size_t accusation_bytes = 200;      // refused

// Whoever is admitted must fit one datagram, to be told to others: the record with its whole chain, and with room for a
// redemption where there may be one. A record or chain that makes it more is refused, by a host and by everybody else.
inline constexpr std::size_t member_bytes = 1166;
inline constexpr std::size_t plain_record_bytes = 300;    // a record without relay, subnets and homes; an invitation that leaves less is not made

inline constexpr std::size_t name_bytes = 63;             // a DNS label; longer is refused
inline constexpr std::size_t admins = 8;                  // keys in a trust bundle; more are refused
inline constexpr std::size_t subnets_per_node = 16;       // more are refused
inline constexpr std::size_t endpoints_per_record = 4;    // more are refused; of our own the best four are announced
inline constexpr std::size_t homes_per_record = 3;        // more are refused
inline constexpr std::size_t seeds = 16;                  // in a token or configuration; more are refused, or left out where names resolve to more

inline constexpr std::size_t members = 10'000;            // unless configured; a new member beyond it is refused and an event raised
inline constexpr std::size_t accusations_per_subject = 16;// the legal ones, then the lowest ids are kept: more are never needed
inline constexpr std::size_t spare_claims = 2;            // redeemers kept beyond an invitation's uses; the latest are refused or dropped
inline constexpr std::size_t graves = 4096;               // forgotten members not taken back; when full, the one forgotten first makes room
inline constexpr std::size_t revocations = 10'000;        // one of a new target is not taken
inline constexpr std::size_t seed_chars = 262;            // one seed: a DNS name and a port; a longer one is refused
inline constexpr std::size_t token_chars = 8192;          // behind "wigwag1"; a longer token is refused unread
inline constexpr std::chrono::seconds certificate_tolerance{86'400};  // a joiner's clock may be this far ahead where certificates expire
inline constexpr std::chrono::seconds redemption_tolerance{7'200};    // a sponsor's clock may be this far behind the inviter's

inline constexpr std::size_t pending_hellos = 32;         // from half on, a cookie is asked; when full, the oldest is dropped if it had its time, else the new one
inline constexpr std::size_t pending_hellos_per_source = 4;  // further ones from one address (of IPv6: one /64) are dropped
inline constexpr std::size_t proven_hellos = 256;         // kept to repeat their answers; the oldest makes room
inline constexpr std::size_t refused_hellos_per_source = 8;  // refusals in ten seconds; further calls from that source are dropped
inline constexpr std::size_t hello_repeats = 6;           // how often an introduction, cookie or answer is repeated; further repeats are dropped
inline constexpr std::size_t hello_cookies = 8;           // cookies a caller takes in one attempt; further ones are ignored
inline constexpr std::size_t remembered_hellos = 2048;    // first messages known as seen; the oldest is forgotten
inline constexpr std::size_t hello_bytes = 1800;          // a hello datagram; only chains with many subnets go beyond datagram_payload. Larger: dropped
inline constexpr std::size_t pack_depth = 4;              // nesting of a packed value; deeper is refused

// A record whose epoch is further ahead of a trusted clock is refused, so that its owner cannot use up its versions by a slip.
inline constexpr std::chrono::hours epoch_ahead{24 * 730};

}  // namespace wigwag::limits
