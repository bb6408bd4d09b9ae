#include "sim/hostile/member.hpp"

#include <algorithm>

#include "gossip/trust/overlay.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {

std::unique_ptr<Meddler> make_hostile(Behaviour behaviour, const HostileFacts& facts) {
  switch (behaviour) {
    case Behaviour::accuse_everyone: return make_accuser_of_everyone(facts);
    case Behaviour::accuse_one: return make_accuser_of_one(facts);
    case Behaviour::forge: return make_forger(facts);
    case Behaviour::replay: return make_replayer(facts);
    case Behaviour::equivocate: return make_equivocator(facts);
    case Behaviour::flood: return make_flooder(facts);
    case Behaviour::ack_and_drop: return make_silent(facts);
    case Behaviour::accuse_beyond: return make_accuser_beyond(facts);
    case Behaviour::mingle: return make_mingler(facts);
  }
  return nullptr;
}

void HostileMember::take_seat(const Seat& seat) {
  seat_ = &seat;
  gang_->enlist(seat.machine());
}

std::optional<Duration> HostileMember::wants(Now) { return beat() + rng_.below(beat() / 4); }

void HostileMember::tick(Now now) {
  const Node* node = seat_->node();
  if (node != nullptr && node->joined()) act(now);
}

std::size_t HostileMember::machines() const { return seat_->world().size(); }
const NodeId& HostileMember::id(std::size_t machine) const { return seat_->world().id(machine); }
Version HostileMember::version(std::size_t machine) const { return seat_->node() != nullptr ? seat_->node()->version_of(id(machine)) : Version{}; }

std::vector<std::size_t> HostileMember::some_honest(std::size_t most) {
  std::vector<std::size_t> chosen;
  const auto size = machines();
  const auto start = rng_.below(size);
  const auto stride = std::max<std::size_t>(1, size / std::max<std::size_t>(most, 1));
  // From each of so many places the next one that is honest, and further on than the one before.
  std::size_t from = 0;
  for (std::size_t place = 0; place < size && chosen.size() < most; place += stride) {
    from = std::max(from, place);
    while (from < size && !honest((start + from) % size)) ++from;
    if (from < size) chosen.push_back((start + from++) % size);
  }
  return chosen;
}

const MacKey* HostileMember::key_to(std::size_t machine) {
  const auto [found, fresh] = to_.try_emplace(machine);
  if (fresh) found->second = gossip_mac_key(seat_->network(), seat_->identity(), seat_->id(), id(machine));
  return found->second ? &*found->second : nullptr;
}

const MacKey* HostileMember::key_from(std::size_t machine) {
  const auto [found, fresh] = from_.try_emplace(machine);
  if (fresh) found->second = gossip_mac_key(seat_->network(), seat_->identity(), id(machine), seat_->id());
  return found->second ? &*found->second : nullptr;
}

std::optional<std::size_t> HostileMember::machine_at(const Address& overlay) {
  for (std::size_t next = addresses_.size(); next < machines(); ++next) addresses_[overlay_ipv6(seat_->network(), id(next))] = next;
  const auto found = addresses_.find(overlay);
  return found == addresses_.end() ? std::nullopt : std::optional(found->second);
}

void HostileMember::say_raw(std::size_t to, Bytes payload) {
  if (const MacKey* key = key_to(to)) seat_->say(to, protect(std::move(payload), *key));
}

void HostileMember::say(std::size_t to, const Message& message) { say_raw(to, encode_message(message)); }
void HostileMember::push(std::size_t to, Item item) { say(to, Push{{std::move(item)}}); }

std::optional<HostileMember::Heard> HostileMember::understand(const TunnelDatagram& datagram) {
  const auto from = machine_at(datagram.from);
  const MacKey* key = from ? key_from(*from) : nullptr;
  const auto payload = key != nullptr ? unprotect(datagram.bytes, *key) : std::nullopt;
  auto message = payload ? decode_message(*payload) : std::nullopt;
  return message ? std::optional(Heard{*from, std::move(*message)}) : std::nullopt;
}

std::optional<Message> HostileMember::understand_own(const SendTunnel& sent) {
  const auto to = machine_at(sent.to);
  const MacKey* key = to ? key_to(*to) : nullptr;
  const auto payload = key != nullptr ? unprotect(sent.bytes, *key) : std::nullopt;
  return payload ? decode_message(*payload) : std::nullopt;
}

const std::vector<HostileMember::Known>& HostileMember::known(Now now) {
  constexpr Duration pause = seconds(5);
  if (!known_.empty() && now.at < known_at_ + pause) return known_;
  known_at_ = now.at;
  known_.clear();
  auto stored = decode_stored(seat_->node()->stored());
  if (!stored) return known_;
  for (auto& member : stored->members) {
    auto record = decode_record(member.record);
    const auto machine = record ? machine_at(overlay_ipv6(seat_->network(), record->body.node)) : std::nullopt;
    if (machine) known_.push_back({*machine, std::move(*record), std::move(member.certificate), std::move(member.grant), std::move(member.redemption)});
  }
  return known_;
}

std::optional<HostileMember::Known> HostileMember::own_record(Now now) {
  for (const auto& one : known(now)) {
    if (one.machine == seat_->machine()) return one;
  }
  return std::nullopt;
}

}  // namespace wigwag::sim
