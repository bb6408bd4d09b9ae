#include "netlink/route_codec.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "netlink/tunnel_diff.hpp"

namespace wigwag {
namespace {

// Since Linux 5.18; the headers of Debian 12 have them, older ones may not.
constexpr std::uint16_t address_protocol = 11;    // IFA_PROTO
constexpr std::uint8_t by_kernel_loopback = 1;    // IFAPROT_KERNEL_LO
constexpr std::uint8_t by_kernel_link_local = 3;  // IFAPROT_KERNEL_LL

std::uint8_t socket_family(const Address& address) { return address.family == Family::ipv4 ? AF_INET : AF_INET6; }

Message link_message(std::uint16_t type, std::uint16_t flags, const ifinfomsg& info) {
  Message message(type, flags);
  message.fixed(info);
  return message;
}

ifinfomsg about_link(std::uint32_t index) {
  ifinfomsg info{};
  info.ifi_index = static_cast<int>(index);
  return info;
}

Message address_message(std::uint16_t type, std::uint16_t flags, std::uint32_t index, const Prefix& address) {
  Message message(type, flags);
  ifaddrmsg info{};
  info.ifa_family = socket_family(address.address);
  info.ifa_prefixlen = address.length;
  info.ifa_index = index;
  message.fixed(info);
  message.put(IFA_LOCAL, address.address.view());
  message.put(IFA_ADDRESS, address.address.view());
  return message;
}

Message route_message(std::uint16_t type, std::uint16_t flags, const TunnelRoute& route, std::uint32_t index,
                      std::uint8_t scope) {
  Message message(type, flags);
  rtmsg info{};
  info.rtm_family = socket_family(route.destination.address);
  info.rtm_dst_len = route.destination.length;
  info.rtm_table = RT_TABLE_MAIN;
  info.rtm_protocol = route_protocol;
  info.rtm_scope = scope;
  info.rtm_type = route.kind == RouteKind::unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
  message.fixed(info);
  message.put(RTA_DST, route.destination.address.view());
  message.put_u32(RTA_PRIORITY, route.metric);
  if (route.kind == RouteKind::through_tunnel) message.put_u32(RTA_OIF, index);
  return message;
}

std::optional<std::string> kind_of(ByteView link_info) {
  AttributeReader attributes(link_info);
  while (const auto found = attributes.next())
    if (found->type == IFLA_INFO_KIND) return std::string(found->text());
  return std::nullopt;
}

}  // namespace

std::optional<Link> decode_link(ByteView body) {
  const auto info = read_fixed<ifinfomsg>(body);
  if (!info || info->ifi_index <= 0) return std::nullopt;
  Link link;
  link.index = static_cast<std::uint32_t>(info->ifi_index);
  link.up = (info->ifi_flags & IFF_UP) != 0;
  link.loopback = (info->ifi_flags & IFF_LOOPBACK) != 0;
  auto attributes = attributes_after<ifinfomsg>(body);
  while (const auto found = attributes.next()) {
    switch (found->type) {
      case IFLA_IFNAME:
        link.name = found->text();
        break;
      case IFLA_MTU:
        link.mtu = found->value<std::uint32_t>().value_or(0);
        break;
      case IFLA_LINKINFO:
        link.kind = kind_of(found->payload).value_or("");
        break;
      default:
        break;
    }
  }
  if (attributes.malformed() || link.name.empty()) return std::nullopt;
  return link;
}

std::optional<InterfaceAddress> decode_address(ByteView body) {
  const auto info = read_fixed<ifaddrmsg>(body);
  if (!info) return std::nullopt;
  std::optional<Address> local, address;
  std::uint32_t flags = info->ifa_flags;
  std::uint8_t protocol = 0;
  auto attributes = attributes_after<ifaddrmsg>(body);
  while (const auto found = attributes.next()) {
    switch (found->type) {
      case IFA_LOCAL:
        local = Address::from_bytes(found->payload);
        break;
      case IFA_ADDRESS:
        address = Address::from_bytes(found->payload);
        break;
      case IFA_FLAGS:
        flags = found->value<std::uint32_t>().value_or(flags);
        break;
      case address_protocol:
        protocol = found->value<std::uint8_t>().value_or(0);
        break;
      default:
        break;
    }
  }
  // On a point-to-point link IFA_ADDRESS is the other end's.
  const auto own = local ? local : address;
  if (attributes.malformed() || !own || info->ifa_prefixlen > own->bits()) return std::nullopt;
  InterfaceAddress read;
  read.index = info->ifa_index;
  read.address = {*own, info->ifa_prefixlen};
  read.usable = info->ifa_scope == RT_SCOPE_UNIVERSE && (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) == 0;
  read.by_kernel = protocol == by_kernel_link_local || protocol == by_kernel_loopback;
  return read;
}

std::optional<KernelRoute> decode_route(ByteView body) {
  const auto info = read_fixed<rtmsg>(body);
  if (!info || (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)) return std::nullopt;
  if ((info->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  KernelRoute route;
  route.protocol = info->rtm_protocol;
  route.table = info->rtm_table;
  route.type = info->rtm_type == RTN_UNICAST       ? RouteType::unicast
               : info->rtm_type == RTN_UNREACHABLE ? RouteType::unreachable
                                                   : RouteType::other;
  Address destination;
  destination.family = info->rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
  auto attributes = attributes_after<rtmsg>(body);
  while (const auto found = attributes.next()) {
    switch (found->type) {
      case RTA_DST:
        if (found->payload.size() != destination.size()) return std::nullopt;
        std::copy(found->payload.begin(), found->payload.end(), destination.bytes.begin());
        break;
      case RTA_PRIORITY:
        route.metric = found->value<std::uint32_t>().value_or(0);
        break;
      case RTA_OIF:
        route.interface = found->value<std::uint32_t>().value_or(0);
        break;
      case RTA_TABLE:
        route.table = found->value<std::uint32_t>().value_or(0);
        break;
      default:
        break;
    }
  }
  if (attributes.malformed() || info->rtm_dst_len > destination.bits()) return std::nullopt;
  route.destination = Prefix::covering(destination, info->rtm_dst_len);
  return route;
}

std::vector<Address> usable_addresses(const std::vector<Link>& links, const std::vector<InterfaceAddress>& addresses,
                                      const std::vector<std::string>& tunnels) {
  std::set<std::uint32_t> candidates;
  for (const Link& link : links)
    if (link.up && !link.loopback && link.kind != "wireguard" && std::find(tunnels.begin(), tunnels.end(), link.name) == tunnels.end()) candidates.insert(link.index);
  std::set<Address> usable;
  for (const InterfaceAddress& one : addresses) {
    const Address& address = one.address.address;
    if (!candidates.contains(one.index) || !one.usable || address.is_loopback() || address.is_link_local() ||
        address.is_multicast() || address.is_unspecified())
      continue;
    usable.insert(address);
  }
  return {usable.begin(), usable.end()};
}

std::vector<Prefix> own_networks(const std::vector<Link>& links, const std::vector<InterfaceAddress>& addresses, const std::vector<std::string>& ours) {
  std::set<std::uint32_t> theirs;
  for (const Link& link : links)
    if (link.up && !link.loopback && std::find(ours.begin(), ours.end(), link.name) == ours.end()) theirs.insert(link.index);
  std::set<Prefix> networks;
  for (const InterfaceAddress& one : addresses) {
    const Address& address = one.address.address;
    if (!theirs.contains(one.index) || address.is_loopback() || address.is_link_local() || address.is_unspecified()) continue;
    networks.insert(Prefix::covering(address, one.address.length));
  }
  return {networks.begin(), networks.end()};
}

Message encode_get_link(const std::string& name) {
  auto message = link_message(RTM_GETLINK, NLM_F_ACK, {});
  message.put_text(IFLA_IFNAME, name);
  return message;
}

Message encode_dump_links() { return link_message(RTM_GETLINK, NLM_F_DUMP, {}); }

Message encode_dump_addresses() {
  Message message(RTM_GETADDR, NLM_F_DUMP);
  message.fixed(ifaddrmsg{});
  return message;
}

Message encode_dump_routes(Family family) {
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  rtmsg info{};
  info.rtm_family = family == Family::ipv4 ? AF_INET : AF_INET6;
  message.fixed(info);
  return message;
}

Message encode_create_link(const std::string& name, const char* kind) {
  auto message = link_message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, {});
  message.put_text(IFLA_IFNAME, name);
  const auto nest = message.begin(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, kind);
  message.end(nest);
  return message;
}

Message encode_delete_link(std::uint32_t index) { return link_message(RTM_DELLINK, NLM_F_ACK, about_link(index)); }

Message encode_set_mtu(std::uint32_t index, std::uint32_t mtu) {
  auto message = link_message(RTM_NEWLINK, NLM_F_ACK, about_link(index));
  message.put_u32(IFLA_MTU, mtu);
  return message;
}

Message encode_set_up(std::uint32_t index) {
  ifinfomsg info = about_link(index);
  info.ifi_flags = info.ifi_change = IFF_UP;
  return link_message(RTM_NEWLINK, NLM_F_ACK, info);
}

Message encode_no_link_local(std::uint32_t index) {
  auto message = link_message(RTM_NEWLINK, NLM_F_ACK, about_link(index));
  const auto families = message.begin(IFLA_AF_SPEC);
  const auto ipv6 = message.begin(AF_INET6);
  message.put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  message.end(ipv6);
  message.end(families);
  return message;
}

Message encode_add_address(std::uint32_t index, const Prefix& address) {
  return address_message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, index, address);
}

Message encode_remove_address(std::uint32_t index, const Prefix& address) {
  return address_message(RTM_DELADDR, NLM_F_ACK, index, address);
}

Message encode_add_route(const TunnelRoute& route, std::uint32_t index) {
  const bool bound = route.kind == RouteKind::through_tunnel;
  return route_message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, route, index,
                       bound ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
}

Message encode_remove_route(const TunnelRoute& route, std::uint32_t index) {
  return route_message(RTM_DELROUTE, NLM_F_ACK, route, index, RT_SCOPE_NOWHERE);
}

}  // namespace wigwag
