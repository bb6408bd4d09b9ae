#pragma once

#include <algorithm>
#include <string>

#include "netlink/tunnel_diff.hpp"

namespace wigwag::test {

// WireGuard and the route table as naively as they can be written: what every change
// does to an ActualTunnel, with the kernel's own traps (an allowed IP moves silently,
// the own key as a peer is silently ignored, nothing can be created twice).
struct ModelKernel {
  ActualTunnel state;
  TunnelKey own_key;  // what SetPrivateKey sets
  bool removes_allowed_ip = false;

  // Empty: accepted. Otherwise what the kernel would have refused.
  std::string apply(const TunnelChange& change) {
    return std::visit([this](const auto& one) { return make(one); }, change);
  }

  TunnelPeerState* peer(const TunnelKey& key) {
    for (TunnelPeerState& one : state.peers)
      if (one.key == key) return &one;
    return nullptr;
  }

 private:
  std::string make(const CreateInterface&) {
    if (state.exists) return "the interface exists";
    const auto routes = state.routes;  // bound to no interface
    state = ActualTunnel{};
    state.routes = routes;
    state.exists = true;
    state.mtu = 1420;
    return "";
  }
  std::string make(const SetMtu& change) { return state.mtu = change.mtu, need_interface(); }
  std::string make(const SetPrivateKey&) {
    state.public_key = own_key;
    std::erase_if(state.peers, [this](const TunnelPeerState& one) { return one.key == own_key; });
    return need_interface();
  }
  std::string make(const SetListenPort& change) { return state.listen_port = change.port, need_interface(); }
  std::string make(const SetLinkUp&) { return state.up = true, need_interface(); }
  std::string make(const RemoveInterface&) {
    std::erase_if(state.routes, [](const ActualRoute& one) { return one.target == RouteTarget::this_tunnel; });
    const auto routes = state.routes;
    state = ActualTunnel{};
    state.routes = routes;
    return "";
  }

  std::string make(const SetPeer& change) {
    if (!state.exists) return "no interface";
    if (change.key == state.public_key) return "";
    if (!change.remove.empty() && !removes_allowed_ip) return "EINVAL: this kernel cannot remove one allowed IP";
    if (!peer(change.key)) {
      if (!change.create) return "";
      state.peers.push_back({.key = change.key, .endpoint = {}, .allowed_ips = {}, .keepalive = {}});
    }
    TunnelPeerState& mine = *peer(change.key);
    if (change.endpoint) mine.endpoint = change.endpoint;
    if (change.replace) mine.allowed_ips.clear();
    for (const Prefix& prefix : change.add) {
      for (TunnelPeerState& other : state.peers) std::erase(other.allowed_ips, prefix);
      mine.allowed_ips.push_back(prefix);
    }
    for (const Prefix& prefix : change.remove) std::erase(mine.allowed_ips, prefix);
    if (change.keepalive) mine.keepalive = *change.keepalive;
    std::sort(mine.allowed_ips.begin(), mine.allowed_ips.end());
    return "";
  }
  std::string make(const RemovePeer& change) {
    std::erase_if(state.peers, [&](const TunnelPeerState& one) { return one.key == change.key; });
    return need_interface();
  }

  std::string make(const AddAddress& change) {
    if (std::count(state.addresses.begin(), state.addresses.end(), change.address)) return "EEXIST address";
    state.addresses.push_back(change.address);
    return need_interface();
  }
  std::string make(const RemoveAddress& change) {
    return std::erase(state.addresses, change.address) == 1 ? "" : "EADDRNOTAVAIL";
  }
  std::string make(const AddRoute& change) {
    for (const ActualRoute& one : state.routes)
      if (one.destination == change.route.destination && one.metric == change.route.metric) return "EEXIST route";
    if (change.route.kind == RouteKind::through_tunnel && !state.up) return "ENETDOWN";
    state.routes.push_back(as_actual(change.route));
    return "";
  }
  std::string make(const RemoveRoute& change) { return std::erase(state.routes, as_actual(change.route)) == 1 ? "" : "ESRCH"; }

  std::string need_interface() const { return state.exists ? "" : "no interface"; }

 public:
  static ActualRoute as_actual(const TunnelRoute& route) {
    return {route.destination, route.kind == RouteKind::unreachable ? RouteTarget::unreachable : RouteTarget::this_tunnel,
            route.metric, true};
  }
};

}  // namespace wigwag::test
