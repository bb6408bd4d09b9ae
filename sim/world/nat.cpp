#include "sim/world/nat.hpp"

#include <algorithm>

namespace wigwag::sim {
namespace {

constexpr std::size_t remotes_max = 4096;   // of one mapping; when full, those that are idle make room
constexpr std::uint16_t first_port = 1024;
constexpr int draws = 64;

}  // namespace

std::optional<std::uint16_t> Nat::outgoing(Instant now, const Inside& inside, const Endpoint& to) {
  const std::pair key(inside, kind_.symmetric ? std::optional(to) : std::nullopt);
  auto known = outside_.find(key);
  if (known != outside_.end() && idle(now, by_port_.at(known->second).used)) {
    forget(known->second);
    known = outside_.end();
  }
  if (known == outside_.end()) {
    const auto port = free_port(now, inside.port);
    if (!port) return std::nullopt;
    known = outside_.emplace(key, *port).first;
    by_port_[*port].key = key;
  }
  Mapping& mapping = by_port_.at(known->second);
  mapping.used = now;
  mapping.remotes[to] = now;
  if (mapping.remotes.size() > remotes_max) std::erase_if(mapping.remotes, [&](const auto& remote) { return idle(now, remote.second); });
  return known->second;
}

std::optional<Nat::Inside> Nat::incoming(Instant now, std::uint16_t port, const Endpoint& from) const {
  const auto found = by_port_.find(port);
  if (found == by_port_.end() || idle(now, found->second.used)) return std::nullopt;
  const Mapping& mapping = found->second;
  bool let_in = false;
  switch (kind_.filter) {
    case NatKind::Filter::endpoint_independent: let_in = true; break;
    case NatKind::Filter::address: {
      for (auto at = mapping.remotes.lower_bound({from.address, 0}); at != mapping.remotes.end() && at->first.address == from.address; ++at) {
        let_in = let_in || !idle(now, at->second);
      }
      break;
    }
    case NatKind::Filter::address_and_port: {
      const auto at = mapping.remotes.find(from);
      let_in = at != mapping.remotes.end() && !idle(now, at->second);
      break;
    }
  }
  return let_in ? std::optional(mapping.key.first) : std::nullopt;
}

void Nat::rebind() {
  outside_.clear();
  by_port_.clear();
  keeps_ports_ = false;
}

// The inside's own port where nobody has it, as routers do; else any.
std::optional<std::uint16_t> Nat::free_port(Instant now, std::uint16_t wanted) {
  const auto usable = [&](std::uint16_t port) {
    const auto taken = by_port_.find(port);
    if (taken == by_port_.end()) return true;
    if (!idle(now, taken->second.used)) return false;
    forget(port);
    return true;
  };
  if (keeps_ports_ && !kind_.symmetric && usable(wanted)) return wanted;
  for (int draw = 0; draw < draws; ++draw) {
    const auto port = static_cast<std::uint16_t>(first_port + rng_.below(65536U - first_port));
    if (port != wanted && usable(port)) return port;
  }
  for (std::uint32_t port = first_port; port < 65536; ++port) {
    if (usable(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
  }
  return std::nullopt;
}

void Nat::forget(std::uint16_t port) {
  const auto found = by_port_.find(port);
  outside_.erase(found->second.key);
  by_port_.erase(found);
}

bool let_meet(const NatKind* a, const NatKind* b) {
  if (a == nullptr || b == nullptr) return true;
  const auto open = [](const NatKind& kind) { return kind.filter == NatKind::Filter::endpoint_independent && !kind.symmetric; };
  if (open(*a) || open(*b)) return true;
  // Both write first and are answered through the hole: the outside ports must be those that the other knows, or not matter.
  const auto answers_any_port = [](const NatKind& kind) { return kind.filter != NatKind::Filter::address_and_port; };
  if (!a->symmetric && !b->symmetric) return true;
  if (a->symmetric && b->symmetric) return false;
  return a->symmetric ? answers_any_port(*b) : answers_any_port(*a);
}

}  // namespace wigwag::sim
