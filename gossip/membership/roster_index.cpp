#include <algorithm>
#include <utility>

#include "gossip/base/limits.hpp"
#include "gossip/membership/roster.hpp"

// Who is live, announces which WireGuard key and claims which address, and about whom there is news.
namespace wigwag {
namespace {

std::uint64_t start_of(const TunnelKey& key) { return load_be64(key.bytes.data()); }
std::uint64_t start_of(const Address& address) { return address.family == Family::ipv4 ? address.ipv4_number() : UINT64_MAX; }

template <class Index>
auto from(Index& index, std::uint64_t start) {
  return std::lower_bound(index.begin(), index.end(), start, [](const auto& entry, std::uint64_t at) { return entry.first < at; });
}

// Ids are as good as random, so the place is guessed and then looked for from there; however they were
// chosen, that takes no longer than the logarithm of their number.
template <class Index>
auto near(Index& index, std::uint64_t start) {
  const std::size_t size = index.size();
  const auto before = [&](std::size_t at) { return index[at].first < start; };
  const std::size_t guess = static_cast<std::size_t>((start >> 32U) * size >> 32U);
  std::size_t low = guess, high = guess;  // the place is in [low, high]
  std::size_t step = 1;
  if (guess < size && before(guess)) {
    while (high < size && before(high)) low = high + 1, high += step, step *= 2;
    high = std::min(high, size);
  } else {
    while (low > 0 && !before(low - 1)) high = low - 1, low -= std::min(low, step), step *= 2;
  }
  const auto begin = index.begin();
  return std::lower_bound(begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high), start,
                          [](const auto& entry, std::uint64_t at) { return entry.first < at; });
}

void add(std::vector<std::pair<std::uint64_t, Member*>>& index, std::uint64_t start, Member& member) { index.emplace(from(index, start), start, &member); }

void remove(std::vector<std::pair<std::uint64_t, Member*>>& index, std::uint64_t start, const Member& member) {
  auto at = from(index, start);
  while (at->second != &member) ++at;
  index.erase(at);
}

template <class Wanted, class Announced>
std::vector<const Member*> found_in(const std::vector<std::pair<std::uint64_t, Member*>>& index, const Wanted& wanted, Announced announced) {
  std::vector<const Member*> found;
  const auto start = start_of(wanted);
  for (auto at = from(index, start); at != index.end() && at->first == start; ++at) {
    if (announced(at->second->record->body) == wanted) found.push_back(at->second);
  }
  std::sort(found.begin(), found.end(), [](const Member* a, const Member* b) { return a->id() < b->id(); });
  return found;
}

}  // namespace

const Member* Roster::find(const NodeId& id) const {
  const Member* member = by_key(key_of(id));
  return member != nullptr && member->id() == id ? member : nullptr;
}

Member* Roster::find(const NodeId& id) { return const_cast<Member*>(std::as_const(*this).find(id)); }

const Member* Roster::by_key(std::uint64_t key) const {
  const auto at = near(by_id_, key);
  return at != by_id_.end() && at->first == key ? &at->second->second : nullptr;
}

void Roster::index_id(Members::value_type& member) {
  by_id_.emplace(near(by_id_, key_of(member.first)), key_of(member.first), &member);
}

void Roster::unindex_id(const Members::value_type& member) {
  auto at = near(by_id_, key_of(member.first));
  while (at->second != &member) ++at;
  by_id_.erase(at);
}

std::vector<const Member*> Roster::announcing(const TunnelKey& key) const {
  return found_in(by_tunnel_key_, key, [](const Record& record) { return record.tunnel_key; });
}

std::vector<const Member*> Roster::claiming(const Address& ipv4) const {
  return found_in(by_ipv4_, ipv4, [](const Record& record) { return record.ipv4; });
}

