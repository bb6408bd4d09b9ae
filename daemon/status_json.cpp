#include "daemon/status_json.hpp"

#include <algorithm>
#include <cmath>

namespace wigwag {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(to_string(*value)) : Json();
}

Json subnets_json(const MemberStatus& member) {
  Json subnets = Json::array();
  for (const auto& subnet : member.subnets) subnets.push_back(to_string(subnet));
  return subnets;
}

// Who carries what is behind members, and what of this node's own is not announced.
Json carried_json(const NodeStatus& status) {
  Json list = Json::array();
  for (const auto& one : status.subnets) {
    list.push_back({{"subnet", to_string(one.subnet)},
                    {"carrier", one.carrier ? Json(one.carrier_name) : Json()},
                    {"carrier_id", one.carrier ? Json(to_hex(*one.carrier)) : Json()},
                    {"others", one.others},
                    {"routed", one.routed},
                    {"why_not", one.why_not}});
  }
  return list;
}

Json member_json(const MemberStatus& member, UnixTime now) {
  Json path = {{"kind", to_string(member.path)}, {"via", member.via}, {"endpoint", or_null(member.endpoint)}};
  Json rtt, handshake;
  if (member.rtt) rtt = std::round(static_cast<double>(member.rtt->count()) / 10.0) / 100.0;
  if (member.last_handshake_unix_s != 0) handshake = std::max<std::int64_t>(0, now.seconds - member.last_handshake_unix_s);
  return {{"name", member.name},
          {"id", to_hex(member.id)},
          {"public_key", to_base64(member.tunnel_key)},
          {"ipv4", or_null(member.ipv4)},
          {"ipv6", to_string(member.ipv6)},
          {"health", to_string(member.health)},
          {"relay", member.relay},
          {"subnets", subnets_json(member)},
          {"path", std::move(path)},
          {"version", version_number(member.epoch, member.sequence)},
          {"rtt_ms", std::move(rtt)},
          {"last_handshake_s", std::move(handshake)},
          {"rx_bytes", member.rx_bytes},
          {"tx_bytes", member.tx_bytes}};
}

}  // namespace

std::uint64_t version_number(std::uint32_t epoch, std::uint32_t sequence) {
  constexpr std::uint32_t sequence_max = (1U << 20) - 1;
  return (static_cast<std::uint64_t>(epoch) << 20) + std::min(sequence, sequence_max);
}

Json status_json(const NodeStatus& status, const HostStatus& host, UnixTime now) {
  Json members = Json::array();
  for (const auto& member : status.members) members.push_back(member_json(member, now));
  Json announced = Json::array();
  for (const auto& endpoint : status.announced) announced.push_back(to_string(endpoint));
  const auto& self = status.self;
  return {{"network",
           {{"name", status.network_name}, {"id", to_hex(status.network)}, {"ipv4", or_null(status.ipv4_prefix)}, {"ipv6", to_string(status.ipv6_prefix)}}},
          {"self",
           {{"name", self.name},
            {"id", to_hex(self.id)},
            {"public_key", to_base64(self.tunnel_key)},
            {"ipv4", or_null(self.ipv4)},
            {"ipv6", to_string(self.ipv6)},
            {"relay", self.relay},
            {"version", version_number(self.epoch, self.sequence)},
            {"interface", host.interface},
            {"backend", host.backend},
            {"listen_port", host.listen_port},
            {"hello_port", host.hello_port},
            {"endpoints", std::move(announced)}}},
          {"joined", status.joined},
          {"waiting_for", status.waiting_for},
          {"refused", status.refused},
          {"converged", status.joined && status.converged && host.kernel_settled},
          {"digest", to_hex(status.digest)},
          {"subnets", carried_json(status)},
          {"members", std::move(members)}};
}

}  // namespace wigwag
