#include "netlink/tunnel_diff.hpp"

namespace wigwag {
namespace {

std::string list(const std::vector<Prefix>& prefixes) {
  std::string text;
  for (const Prefix& prefix : prefixes) text += (text.empty() ? "" : " ") + to_string(prefix);
  return text.empty() ? "none" : text;
}

std::string route_text(const TunnelRoute& route) {
  return (route.kind == RouteKind::unreachable ? "unreachable route " : "route ") + to_string(route.destination) + " metric " +
         std::to_string(route.metric);
}

struct Describe {
  std::string operator()(const CreateInterface&) const { return "create the interface"; }
  std::string operator()(const SetMtu& change) const { return "set MTU " + std::to_string(change.mtu); }
  std::string operator()(const SetPrivateKey&) const { return "set the private key"; }
  std::string operator()(const SetListenPort& change) const { return "set listen port " + std::to_string(change.port); }
  std::string operator()(const SetLinkUp&) const { return "set the interface up"; }
  std::string operator()(const RemoveInterface&) const { return "remove the interface"; }
  std::string operator()(const SetPeer& change) const {
    std::string details;
    const auto detail = [&details](const std::string& text) { details += (details.empty() ? "" : ", ") + text; };
    if (change.endpoint) detail("endpoint " + to_string(*change.endpoint));
    if (change.replace)
      detail("allowed exactly " + list(change.add));
    else if (!change.add.empty())
      detail("allow " + list(change.add));
    if (!change.remove.empty()) detail("no longer allow " + list(change.remove));
    if (change.keepalive) detail("keepalive " + std::to_string(change.keepalive->count()) + " s");
    return (change.create ? "add peer " : "change peer ") + to_base64(change.key) + (details.empty() ? "" : " (" + details + ")");
  }
  std::string operator()(const RemovePeer& change) const { return "remove peer " + to_base64(change.key); }
  std::string operator()(const AddAddress& change) const { return "add address " + to_string(change.address); }
  std::string operator()(const RemoveAddress& change) const { return "remove address " + to_string(change.address); }
  std::string operator()(const AddRoute& change) const { return "add " + route_text(change.route); }
  std::string operator()(const RemoveRoute& change) const { return "remove " + route_text(change.route); }
};

}  // namespace

std::string to_string(const TunnelChange& change) { return std::visit(Describe{}, change); }

std::string to_string(const TunnelConflict& conflict) {
  switch (conflict.kind) {
    case ConflictKind::allowed_ip_of_foreign_peer:
      return "allowed IP " + to_string(conflict.prefix) + " belongs to peer " + to_base64(conflict.key) +
             ", which wigwag did not configure: left there; remove it from that peer to let wigwag have it";
    case ConflictKind::foreign_route:
      return "a route to " + to_string(conflict.prefix) + " with metric " + std::to_string(conflict.metric) +
             " exists that wigwag did not make: left as it is; remove it or give it another metric";
    case ConflictKind::own_key_as_peer:
      return "peer " + to_base64(conflict.key) + " has this interface's own key: left out";
    case ConflictKind::allowed_ip_wanted_twice:
      return "allowed IP " + to_string(conflict.prefix) + " is wanted for two peers: peer " + to_base64(conflict.key) +
             " goes without it";
  }
  return "unknown conflict";
}

}  // namespace wigwag