std::vector<Address> Roster::contested() const {
  std::vector<Address> addresses;
  for (auto at = by_ipv4_.begin(); at != by_ipv4_.end();) {
    const auto next = std::find_if(at + 1, by_ipv4_.end(), [&](const auto& entry) { return entry.first != at->first; });
    if (next - at > 1) addresses.push_back(*at->second->record->body.ipv4);
    at = next;
  }
  return addresses;
}

void Roster::index(Member& member) {
  add(by_tunnel_key_, start_of(member.record->body.tunnel_key), member);
  if (member.record->body.ipv4) add(by_ipv4_, start_of(*member.record->body.ipv4), member);
  index_subnets(member);
  touch(member);
}

void Roster::unindex(const Member& member) {
  touch(member);
  remove(by_tunnel_key_, start_of(member.record->body.tunnel_key), member);
  if (member.record->body.ipv4) remove(by_ipv4_, start_of(*member.record->body.ipv4), member);
  unindex_subnets(member);
}

void Roster::index_subnets(const Member& member) {
  for (const auto& subnet : member.record->body.subnets) {
    auto& announcers = subnets_[subnet];
    if (announcers.empty()) ++subnets_revision_;
    announcers.insert(std::lower_bound(announcers.begin(), announcers.end(), member.id(), [](const Member* held, const NodeId& id) { return held->id() < id; }),
                      &member);
  }
}

void Roster::unindex_subnets(const Member& member) {
  for (const auto& subnet : member.record->body.subnets) {
    const auto held = subnets_.find(subnet);
    std::erase(held->second, &member);
    if (!held->second.empty()) continue;
    subnets_.erase(held);
    ++subnets_revision_;
  }
}

// What one is, those who share its key, its address or a network behind it may depend on.
void Roster::touch(const Member& member) {
  touched_.ids.insert(member.id());
  touched_.keys.insert(member.record->body.tunnel_key);
  for (const Member* other : announcing(member.record->body.tunnel_key)) touched_.ids.insert(other->id());
  if (member.record->body.ipv4) touch_claimants(*member.record->body.ipv4);
  for (const auto& subnet : member.record->body.subnets) {
    const auto announced = subnets_.find(subnet);
    if (announced == subnets_.end()) continue;
    for (const Member* other : announced->second) touched_.keys.insert(other->record->body.tunnel_key);
  }
  // Where nobody asks, nothing need be remembered one by one.
  if (touched_.ids.size() <= limits::members && touched_.keys.size() <= limits::members) return;
  touched_ = {};
  touched_.all = true;
}

void Roster::touch_claimants(const Address& ipv4) {
  const auto claimants = claiming(ipv4);
  if (claimants.size() < 2) return;
  for (const Member* other : claimants) {
    touched_.ids.insert(other->id());
    touched_.keys.insert(other->record->body.tunnel_key);
  }
}

// When those it let in were admitted is settled by whether it is known.
void Roster::touch_contested() {
  for (const auto& address : contested()) touch_claimants(address);
}

void Roster::reseat(Member& member) {
  if (member.live() == member.seated) return;
  if (member.seated) return unseat(member);
  const auto place = std::lower_bound(live_.begin(), live_.end(), member.id(), [](const Member* held, const NodeId& id) { return held->id() < id; });
  live_.insert(place, &member);
  rings_.add(member.place->seat);
  member.seated = true;
  ++seating_;
}

void Roster::unseat(Member& member) {
  if (!member.seated) return;
  const auto place = std::lower_bound(live_.begin(), live_.end(), member.id(), [](const Member* held, const NodeId& id) { return held->id() < id; });
  live_.erase(place);
  rings_.remove(member.place->seat);
  member.seated = false;
  ++seating_;
}

// Raised even where the live set is the same: whether the kernel has a peer may have changed.
void Roster::health_changed(Member& member) {
  touch(member);
  reseat(member);
  ++seating_;
}

void Roster::health_changed() {
  for (auto& [id, member] : members_) reseat(member);
  touched_.all = true;
  ++seating_;
}

}  // namespace wigwag
