#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gossip/base/secret.hpp"
#include "netlink/message.hpp"
#include "netlink/tunnel_diff.hpp"

// WireGuard's generic-netlink messages, as bytes. Pure.
namespace wigwag {

// What a WireGuard interface says of itself.
struct WireguardState {
  std::optional<TunnelKey> public_key;  // nullopt: no private key set
  std::uint16_t listen_port = 0;
  std::vector<TunnelPeerState> peers;  // sorted by key
};

using PeerChange = std::variant<SetPeer, RemovePeer>;

Message encode_get_device(std::uint16_t family, const std::string& interface);
// Sets what is given and leaves the rest.
Message encode_set_device(std::uint16_t family, const std::string& interface, const TunnelSecret* key,
                          std::optional<std::uint16_t> port);
// Split so that no message is longer than the limit: a peer too long for one goes on in
// the next, without the flags that would undo its first part.
std::vector<Message> encode_set_peers(std::uint16_t family, const std::string& interface, const std::vector<PeerChange>& changes);

// Puts a dump together again: a peer cut off at the end of one message continues in the
// next under the same key. The private key in it is not looked at.
class WireguardDumpReader : public AnswerReader {
 public:
  explicit WireguardDumpReader(std::uint16_t family) : family_(family) {}
  void restart() override;
  bool read(std::uint16_t type, ByteView body) override;
  WireguardState take();

 private:
  bool read_peer(ByteView peer);
  bool read_allowed_ips(ByteView list, TunnelPeerState& peer);

  std::uint16_t family_;
  WireguardState state_;
  std::size_t allowed_ips_ = 0;
};

// The number under which the kernel has registered a generic-netlink family.
Message encode_get_family(const char* name);
class FamilyReader : public AnswerReader {
 public:
  void restart() override { id_.reset(); }
  bool read(std::uint16_t type, ByteView body) override;
  std::optional<std::uint16_t> id() const { return id_; }

 private:
  std::optional<std::uint16_t> id_;
};

}  // namespace wigwag
