#include <algorithm>
#include <utility>

#include "sim/world/fake_kernel.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration rekey_timeout = seconds(5);
constexpr Duration keepalive_timeout = seconds(10);
constexpr Duration rekey_jitter = milliseconds(333);
constexpr Duration rekey_after = seconds(120);
constexpr Duration reject_after = seconds(180);
constexpr Duration give_up_after = seconds(95);      // eighteen attempts after the first
constexpr std::size_t waiting_max = 128;

using Kind = TunnelMessage::Kind;

}  // namespace

bool FakeKernel::usable(const Link& link) const { return link.session != 0 && events_.now() < link.established + reject_after; }

std::int64_t FakeKernel::stamp() const {
  return calls_.wall_s() * 1'000'000 + events_.now().time_since_epoch().count() % 1'000'000;
}

void FakeKernel::send_inner(const Address& to, Bytes payload) {
  if (!up_ || !routes_.lead_into_tunnel(to)) return;
  const auto slot = owners_.owner_of(to);
  const Address* source = source_for(to.family);
  if (!slot || source == nullptr) return;
  send_to(*slot, {*source, to, std::move(payload), false});
}

void FakeKernel::send_to(Slot slot, InnerPacket inner) {
  Link& link = links_[slot];
  if (usable(link)) {
    transmit(slot, std::move(inner));
    if (link.began && events_.now() >= link.established + rekey_after) initiate(slot, false);
    return;
  }
  if (!link.waiting) link.waiting = std::make_unique<std::vector<InnerPacket>>();
  if (link.waiting->size() >= waiting_max) link.waiting->erase(link.waiting->begin());
  link.waiting->push_back(std::move(inner));
  initiate(slot, false);
}

void FakeKernel::sent_something(Link& link) {
  link.passed_at = events_.now();
  link.owes_since = never;
  link.again = false;
}

void FakeKernel::transmit(Slot slot, InnerPacket inner) {
  TunnelPeerState& peer = state(slot);
  Link& link = links_[slot];
  sent_something(link);
  if (!inner.empty) link.unanswered_since = std::min(link.unanswered_since, events_.now());
  if (peer.endpoint) {
    TunnelMessage message{Kind::data, own_number_, link.number, link.session, 0, std::move(inner)};
    peer.tx_bytes += wire_bytes(message);
    calls_.send(*peer.endpoint, std::move(message));
  }
  arm(slot);
}

// Everything but a retry starts the attempts afresh.
void FakeKernel::initiate(Slot slot, bool retry) {
  const TunnelPeerState& peer = states_[slot];
  Link& link = links_[slot];
  if (!retry) link.trying_since = events_.now();
  if (!up_ || !peer.endpoint || (link.initiated != Instant{} && events_.now() < link.initiated + rekey_timeout)) return;
  link.initiated = events_.now();
  link.asked = rng_.next() | 1U;
  link.retry_at = events_.now() + rekey_timeout + rng_.below(rekey_jitter);
  sent_something(link);
  calls_.send(*peer.endpoint, {Kind::initiation, own_number_, link.number, link.asked, stamp(), {}});
  arm(slot);
}

void FakeKernel::establish(Slot slot, std::uint64_t session, bool began, Instant since) {
  Link& link = links_[slot];
  link.previous = link.session;
  link.previous_established = link.established;
  link.session = session;
  link.established = since;
  link.began = began;
  link.initiated = {};
  link.asked = 0;
  link.unconfirmed = 0;
  link.retry_at = never;
  state(slot).last_handshake_unix_s = calls_.wall_s();
  const auto waiting = std::exchange(link.waiting, nullptr);
  // The one who began confirms the session by the first packet under it, empty if need be.
  if (began && !waiting) transmit(slot, {});
  if (!waiting) return;
  for (InnerPacket& inner : *waiting) transmit(slot, std::move(inner));
}

void FakeKernel::came_from(Slot slot, const Endpoint& from) {
  if (states_[slot].endpoint != from) {
    state(slot).endpoint = from;
    roamed_.push_back(states_[slot].key);
  }
  Link& link = links_[slot];
  link.passed_at = events_.now();
  link.unanswered_since = never;
}

void FakeKernel::receive(const Endpoint& from, TunnelMessage& message) {
  const Slot slot = slot_of(message.from);
  if (!up_ || message.to != own_number_ || slot == none) return;
  switch (message.kind) {
    case Kind::initiation: receive_initiation(slot, from, message); break;
    case Kind::response: {
      Link& link = links_[slot];
      if (link.asked == 0 || link.asked != message.session) return;
      came_from(slot, from);
      state(slot).rx_bytes += wire_bytes(message);
      establish(slot, message.session, true, events_.now());
      if (calls_.shook_hands) calls_.shook_hands();
      break;
    }
    case Kind::data: receive_data(slot, from, message); return;
  }
  // What was handled may have led to other peers.
  if (const Slot still = slot_of(message.from); still != none) arm(still);
}

