#include <algorithm>

#include "gossip/base/packed.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/trace.hpp"
#include "gossip/trace_parts.hpp"

namespace wigwag {
namespace {

void describe(const SendTunnel& send, const Node&, Packer& out) {
  const auto payload = send.bytes.size() - std::min(send.bytes.size(), message_limits::mac_bytes);
  out.address(send.to).binary(ByteView(send.bytes).first(payload));
}
void describe(const SendHello& send, const Node&, Packer& out) { out.endpoint(send.to); }
void describe(const Desire&, const Node& node, Packer& out) {
  const Tunnel& tunnel = node.desired();
  out.number(static_cast<std::uint64_t>(tunnel.plane));
  for (const auto& prefix : tunnel.addresses) out.prefix(prefix);
  for (const auto& peer : tunnel.peers) {
    out.key(peer.key).number(peer.allowed_ips.size());
    if (peer.endpoint) out.endpoint(*peer.endpoint);
    for (const auto& prefix : peer.allowed_ips) out.prefix(prefix);
    out.number(static_cast<std::uint64_t>(peer.keepalive.count()));
  }
  for (const auto& route : tunnel.routes) {
    out.prefix(route.destination).number(static_cast<std::uint64_t>(route.kind)).number(route.metric);
  }
}
void describe(const Persist& persist, const Node& node, Packer& out) {
  out.boolean(persist.at_once);
  if (persist.at_once) out.binary(node.stored());
}
void describe(const Raise& raise, const Node&, Packer& out) {
  out.number(static_cast<std::uint64_t>(raise.event.kind)).key(raise.event.subject).text(raise.event.name).text(raise.event.detail);
}
void describe(const Left&, const Node&, Packer&) {}

std::uint32_t hash_of(const Output& output, const Node& node) {
  Packer out;
  std::visit([&](const auto& one) { describe(one, node, out); }, output);
  return short_hash(out.bytes());
}

}  // namespace

StepDigest digest_of(const Outputs& outputs, const Node& node) {
  StepDigest digest;
  digest.next_wakeup = node.next_wakeup();
  for (const auto& output : outputs) {
    const auto hash = hash_of(output, node);
    if (digest.outputs.size() < digest_max) digest.outputs.push_back({static_cast<std::uint8_t>(output.index()), hash});
    else digest.outputs.back().hash = digest.outputs.back().hash * 31 + hash;
  }
  return digest;
}

}  // namespace wigwag
