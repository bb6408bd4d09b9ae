#include "sim/world/fake_kernel.hpp"

#include <algorithm>
#include <utility>

#include "gossip/base/packed.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration rekey_timeout = seconds(5);
constexpr Duration keepalive_timeout = seconds(10);
constexpr Duration rekey_jitter = milliseconds(333);
constexpr Duration rekey_after = seconds(120);
constexpr Duration reject_after = seconds(180);
constexpr Duration give_up_after = seconds(90);
constexpr std::size_t waiting_max = 128;

enum class Kind : std::uint8_t { initiation, response, data };

// [kind, sender's key, receiver's key, session, inner source, inner packet]
Bytes wrap(Kind kind, const TunnelKey& from, const TunnelKey& to, std::uint64_t session, const Address& source, const Bytes& inner) {
  Packer out;
  out.array(6).number(static_cast<std::uint64_t>(kind)).key(from).key(to).number(session).address(source).binary(inner);
  return out.take();
}

}  // namespace

FakeKernel::FakeKernel(EventQueue& events, const TunnelKey& own_key, std::uint64_t seed, SendUnderlay send, DeliverInner deliver)
    : events_(events), own_key_(own_key), rng_(seed), send_(std::move(send)), deliver_(std::move(deliver)) {
  keep_alive();
}

void FakeKernel::apply(const Tunnel& tunnel, std::int64_t) {
  addresses_ = tunnel.addresses;
  std::map<TunnelKey, Peer> kept;
  for (const auto& wanted : tunnel.peers) {
    auto held = peers_.extract(wanted.key);
    Peer peer = held ? std::move(held.mapped()) : Peer{};
    peer.config = wanted;
    auto& written = written_[wanted.key];
    const bool ours_still = !peer.endpoint || peer.endpoint == written || !peer.session;
    if (wanted.endpoint && wanted.endpoint != written && ours_still) {
      peer.endpoint = wanted.endpoint;
      written = wanted.endpoint;
    }
    kept.emplace(wanted.key, std::move(peer));
  }
  peers_ = std::move(kept);
}

std::vector<TunnelPeerState> FakeKernel::peers() const {
  std::vector<TunnelPeerState> states;
  for (const auto& [key, peer] : peers_) {
    states.push_back({key, peer.endpoint, peer.config.allowed_ips, peer.config.keepalive, peer.handshake_wall_s, peer.rx, peer.tx});
  }
  return states;
}

bool FakeKernel::has_address(const Address& address) const {
  return std::any_of(addresses_.begin(), addresses_.end(), [&](const Prefix& p) { return p.address == address; });
}

FakeKernel::Peer* FakeKernel::owner_of(const Address& inner) {
  for (auto& [key, peer] : peers_) {
    for (const auto& prefix : peer.config.allowed_ips) {
      if (prefix.contains(inner)) return &peer;
    }
  }
  return nullptr;
}

void FakeKernel::send_inner(const Address& to, Bytes bytes) {
  Peer* peer = owner_of(to);
  if (peer == nullptr) return;
  Packer inner;
  inner.array(2).address(to).binary(bytes);
  send_to(*peer, inner.take());
}

void FakeKernel::send_to(Peer& peer, Bytes inner) {
  const bool usable = peer.session && events_.now() < peer.established + reject_after;
  if (usable) {
    transmit(peer, std::move(inner));
    if (events_.now() >= peer.established + rekey_after) initiate(peer);
    return;
  }
  peer.sent_at = events_.now();
  if (peer.waiting.size() >= waiting_max) peer.waiting.pop_front();
  peer.waiting.push_back(std::move(inner));
  peer.trying_since = events_.now();  // every new packet starts the attempts afresh
  initiate(peer);
}

// The kernel's timers, looked at about once a second: persistent keepalives, the passive one that
// answers data when nothing else does, and the new handshake when data goes unanswered.
void FakeKernel::keep_alive() {
  // Not in step with the other kernels'.
  events_.after(milliseconds(900) + rng_.below(milliseconds(200)), [this, running = std::weak_ptr<int>(running_)] {
    if (running.expired()) return;
    for (auto& [key, peer] : peers_) {
      const bool persistent = peer.config.keepalive.count() != 0 && events_.now() >= peer.sent_at + peer.config.keepalive;
      const bool passive = peer.owes_answer_since && events_.now() >= *peer.owes_answer_since + keepalive_timeout;
      if (persistent || passive) send_to(peer, {});
      // What we sent was not answered in any way: the other end has lost its session, perhaps.
      if (peer.unanswered_since && events_.now() >= *peer.unanswered_since + keepalive_timeout + rekey_timeout) initiate(peer);
    }
    keep_alive();
  });
}

