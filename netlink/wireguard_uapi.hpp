#pragma once

#include <cstdint>

// The numbers of WireGuard's generic-netlink family, version 1. Our own list, because
// the headers of Debian 12 do not know all of them.
namespace wigwag::wg {

inline constexpr const char* family_name = "wireguard";
inline constexpr std::uint8_t family_version = 1;

enum Command : std::uint8_t { cmd_get_device = 0, cmd_set_device = 1 };

enum DeviceAttribute : std::uint16_t {
  device_ifindex = 1,
  device_ifname = 2,
  device_private_key = 3,
  device_public_key = 4,
  device_flags = 5,
  device_listen_port = 6,
  device_fwmark = 7,
  device_peers = 8,
};

enum PeerAttribute : std::uint16_t {
  peer_public_key = 1,
  peer_preshared_key = 2,
  peer_flags = 3,
  peer_endpoint = 4,
  peer_keepalive = 5,
  peer_last_handshake = 6,
  peer_rx_bytes = 7,
  peer_tx_bytes = 8,
  peer_allowed_ips = 9,
};

enum PeerFlag : std::uint32_t { peer_f_remove_me = 1, peer_f_replace_allowed_ips = 2, peer_f_update_only = 4 };

enum AllowedIpAttribute : std::uint16_t {
  allowed_ip_family = 1,
  allowed_ip_address = 2,
  allowed_ip_length = 3,
  allowed_ip_flags = 4,  // since Linux 6.16
};

enum AllowedIpFlag : std::uint32_t { allowed_ip_f_remove_me = 1 };

}  // namespace wigwag::wg
