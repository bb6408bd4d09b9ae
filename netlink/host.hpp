#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gossip/base/secret.hpp"
#include "gossip/base/tunnel.hpp"
#include "netlink/task.hpp"
#include "netlink/tunnel_diff.hpp"

namespace wigwag {

enum class BackendChoice : std::uint8_t { automatic, kernel, userspace };
enum class BackendKind : std::uint8_t { kernel, userspace };
std::string to_string(BackendKind kind);

// Curve25519 base-point multiplication, handed in because only the trust folder knows
// libsodium. wireguard-go tells an interface's private key but not its public one.
using PublicKeyOf = TunnelKey (*)(const TunnelSecret&);

// One WireGuard interface of this machine, in this network namespace: the narrow edge
// between reconciler and kernel. Calls may overlap: each waits for its turn.
class TunnelHost {
 public:
  virtual ~TunnelHost() = default;

  virtual const std::string& interface() const = 0;
  virtual BackendKind backend() const = 0;
  virtual bool removes_allowed_ip() const = 0;

  // The whole state. `places` are the routes whose place matters even if foreign.
  // An interface of our name that is no WireGuard interface is the error foreign_device.
  virtual Task<ActualTunnel> read(std::vector<TunnelRoute> places) = 0;
  // The peers only: cheap enough to be asked for four times a second.
  virtual Task<std::vector<TunnelPeerState>> read_peers() = 0;
  // Makes the changes in order. A change to the interface itself that fails ends the
  // call; any other failure is noted and the rest goes on. Empty: all were accepted,
  // which is not proof: read again.
  virtual boost::asio::awaitable<std::vector<NetError>> apply(std::vector<TunnelChange> changes, TunnelSecret key) = 0;
};

// Finds out what the machine has: an existing interface of that name decides, then the
// kernel module, then wireguard-go. The error says what to install.
Task<std::unique_ptr<TunnelHost>> open_tunnel_host(boost::asio::any_io_executor executor, std::string interface,
                                                   BackendChoice choice, PublicKeyOf public_key_of);

}  // namespace wigwag
