#include "gossip/trust/hello_guard.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

constexpr Duration cookie_key_lifetime = minutes(2);

}  // namespace

void CookieJar::rotate(Instant now) {
  if (drawn_ && now - drawn_at_ < cookie_key_lifetime) return;
  // Unused for two lifetimes, both keys are too old.
  const bool previous_counts = drawn_ && now - drawn_at_ < 2 * cookie_key_lifetime;
  previous_ = previous_counts ? std::move(current_) : entropy_->secret<Key>();
  current_ = entropy_->secret<Key>();
  drawn_ = true;
  drawn_at_ = now;
}

HelloCookie CookieJar::bake_with(const Key& key, const Endpoint& from) {
  std::array<std::uint8_t, 19> place{};
  std::copy(from.address.bytes.begin(), from.address.bytes.end(), place.begin());
  place[16] = static_cast<std::uint8_t>(from.address.family);
  place[17] = static_cast<std::uint8_t>(from.port >> 8);
  place[18] = static_cast<std::uint8_t>(from.port);
  const Hash32 hash = blake2b(place, key.open());
  HelloCookie cookie{};
  std::copy_n(hash.bytes.begin(), cookie.size(), cookie.begin());
  return cookie;
}

HelloCookie CookieJar::bake(Instant now, const Endpoint& from) {
  rotate(now);
  return bake_with(current_, from);
}

bool CookieJar::accepts(Instant now, const Endpoint& from, const HelloCookie& cookie) {
  rotate(now);
  const bool fresh = equal_in_constant_time(cookie, bake_with(current_, from));
  const bool recent = equal_in_constant_time(cookie, bake_with(previous_, from));
  return fresh || recent;
}

CallMemory::Seen* CallMemory::find(const HelloKey& caller) {
  const auto found = seen_.find(caller);
  return found == seen_.end() ? nullptr : &found->second;
}

CallMemory::Seen& CallMemory::remember(const HelloKey& caller, const Endpoint& from) {
  if (Seen* known = find(caller)) return *known;
  if (order_.size() >= limits::remembered_hellos) {
    seen_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(caller);
  return seen_.emplace(caller, Seen{.from = from}).first->second;
}

}  // namespace wigwag
