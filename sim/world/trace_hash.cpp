#include "sim/world/trace_hash.hpp"

#include <algorithm>
#include <type_traits>

namespace wigwag::sim {

void TraceHash::take(Instant at, std::size_t machine, const Output& output, const Tunnel& desired) {
  number(static_cast<std::uint64_t>(at.time_since_epoch().count()));
  number(static_cast<std::uint64_t>(machine) << 8 | output.index());
  std::visit(
      [&](const auto& one) {
        if constexpr (std::is_same_v<decltype(one), const Desire&>) put(one, desired);
        else put(one);
      },
      output);
}

Hash32 TraceHash::value() const {
  std::array<std::uint8_t, 40> raw{};
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) store_be64(raw.data() + lane * 8, lanes_[lane]);
  store_be64(raw.data() + 32, count_);
  return blake2b(raw);
}

void TraceHash::bytes(ByteView view) {
  number(view.size());
  std::size_t at = 0;
  for (; at + 8 <= view.size(); at += 8) number(load_be64(view.data() + at));
  std::uint64_t rest = 0;
  for (; at < view.size(); ++at) rest = rest << 8 | view[at];
  number(rest);
}

void TraceHash::address(const Address& address) {
  number(load_be64(address.bytes.data()));
  if (address.family == Family::ipv6) number(load_be64(address.bytes.data() + 8));
}

void TraceHash::endpoint(const Endpoint& endpoint) {
  address(endpoint.address);
  number(endpoint.port);
}

void TraceHash::prefix(const Prefix& prefix) {
  address(prefix.address);
  number(prefix.length);
}

void TraceHash::put(const SendTunnel& send) {
  address(send.to);
  bytes(send.bytes);
}

void TraceHash::put(const SendHello& send) {
  endpoint(send.to);
  bytes(send.bytes);
}

void TraceHash::put(const TunnelPeer& peer) {
  number(load_be64(peer.key.bytes.data()));
  if (peer.endpoint) endpoint(*peer.endpoint);
  for (const auto& one : peer.allowed_ips) prefix(one);
  number(static_cast<std::uint64_t>(peer.keepalive.count()));
}

void TraceHash::put(const Desire& desire, const Tunnel& desired) {
  for (const auto& one : desired.addresses) prefix(one);
  if (desire.all) {
    for (const auto& peer : desired.peers) put(peer);
    for (const auto& route : desired.routes) {
      prefix(route.destination);
      number(std::uint64_t{route.metric} << 8 | static_cast<std::uint64_t>(route.kind));
    }
  }
  for (const auto& key : desire.peers) {
    number(load_be64(key.bytes.data()));
    const auto at = std::lower_bound(desired.peers.begin(), desired.peers.end(), key, [](const TunnelPeer& peer, const TunnelKey& wanted) { return peer.key < wanted; });
    if (at != desired.peers.end() && at->key == key) put(*at);
  }
  number(desired.peers.size());
  number(desired.routes.size());
}

void TraceHash::put(const Persist& persist) { number(persist.at_once ? 1 : 0); }

void TraceHash::put(const Raise& raise) {
  number(static_cast<std::uint64_t>(raise.event.kind));
  bytes(raise.event.subject.view());
  text(raise.event.name);
  text(raise.event.detail);
}

}  // namespace wigwag::sim
