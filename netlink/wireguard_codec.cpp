#include "netlink/wireguard_codec.hpp"

#include <linux/genetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "netlink/limits.hpp"
#include "netlink/wireguard_uapi.hpp"

namespace wigwag {
namespace {

template <class Struct>
ByteView bytes_of(const Struct& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

Message wireguard_message(std::uint16_t family, std::uint8_t command, std::uint16_t flags, const std::string& interface,
                          std::size_t room) {
  Message message(family, flags, room);
  message.fixed(genlmsghdr{command, wg::family_version, 0});
  message.put_text(wg::device_ifname, interface);
  return message;
}

void put_endpoint(Message& message, const Endpoint& endpoint) {
  if (endpoint.address.family == Family::ipv4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(endpoint.port);
    std::memcpy(&to.sin_addr, endpoint.address.bytes.data(), 4);
    message.put(wg::peer_endpoint, bytes_of(to));
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(endpoint.port);
    std::memcpy(&to.sin6_addr, endpoint.address.bytes.data(), 16);
    message.put(wg::peer_endpoint, bytes_of(to));
  }
}

std::optional<Endpoint> read_endpoint(ByteView payload) {
  const auto family = read_fixed<sa_family_t>(payload);
  if (family == AF_INET) {
    const auto from = read_fixed<sockaddr_in>(payload);
    if (!from || from->sin_port == 0) return std::nullopt;
    return Endpoint{*Address::from_bytes(bytes_of(from->sin_addr)), ntohs(from->sin_port)};
  }
  if (family == AF_INET6) {
    const auto from = read_fixed<sockaddr_in6>(payload);
    if (!from || from->sin6_port == 0) return std::nullopt;
    return Endpoint{*Address::from_bytes(bytes_of(from->sin6_addr)), ntohs(from->sin6_port)};
  }
  return std::nullopt;
}

void put_allowed_ip(Message& message, const Prefix& prefix, bool remove) {
  const auto nest = message.begin(0);
  message.put_u16(wg::allowed_ip_family, prefix.address.family == Family::ipv4 ? AF_INET : AF_INET6);
  message.put(wg::allowed_ip_address, prefix.address.view());
  message.put_u8(wg::allowed_ip_length, prefix.length);
  if (remove) message.put_u32(wg::allowed_ip_flags, wg::allowed_ip_f_remove_me);
  message.end(nest);
}

// The longest things that are put whole: a peer without its allowed IPs, and one of those.
constexpr std::size_t peer_room = 128;
constexpr std::size_t allowed_ip_room = 64;

// Writes peers into as many messages as it takes.
class PeerWriter {
 public:
  PeerWriter(std::uint16_t family, const std::string& interface) : family_(family), interface_(interface) {}

  void write(const RemovePeer& change) {
    need(peer_room);
    open_peer(change.key, wg::peer_f_remove_me | wg::peer_f_update_only);
    close_peer();
  }

  void write(const SetPeer& change) {
    need(peer_room);
    open_peer(change.key, (change.create ? 0u : wg::peer_f_update_only) | (change.replace ? wg::peer_f_replace_allowed_ips : 0u));
    if (change.endpoint) put_endpoint(*message_, *change.endpoint);
    if (change.keepalive)
      message_->put_u16(wg::peer_keepalive,
                        static_cast<std::uint16_t>(std::clamp<std::int64_t>(change.keepalive->count(), 0, UINT16_MAX)));
    for (const Prefix& prefix : change.add) write(change.key, prefix, false);
    for (const Prefix& prefix : change.remove) write(change.key, prefix, true);
    close_peer();
  }

  std::vector<Message> take() {
    finish();
    return std::move(done_);
  }

 private:
  void write(const TunnelKey& key, const Prefix& prefix, bool remove) {
    if (message_->size() + allowed_ip_room > netlink_limits::message_bytes) {
      close_peer();
      finish();
      need(peer_room);
      open_peer(key, wg::peer_f_update_only);
    }
    if (!list_) list_ = message_->begin(wg::peer_allowed_ips);
    put_allowed_ip(*message_, prefix, remove);
  }

  void need(std::size_t room) {
    if (message_ && message_->size() + room > netlink_limits::message_bytes) finish();
    if (message_) return;
    message_.emplace(wireguard_message(family_, wg::cmd_set_device, NLM_F_ACK, interface_, netlink_limits::message_bytes));
    peers_ = message_->begin(wg::device_peers);
  }
  void open_peer(const TunnelKey& key, std::uint32_t flags) {
    peer_ = message_->begin(0);
    message_->put(wg::peer_public_key, key.view());
    if (flags != 0) message_->put_u32(wg::peer_flags, flags);
  }
  void close_peer() {
    if (list_) message_->end(*list_);
    list_.reset();
    message_->end(peer_);
  }
  void finish() {
    if (!message_) return;
    message_->end(peers_);
    done_.push_back(std::move(*message_));
    message_.reset();
  }

  std::uint16_t family_;
  const std::string& interface_;
  std::vector<Message> done_;
  std::optional<Message> message_;
  std::optional<std::size_t> list_;
  std::size_t peers_ = 0, peer_ = 0;
};

struct Timespec64 {
  std::int64_t seconds, nanoseconds;
};

}  // namespace

Message encode_get_device(std::uint16_t family, const std::string& interface) {
  return wireguard_message(family, wg::cmd_get_device, NLM_F_DUMP, interface, 256);
}

Message encode_set_device(std::uint16_t family, const std::string& interface, const TunnelSecret* key,
                          std::optional<std::uint16_t> port) {
  Message message = wireguard_message(family, wg::cmd_set_device, NLM_F_ACK, interface, 256);
  if (key) message.put(wg::device_private_key, key->open());
  if (port) message.put_u16(wg::device_listen_port, *port);
  return message;
}

std::vector<Message> encode_set_peers(std::uint16_t family, const std::string& interface,
                                      const std::vector<PeerChange>& changes) {
  PeerWriter writer(family, interface);
  for (const PeerChange& change : changes) std::visit([&writer](const auto& one) { writer.write(one); }, change);
  return writer.take();
}

void WireguardDumpReader::restart() {
  state_ = {};
  allowed_ips_ = 0;
}

bool WireguardDumpReader::read(std::uint16_t type, ByteView body) {
  if (type != family_ || body.size() < sizeof(genlmsghdr)) return false;
  auto attributes = attributes_after<genlmsghdr>(body);
  while (const auto found = attributes.next()) {
    switch (found->type) {
      case wg::device_public_key:
        state_.public_key = TunnelKey::from(found->payload);
        break;
      case wg::device_listen_port:
        state_.listen_port = found->value<std::uint16_t>().value_or(0);
        break;
      case wg::device_peers: {
        AttributeReader peers(found->payload);
        while (const auto peer = peers.next())
          if (!read_peer(peer->payload)) return false;
        if (peers.malformed()) return false;
        break;
      }
      default:
        break;
    }
  }
  return !attributes.malformed();
}

bool WireguardDumpReader::read_peer(ByteView peer) {
  TunnelPeerState fresh;
  std::optional<ByteView> list;
  bool keyed = false;
  AttributeReader attributes(peer);
  while (const auto found = attributes.next()) {
    switch (found->type) {
      case wg::peer_public_key:
        if (const auto key = TunnelKey::from(found->payload)) fresh.key = *key, keyed = true;
        break;
      case wg::peer_endpoint:
        fresh.endpoint = read_endpoint(found->payload);
        break;
      case wg::peer_keepalive:
        fresh.keepalive = std::chrono::seconds{found->value<std::uint16_t>().value_or(0)};
        break;
      case wg::peer_last_handshake:
        if (const auto when = found->value<Timespec64>()) fresh.last_handshake_unix_s = when->seconds;
        break;
      case wg::peer_rx_bytes:
        fresh.rx_bytes = found->value<std::uint64_t>().value_or(0);
        break;
      case wg::peer_tx_bytes:
        fresh.tx_bytes = found->value<std::uint64_t>().value_or(0);
        break;
      case wg::peer_allowed_ips:
        list = found->payload;
        break;
      default:
        break;
    }
  }
  if (attributes.malformed() || !keyed) return false;
  if (state_.peers.empty() || state_.peers.back().key != fresh.key) {
    if (state_.peers.size() == netlink_limits::peers) return false;
    state_.peers.push_back(std::move(fresh));
  }
  return !list || read_allowed_ips(*list, state_.peers.back());
}

bool WireguardDumpReader::read_allowed_ips(ByteView list, TunnelPeerState& peer) {
  AttributeReader entries(list);
  while (const auto entry = entries.next()) {
    std::optional<Address> address;
    std::optional<std::uint8_t> length;
    std::optional<std::uint16_t> family;
    AttributeReader attributes(entry->payload);
    while (const auto found = attributes.next()) {
      if (found->type == wg::allowed_ip_family) family = found->value<std::uint16_t>();
      if (found->type == wg::allowed_ip_address) address = Address::from_bytes(found->payload);
      if (found->type == wg::allowed_ip_length) length = found->value<std::uint8_t>();
    }
    if (attributes.malformed() || !address || !length) return false;
    // A v4-mapped prefix has no value of its own here; we never write one, so it is foreign.
    if (family == AF_INET6 && address->family == Family::ipv4) continue;
    if (*length > address->bits()) return false;
    if (++allowed_ips_ > netlink_limits::allowed_ips) return false;
    peer.allowed_ips.push_back(Prefix::covering(*address, *length));
  }
  return !entries.malformed();
}

WireguardState WireguardDumpReader::take() {
  for (TunnelPeerState& peer : state_.peers) std::sort(peer.allowed_ips.begin(), peer.allowed_ips.end());
  std::sort(state_.peers.begin(), state_.peers.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return std::exchange(state_, {});
}

Message encode_get_family(const char* name) {
  Message message(GENL_ID_CTRL, NLM_F_ACK);
  message.fixed(genlmsghdr{CTRL_CMD_GETFAMILY, 1, 0});
  message.put_text(CTRL_ATTR_FAMILY_NAME, name);
  return message;
}

bool FamilyReader::read(std::uint16_t type, ByteView body) {
  if (type != GENL_ID_CTRL || body.size() < sizeof(genlmsghdr)) return false;
  auto attributes = attributes_after<genlmsghdr>(body);
  while (const auto found = attributes.next())
    if (found->type == CTRL_ATTR_FAMILY_ID) id_ = found->value<std::uint16_t>();
  return !attributes.malformed();
}

}  // namespace wigwag
