#include <algorithm>

#include "daemon/reconciler.hpp"
#include "gossip/base/packed.hpp"
#include "netlink/limits.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t format = 2;
constexpr std::uint64_t nameless_format = 1;  // without the interface's name
// Ten values a peer at most; more than an interface can have peers is no state of ours.
constexpr std::size_t values_max = netlink_limits::peers * 10;

template <class T>
bool sorted_and_unique(const std::vector<T>& items) {
  return std::adjacent_find(items.begin(), items.end(), [](const T& a, const T& b) { return !(a < b); }) == items.end();
}

}  // namespace

Bytes encode_applied(const AppliedTunnel& applied) {
  Packer out;
  out.array(7).number(format).text(applied.interface).boolean(applied.created).key(applied.public_key);
  out.array(applied.peers.size());
  for (const AppliedPeer& peer : applied.peers) {
    out.array(2).key(peer.key);
    if (peer.endpoint) {
      out.endpoint(*peer.endpoint);
    } else {
      out.nil();
    }
  }
  out.array(applied.addresses.size());
  for (const Prefix& one : applied.addresses) out.array(2).address(one.address).number(one.length);
  out.array(applied.routes.size());
  for (const TunnelRoute& one : applied.routes)
    out.array(3).prefix(one.destination).number(static_cast<std::uint64_t>(one.kind)).number(one.metric);
  return out.take();
}

std::optional<AppliedTunnel> decode_applied(ByteView stored) {
  Unpacker in(stored, values_max);
  AppliedTunnel applied;
  const auto parts = in.array(6, 7);
  const std::uint64_t written = in.number();
  if (written != (parts == 7 ? format : nameless_format)) in.fail();
  if (written == format) applied.interface = in.text(netlink_limits::interface_name);
  applied.created = in.boolean();
  applied.public_key = in.key<TunnelKey>();
  for (auto left = in.array(0, netlink_limits::peers); left > 0 && !in.failed(); --left) {
    in.array(2, 2);
    AppliedPeer peer{in.key<TunnelKey>(), std::nullopt};
    if (!in.nil()) peer.endpoint = in.endpoint();
    applied.peers.push_back(peer);
  }
  for (auto left = in.array(0, netlink_limits::peers); left > 0 && !in.failed(); --left) {
    in.array(2, 2);
    Prefix one{in.address(), 0};
    one.length = static_cast<std::uint8_t>(in.number(static_cast<std::uint64_t>(one.address.bits())));
    applied.addresses.push_back(one);
  }
  for (auto left = in.array(0, netlink_limits::routes); left > 0 && !in.failed(); --left) {
    in.array(3, 3);
    TunnelRoute route{in.prefix(), in.enumerator(RouteKind::unreachable), 0};
    route.metric = static_cast<std::uint32_t>(in.number(UINT32_MAX));
    applied.routes.push_back(route);
  }
  if (!in.done() || !sorted_and_unique(applied.peers) || !sorted_and_unique(applied.addresses) ||
      !sorted_and_unique(applied.routes))
    return std::nullopt;
  return applied;
}

}  // namespace wigwag