void FakeKernel::transmit(Peer& peer, Bytes inner) {
  peer.sent_at = events_.now();
  peer.owes_answer_since.reset();
  if (!inner.empty() && !peer.unanswered_since) peer.unanswered_since = events_.now();
  if (!peer.endpoint) return;
  const auto source = std::find_if(addresses_.begin(), addresses_.end(), [](const Prefix& p) { return p.address.family == Family::ipv6; });
  if (source == addresses_.end()) return;
  peer.tx += inner.size();
  send_(*peer.endpoint, wrap(Kind::data, own_key_, peer.config.key, *peer.session, source->address, inner));
}

void FakeKernel::initiate(Peer& peer) {
  if (!peer.endpoint || (peer.initiated && events_.now() < *peer.initiated + rekey_timeout)) return;
  peer.initiated = events_.now();
  peer.awaits_response = true;
  send_(*peer.endpoint, wrap(Kind::initiation, own_key_, peer.config.key, rng_.next(), Address{}, {}));
  retry_later(peer.config.key);
}

void FakeKernel::retry_later(const TunnelKey& key) {
  events_.after(rekey_timeout + rng_.below(rekey_jitter), [this, key, running = std::weak_ptr<int>(running_)] {
    if (running.expired()) return;
    const auto found = peers_.find(key);
    if (found == peers_.end() || found->second.waiting.empty()) return;
    Peer& peer = found->second;
    if (events_.now() >= peer.trying_since + give_up_after) {
      peer.waiting.clear();
      return;
    }
    initiate(peer);
  });
}

void FakeKernel::establish(Peer& peer, std::uint64_t session) {
  peer.previous = peer.session;
  peer.session = session;
  peer.established = events_.now();
  peer.handshake_wall_s = wall_ ? wall_() : 1;
  const bool initiator = std::exchange(peer.awaits_response, false);
  peer.initiated.reset();
  peer.unconfirmed.reset();
  if (initiator && peer.waiting.empty()) transmit(peer, {});
  for (auto& inner : std::exchange(peer.waiting, {})) transmit(peer, std::move(inner));
}

void FakeKernel::receive(const Endpoint& from, const Bytes& bytes) {
  Unpacker in(bytes);
  in.array(6, 6);
  const auto kind = in.enumerator(Kind::data);
  const auto sender = in.key<TunnelKey>();
  const auto receiver = in.key<TunnelKey>();
  const auto session = in.number();
  const auto source = in.address();
  const auto inner = in.binary(0, 2000);
  const auto found = peers_.find(sender);
  if (!in.done() || receiver != own_key_ || found == peers_.end()) return;
  Peer& peer = found->second;
  switch (kind) {
    case Kind::initiation:
      // There is one handshake state a peer: taking the other's initiation ends our own, so
      // that of two that cross neither is completed.
      peer.endpoint = from;
      peer.awaits_response = false;
      peer.unconfirmed = session;
      send_(from, wrap(Kind::response, own_key_, sender, session, Address{}, {}));
      return;
    case Kind::response:
      if (!peer.awaits_response) return;
      peer.endpoint = from;
      establish(peer, session);
      return;
    case Kind::data: break;
  }
  // The responder uses a session from the first packet that comes under it.
  if (peer.unconfirmed == session) establish(peer, session);
  if (peer.session != session && peer.previous != session) return;
  if (events_.now() >= peer.established + reject_after) return;
  peer.endpoint = from;
  peer.rx += inner.size();
  peer.unanswered_since.reset();
  if (!inner.empty() && !peer.owes_answer_since) peer.owes_answer_since = events_.now();
  const bool allowed = std::any_of(peer.config.allowed_ips.begin(), peer.config.allowed_ips.end(),
                                   [&](const Prefix& p) { return p.contains(source); });
  Unpacker packet(inner);
  packet.array(2, 2);
  const auto to = packet.address();
  const auto payload = packet.binary(0, 1400);
  if (allowed && packet.done() && has_address(to)) deliver_(source, to, Bytes(payload.begin(), payload.end()));
}

}  // namespace wigwag::sim
