#include "gossip/topology/endpoints.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

bool inside(const Address& address, const std::vector<Prefix>& mesh) {
  return std::any_of(mesh.begin(), mesh.end(), [&](const Prefix& p) { return p.contains(address); });
}

void add_once(std::vector<Endpoint>& list, const Endpoint& endpoint) {
  if (std::find(list.begin(), list.end(), endpoint) == list.end()) list.push_back(endpoint);
}

// Whether two hosts probably share a link: the prefix lengths of real networks are not
// known here, so these are the usual ones.
bool probably_beside(const Address& a, const Address& b) {
  return a.family == b.family && Prefix::covering(a, a.family == Family::ipv4 ? 24 : 64).contains(b);
}

}  // namespace

bool usable_endpoint(const Endpoint& endpoint, const std::vector<Prefix>& mesh) {
  const Address& a = endpoint.address;
  return endpoint.port != 0 && !a.is_unspecified() && !a.is_multicast() && !a.is_link_local() && !inside(a, mesh);
}

void OwnEndpoints::set_local(std::vector<Address> addresses) {
  std::sort(addresses.begin(), addresses.end(), [](const Address& a, const Address& b) {
    return std::make_pair(a.is_private(), a) < std::make_pair(b.is_private(), b);
  });
  local_ = std::move(addresses);
}

void OwnEndpoints::seen_by(const NodeId& witness, const Endpoint& endpoint) {
  std::erase_if(witnesses_, [&](const auto& w) { return w.first == witness; });
  if (witnesses_.size() >= witnesses_max) witnesses_.erase(witnesses_.begin());
  witnesses_.emplace_back(witness, endpoint);
}

std::optional<Endpoint> OwnEndpoints::observed() const {
  if (witnesses_.size() == 1) return witnesses_.begin()->second;
  std::map<Endpoint, int> votes;
  for (const auto& [witness, endpoint] : witnesses_) ++votes[endpoint];
  std::optional<Endpoint> best;
  int most = 1;
  for (const auto& [endpoint, count] : votes) {
    if (count > most) best = endpoint, most = count;
  }
  return best;
}

bool OwnEndpoints::behind_nat() const {
  const auto seen = observed();
  return seen && std::find(local_.begin(), local_.end(), seen->address) == local_.end();
}

std::vector<Endpoint> OwnEndpoints::announce(std::uint16_t listen_port, const std::vector<Prefix>& mesh) const {
  std::vector<Endpoint> list;
  for (const auto& endpoint : configured_) add_once(list, endpoint);
  if (const auto seen = observed()) add_once(list, *seen);
  for (const auto& address : local_) add_once(list, {address, listen_port});
  std::erase_if(list, [&](const Endpoint& e) { return !usable_endpoint(e, mesh); });
  if (list.size() > limits::endpoints_per_record) list.resize(limits::endpoints_per_record);
  return list;
}

std::vector<Endpoint> PeerEndpoints::candidates(const Facts& facts) {
  std::vector<Endpoint> list;
  if (facts.hint) list.push_back(*facts.hint);
  const auto beside_us = [&](const Endpoint& e) {
    return std::any_of(facts.local.begin(), facts.local.end(), [&](const Address& a) { return probably_beside(a, e.address); });
  };
  for (const auto& endpoint : facts.record.endpoints) {
    if (beside_us(endpoint)) add_once(list, endpoint);
  }
  for (const auto& endpoint : facts.record.endpoints) add_once(list, endpoint);
  std::erase_if(list, [&](const Endpoint& e) { return !usable_endpoint(e, facts.mesh); });
  return list;
}

std::optional<Endpoint> PeerEndpoints::wanted(const NodeId& id) const {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.up || found->second.candidates.empty()) return std::nullopt;
  return found->second.candidates[found->second.trying];
}

bool PeerEndpoints::judge(const NodeId& id, const Facts& facts, Instant now) {
  const auto before = wanted(id);
  auto [found, fresh] = peers_.try_emplace(id);
  Peer& peer = found->second;
  auto list = candidates(facts);
  if (fresh || list != peer.candidates) {
    // What the peer has newly announced comes first: it may have moved. Else what is being tried
    // goes on being tried when it is still a candidate.
    const auto is_new = [&](const Endpoint& e) { return std::find(peer.candidates.begin(), peer.candidates.end(), e) == peer.candidates.end(); };
    const auto announced = fresh ? list.end() : std::find_if(list.begin(), list.end(), is_new);
    const bool first = fresh || peer.candidates.empty();
    const auto kept = announced != list.end() || first ? announced : std::find(list.begin(), list.end(), peer.candidates[peer.trying]);
    peer.trying = kept == list.end() ? 0 : static_cast<std::size_t>(kept - list.begin());
    if (kept == list.end() || kept == announced) peer.since = now;
    peer.candidates = std::move(list);
  }
  const auto* kernel = facts.kernel;
  listen(peer, kernel, now);
  const bool recent = kernel != nullptr && kernel->last_handshake_unix_s != 0 && facts.wall.seconds - kernel->last_handshake_unix_s < session_s;
  // A verdict is about its daemon: what its kernel sends shows that the path is good.
  const bool heard = !facts.down || (peer.heard_at && now < *peer.heard_at + silence_patience);
  peer.up = recent && heard && !silent(id, now);
  if (peer.up) peer.since = now;
  if (!peer.up && now >= peer.since + candidate_patience && !peer.candidates.empty()) {
    peer.trying = (peer.trying + 1) % peer.candidates.size();
    peer.since = now;
  }
  return wanted(id) != before;
}

bool PeerEndpoints::silent(const NodeId& id, Instant now) const {
  const auto found = peers_.find(id);
  return found != peers_.end() && found->second.unanswered_since && now >= *found->second.unanswered_since + silence_patience;
}

// Keepalives, the persistent ones and the one that answers data, are not answered: what
// they add to the bytes sent since the last look says nothing.
void PeerEndpoints::listen(Peer& peer, const TunnelPeerState* kernel, Instant now) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - peer.looked);
  peer.looked = now;
  if (kernel == nullptr || kernel->rx_bytes != peer.rx || kernel->tx_bytes < peer.tx) {
    peer.unanswered_since.reset();
  } else if (!peer.unanswered_since) {
    const bool persistent = kernel->keepalive.count() > 0;
    const std::uint64_t keepalives = 1 + (persistent ? static_cast<std::uint64_t>(elapsed / kernel->keepalive) : 0);
    if (kernel->tx_bytes - peer.tx > keepalives * keepalive_bytes) peer.unanswered_since = now;
  }
  if (kernel != nullptr && kernel->rx_bytes > peer.rx + keepalive_bytes && peer.looked_before) peer.heard_at = now;
  peer.looked_before = kernel != nullptr;
  peer.rx = kernel == nullptr ? 0 : kernel->rx_bytes;
  peer.tx = kernel == nullptr ? 0 : kernel->tx_bytes;
}

Instant PeerEndpoints::next_wakeup() const {
  Instant next = never;
  for (const auto& [id, peer] : peers_) {
    if (!peer.up && peer.candidates.size() > 1) next = std::min(next, peer.since + candidate_patience);
  }
  return next;
}

}  // namespace wigwag