// There is one handshake state a peer: taking the other's initiation ends our own, so that of two
// that cross neither is completed.
void FakeKernel::receive_initiation(Slot slot, const Endpoint& from, const TunnelMessage& message) {
  Link& link = links_[slot];
  if (message.stamp <= link.newest_initiation) return;
  link.newest_initiation = message.stamp;
  link.asked = 0;
  link.unconfirmed = message.session;
  link.unconfirmed_at = events_.now();
  came_from(slot, from);
  state(slot).rx_bytes += wire_bytes(message);
  sent_something(link);
  calls_.send(from, {Kind::response, own_number_, link.number, message.session, 0, {}});
}

void FakeKernel::receive_data(Slot slot, const Endpoint& from, TunnelMessage& message) {
  Link& link = links_[slot];
  const Instant now = events_.now();
  // The responder uses a session from the first packet that comes under it.
  const bool confirms = link.unconfirmed != 0 && link.unconfirmed == message.session && now < link.unconfirmed_at + reject_after;
  const bool current = link.session != 0 && link.session == message.session && now < link.established + reject_after;
  const bool former = link.previous != 0 && link.previous == message.session && now < link.previous_established + reject_after;
  if (!confirms && !current && !former) return;
  came_from(slot, from);
  state(slot).rx_bytes += wire_bytes(message);
  if (confirms) establish(slot, message.session, false, link.unconfirmed_at);
  if (!message.inner.empty) {
    if (link.owes_since == never) link.owes_since = now;
    else link.again = true;
  }
  // A session that is about to end is made anew by the one who began it, though it only listens.
  const bool ends_soon = current && link.began && now >= link.established + reject_after - keepalive_timeout - rekey_timeout;
  if (ends_soon) initiate(slot, false);
  arm(slot);
  if (message.inner.empty) return;
  const bool allowed = owners_.owner_of(message.inner.from) == slot;
  if (allowed && has_address(message.inner.to)) calls_.deliver(message.inner);
}

// --- timers: one event a link at most, which finds out for itself what it came for -----------

Instant FakeKernel::due(Slot slot) const {
  const Link& link = links_[slot];
  const auto keepalive = states_[slot].keepalive;
  Instant earliest = link.retry_at;
  if (keepalive.count() != 0) earliest = std::min(earliest, link.passed_at + keepalive);
  if (link.owes_since != never) earliest = std::min(earliest, link.owes_since + keepalive_timeout);
  if (link.unanswered_since != never) earliest = std::min(earliest, link.unanswered_since + keepalive_timeout + rekey_timeout);
  return earliest;
}

void FakeKernel::arm(Slot slot) {
  Link& link = links_[slot];
  const Instant when = std::max(due(slot), events_.now() + microseconds(1));
  if (when == never || link.armed <= when) return;
  link.armed = when;
  events_.at(when, [this, number = link.number, when, boot = boot_] { ring(number, when, boot); });
}

void FakeKernel::ring(KeyNumber number, Instant when, std::uint64_t boot) {
  const Slot slot = boot == boot_ ? slot_of(number) : none;
  if (slot == none || links_[slot].armed != when) return;
  links_[slot].armed = never;
  if (up_ && due(slot) <= events_.now()) fall_due(slot);
  if (const Slot still = slot_of(number); still != none && boot == boot_) arm(still);
}

void FakeKernel::fall_due(Slot slot) {
  Link& link = links_[slot];
  const Instant now = events_.now();
  if (link.retry_at <= now) {
    link.retry_at = never;
    if (now < link.trying_since + give_up_after) initiate(slot, true);
    else link.waiting.reset();
  }
  const auto keepalive = states_[slot].keepalive;
  const bool persistent = keepalive.count() != 0 && now >= link.passed_at + keepalive;
  const bool owed = link.owes_since != never && now >= link.owes_since + keepalive_timeout;
  if (persistent || owed) {
    const bool again = link.again;
    link.passed_at = now;
    link.owes_since = never;
    send_to(slot, {});
    if (again) link.owes_since = now;
  }
  // What we sent was not answered in any way: the other end has lost its session, perhaps.
  if (link.unanswered_since != never && now >= link.unanswered_since + keepalive_timeout + rekey_timeout) {
    link.unanswered_since = never;
    initiate(slot, false);
  }
}

}  // namespace wigwag::sim
