#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/secret.hpp"
#include "netlink/host.hpp"
#include "netlink/socket.hpp"
#include "netlink/wireguard_codec.hpp"

namespace wigwag {

// WireGuard itself, wherever it runs: what cannot be said through rtnetlink. Calls take
// turns by themselves.
class WireguardBackend {
 public:
  virtual ~WireguardBackend() = default;

  virtual BackendKind kind() const = 0;
  // The kind of link that the interface is (IFLA_INFO_KIND).
  virtual const char* link_kind() const = 0;
  // Makes the interface; it is down and has no key.
  virtual Task<void> create(std::string interface) = 0;
  // What is left to do once the link is gone.
  virtual boost::asio::awaitable<void> removed(std::string interface) = 0;

  virtual Task<WireguardState> read(std::string interface) = 0;
  virtual Task<void> set_device(std::string interface, std::optional<TunnelSecret> key, std::optional<std::uint16_t> port) = 0;
  virtual Task<void> set_peers(std::string interface, std::vector<PeerChange> changes) = 0;
};

std::unique_ptr<WireguardBackend> make_kernel_backend(std::unique_ptr<NetlinkSocket> generic, NetlinkSocket& route);
// True when the kernel has WireGuard or could load it.
boost::asio::awaitable<bool> kernel_has_wireguard(NetlinkSocket& generic);

std::unique_ptr<WireguardBackend> make_userspace_backend(boost::asio::any_io_executor executor, PublicKeyOf public_key_of);
bool wireguard_go_installed();
// wireguard-go answers for this interface.
boost::asio::awaitable<bool> userspace_answers(boost::asio::any_io_executor executor, std::string interface);

}  // namespace wigwag
