#pragma once

#include <algorithm>
#include <string>

#include "gossip/base/limits.hpp"
#include "tests/base/seeded.hpp"
#include "tests/trust/small_world.hpp"

// Statements as a generator draws them, well formed and otherwise of any content.
namespace wigwag {

template <class Key>
Key random_key(Rng& rng) {
  return *Key::from(random_bytes(rng, 32));
}

inline UnixTime random_time(Rng& rng) { return UnixTime{static_cast<std::int64_t>(rng.below(1ULL << rng.below(34)))}; }

inline std::uint32_t random_number(Rng& rng) { return static_cast<std::uint32_t>(rng.next() >> (32 + rng.below(32))); }

inline std::string random_name(Rng& rng, std::string_view alphabet, std::size_t most) {
  std::string name;
  for (std::uint64_t i = 0; i <= rng.below(most); ++i) name.push_back(alphabet[rng.below(alphabet.size())]);
  return name;
}

inline Prefix random_prefix(Rng& rng) {
  const Address address = *Address::from_bytes(random_bytes(rng, rng.chance(700) ? 4 : 16));
  return Prefix::covering(address, static_cast<std::uint8_t>(rng.below(static_cast<std::uint64_t>(address.bits()) + 1)));
}

inline Rights random_rights(Rng& rng) {
  Rights rights{.relay = rng.chance(500), .invite = rng.chance(500), .subnets = {}};
  for (std::uint64_t i = rng.below(9); i > 0; --i) rights.subnets.push_back(random_prefix(rng));
  std::sort(rights.subnets.begin(), rights.subnets.end());
  rights.subnets.erase(std::unique(rights.subnets.begin(), rights.subnets.end()), rights.subnets.end());
  return rights;
}

inline Bundle random_bundle(Rng& rng) {
  Bundle bundle{.epoch = random_number(rng) | 1U,
                .network_name = random_name(rng, "abc019", limits::name_bytes),
                .ipv4 = Prefix::covering(Address::ipv4(static_cast<std::uint32_t>(rng.next())),
                                         static_cast<std::uint8_t>(1 + rng.below(30))),
                .admins = {},
                .next_root = std::nullopt};
  for (std::uint64_t i = rng.below(limits::admins + 1); i > 0; --i) {
    bundle.admins.push_back({.id = random_key<AdminId>(rng), .may_invite = rng.chance(500), .may_revoke = rng.chance(500)});
  }
  if (rng.chance(300)) bundle.next_root = random_key<NetworkId>(rng);
  return bundle;
}

inline Grant random_grant(Rng& rng) {
  return {.id = random_key<GrantId>(rng),
          .admin = random_key<AdminId>(rng),
          .uses = random_number(rng),
          .issued = random_time(rng),
          .expires = random_time(rng),
          .certificate_lifetime_s = random_number(rng),
          .may = random_rights(rng),
          .name_pattern = rng.chance(500) ? "" : random_name(rng, "ab-*9", limits::name_bytes)};
}

inline Certificate random_certificate(Rng& rng) {
  return {.node = random_key<NodeId>(rng),
          .issuer = rng.chance(500) ? Issuer::grant : Issuer::admin,
          .issuer_key = random_key<GrantId>(rng).bytes,
          .name = random_name(rng, "abc019", limits::name_bytes),
          .issued = random_time(rng),
          .expires = random_time(rng),
          .may = random_rights(rng)};
}

inline Redemption random_redemption(Rng& rng) {
  return {.grant = random_key<GrantId>(rng),
          .node = random_key<NodeId>(rng),
          .sponsor = random_key<NodeId>(rng),
          .at = random_time(rng)};
}

inline Revocation random_revocation(Rng& rng) {
  return {.kind = static_cast<RevokedKind>(rng.below(3)),
          .target = random_key<NodeId>(rng).bytes,
          .admin = random_key<AdminId>(rng),
          .at = random_time(rng),
          .keep_until = random_time(rng)};
}

}  // namespace wigwag
