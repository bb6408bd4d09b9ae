#include "sim/world/fake_kernel.hpp"

#include <algorithm>
#include <utility>

namespace wigwag::sim {
namespace {

constexpr std::uint32_t default_mtu = 1420;

}  // namespace

FakeKernel::FakeKernel(EventQueue& events, KeyNumbers& keys, const TunnelKey& own_key, std::uint64_t seed, bool removes_allowed_ip, Calls calls)
    : events_(events),
      keys_(keys),
      own_key_(own_key),
      own_number_(keys.number(own_key)),
      rng_(seed),
      removes_allowed_ip_(removes_allowed_ip),
      calls_(std::move(calls)) {}

void FakeKernel::reboot() {
  ++boot_;
  exists_ = up_ = has_key_ = false;
  mtu_ = 0;
  listen_port_ = 0;
  addresses_.clear();
  routes_.clear();
  for (const TunnelPeerState& state : states_) gone_.push_back(state.key);
  states_.clear();
  links_.clear();
  slots_.clear();
  owners_.clear();
  roamed_.clear();
}

void FakeKernel::apply(const TunnelChange& change) {
  if (std::holds_alternative<CreateInterface>(change)) exists_ = true, mtu_ = default_mtu;
  else if (const auto* mtu = std::get_if<SetMtu>(&change)) mtu_ = mtu->mtu;
  else if (std::holds_alternative<SetPrivateKey>(change)) has_key_ = true, remove_peer(own_key_);
  else if (const auto* port = std::get_if<SetListenPort>(&change)) listen_port_ = port->port;
  else if (std::holds_alternative<SetLinkUp>(change)) up_ = true;
  else if (const auto* peer = std::get_if<SetPeer>(&change)) set_peer(*peer);
  else if (const auto* removed = std::get_if<RemovePeer>(&change)) remove_peer(removed->key);
  else if (const auto* address = std::get_if<AddAddress>(&change)) addresses_.push_back(address->address);
  else if (const auto* gone = std::get_if<RemoveAddress>(&change)) std::erase(addresses_, gone->address);
  else if (const auto* route = std::get_if<AddRoute>(&change)) routes_.add(route->route);
  else if (const auto* old = std::get_if<RemoveRoute>(&change)) routes_.remove(old->route);
  else if (std::holds_alternative<RemoveInterface>(change)) {
    // The unreachable routes are bound to no interface, and stay.
    auto kept = std::move(routes_);
    kept.clear_through_tunnel();
    reboot();
    routes_ = std::move(kept);
  }
}

ActualTunnel FakeKernel::read() const {
  ActualTunnel actual = read({}, {});
  actual.peers = states_;
  actual.routes = routes_.all();
  return actual;
}

ActualTunnel FakeKernel::read(const std::vector<TunnelKey>& peers, const std::vector<Prefix>& destinations) const {
  ActualTunnel actual;
  actual.exists = exists_;
  actual.index = exists_ ? 1 : 0;
  actual.up = up_;
  actual.mtu = mtu_;
  if (has_key_) actual.public_key = own_key_;
  actual.listen_port = listen_port_;
  actual.addresses = addresses_;
  actual.routes = routes_.to(destinations);
  for (const TunnelKey& key : peers) {
    if (const TunnelPeerState* state = peer(key)) actual.peers.push_back(*state);
  }
  return actual;
}

TunnelPeerState& FakeKernel::state(Slot slot) {
  Link& link = links_[slot];
  if (!std::exchange(link.changed, true)) changed_.push_back(link.number);
  return states_[slot];
}

const Input& FakeKernel::look(bool settled) {
  KernelSnapshot shown;
  shown.settled = settled;
  shown.changes_only = looked_;
  if (!std::exchange(looked_, true)) {
    shown.peers = states_;
  } else {
    // Who was removed and is back has changed, and is not gone.
    std::erase_if(gone_, [this](const TunnelKey& key) { return slot_of(keys_.number(key)) != none; });
    shown.gone = gone_;
    for (const KeyNumber number : changed_) {
      const Slot slot = slot_of(number);
      if (slot != none && links_[slot].changed) shown.peers.push_back(states_[slot]), links_[slot].changed = false;
    }
  }
  for (const KeyNumber number : changed_) {
    if (const Slot slot = slot_of(number); slot != none) links_[slot].changed = false;
  }
  changed_.clear();
  gone_.clear();
  std::get<KernelSnapshot>(snapshot_) = std::move(shown);
  return snapshot_;
}

const TunnelPeerState* FakeKernel::peer(const TunnelKey& key) const {
  const Slot slot = slot_of(keys_.number(key));
  return slot == none ? nullptr : &states_[slot];
}

const TunnelKey* FakeKernel::holder(const Prefix& prefix) const {
  const auto slot = owners_.holder(prefix);
  return slot ? &states_[*slot].key : nullptr;
}

bool FakeKernel::has_address(const Address& address) const {
  return std::any_of(addresses_.begin(), addresses_.end(), [&](const Prefix& p) { return p.address == address; });
}

FakeKernel::Slot FakeKernel::add_peer(const TunnelKey& key, KeyNumber number) {
  const auto slot = static_cast<Slot>(links_.size());
  states_.push_back({key, {}, {}, {}, 0, 0, 0});
  links_.emplace_back();
  links_.back().number = number;
  state(slot);
  if (slots_.size() <= number) slots_.resize(number + 1, none);
  slots_[number] = slot;
  return slot;
}

void FakeKernel::remove_peer(const TunnelKey& key) {
  const KeyNumber number = keys_.number(key);
  const Slot slot = slot_of(number);
  if (slot == none) return;
  gone_.push_back(key);
  for (const Prefix& prefix : states_[slot].allowed_ips) owners_.take(prefix);
  slots_[number] = none;
  // The last takes its place, with what it holds.
  if (slot + 1 != links_.size()) {
    states_[slot] = std::move(states_.back());
    links_[slot] = std::move(links_.back());
    slots_[links_[slot].number] = slot;
    for (const Prefix& prefix : states_[slot].allowed_ips) owners_.give(prefix, slot);
  }
  states_.pop_back();
  links_.pop_back();
}

void FakeKernel::set_peer(const SetPeer& change) {
  if (has_key_ && change.key == own_key_) return;
  const KeyNumber number = keys_.number(change.key);
  Slot slot = slot_of(number);
  if (slot == none) {
    if (!change.create) return;
    slot = add_peer(change.key, number);
  }
  TunnelPeerState& peer = state(slot);
  if (change.endpoint) peer.endpoint = change.endpoint;
  if (change.replace) {
    for (const Prefix& prefix : std::vector(peer.allowed_ips)) take(slot, prefix);
  }
  for (const Prefix& prefix : change.remove) {
    if (removes_allowed_ip_) take(slot, prefix);
  }
  for (const Prefix& prefix : change.add) give(slot, prefix);
  const bool begins = change.keepalive && peer.keepalive.count() == 0 && change.keepalive->count() != 0;
  if (change.keepalive) peer.keepalive = *change.keepalive;
  if (!up_) return;
  if (begins) send_to(slot, {});
  if (links_[slot].waiting) initiate(slot, false);
  arm(slot);
}

// Whoever held it holds it no more, without a gap.
void FakeKernel::give(Slot slot, const Prefix& prefix) {
  if (const auto before = owners_.give(prefix, slot)) std::erase(state(*before).allowed_ips, prefix);
  auto& held = state(slot).allowed_ips;
  const auto at = std::lower_bound(held.begin(), held.end(), prefix);
  if (at == held.end() || *at != prefix) held.insert(at, prefix);
}

void FakeKernel::take(Slot slot, const Prefix& prefix) {
  if (owners_.holder(prefix) != slot) return;
  owners_.take(prefix);
  std::erase(state(slot).allowed_ips, prefix);
}

const Address* FakeKernel::source_for(Family family) const {
  const auto found = std::find_if(addresses_.begin(), addresses_.end(), [&](const Prefix& p) { return p.address.family == family; });
  return found == addresses_.end() ? nullptr : &found->address;
}

}  // namespace wigwag::sim
