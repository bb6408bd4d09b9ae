#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/failure.hpp"
#include "gossip/base/bytes.hpp"
#include "gossip/base/ip.hpp"

namespace wigwag {

// A switch of the kernel's network configuration that this daemon has turned, and how it found it.
struct TurnedSwitch {
  std::string name;        // below /proc/sys/net: "ipv4/conf/eth1/forwarding"
  std::string before;      // what it said
  std::string now;         // what we wrote
  bool everywhere = false; // all of IPv4 was being forwarded then, and this one not
  bool operator==(const TurnedSwitch&) const = default;
};

// As stored. Decoding answers nullopt to anything malformed, and to names that are no such switch.
Bytes encode_turned(const std::vector<TurnedSwitch>& turned);
std::optional<std::vector<TurnedSwitch>> decode_turned(ByteView stored);

// An interface of this host and one of its addresses, with the length of its network.
struct HostNetwork {
  std::string interface;
  Prefix address;          // host bits kept
};
std::vector<HostNetwork> host_networks();

// Has the kernel pass packets on between the tunnel and the networks behind this node, interface by
// interface, as long as this node announces them. IPv6 cannot be told apart by interface before Linux
// 6.17: there it is switched on for all, and interfaces that take their routes from router advertisements
// are told to go on doing so.
//
// Level-triggered: want() is called again and again, and does what is missing. What was on before stays on; what we
// turned is on disk before it is turned, and put back by undo() or when it is not wanted any more.
class Forwarding {
 public:
  struct Calls {
    std::function<bool(const std::vector<TurnedSwitch>&)> persist;
    std::function<void(const std::string& kind, const std::string& detail, bool bad)> note;
  };
  // `root`: /proc/sys/net, but in tests. `turned`: what was last persisted.
  Forwarding(std::string root, std::vector<TurnedSwitch> turned, Calls calls);

  // `tunnels`: our own interfaces.
  void want(const std::vector<Prefix>& subnets, const std::vector<std::string>& tunnels, const std::vector<HostNetwork>& networks);
  // Puts everything back; what could not be is answered with, and stays noted.
  std::vector<std::string> undo();

  // What is wanted, and whether it is so.
  struct State {
    std::string name;
    bool on = false;
  };
  const std::vector<State>& states() const { return states_; }

 private:
  struct Wish {
    std::string name;
    std::string value;
  };
  std::vector<Wish> wishes(const std::vector<Prefix>& subnets, const std::vector<std::string>& tunnels, const std::vector<HostNetwork>& networks) const;
  void add_all_of_ipv6(std::vector<Wish>& wishes) const;
  bool turn(const Wish& wish);
  std::vector<std::string> put_back(const std::vector<Wish>& but);
  std::optional<std::string> read(const std::string& name) const;
  bool write(const std::string& name, const std::string& value) const;
  bool exists(const std::string& name) const;
  void complain(const std::string& text);

  std::string root_;
  std::vector<TurnedSwitch> turned_;  // in the order in which they were turned
  Calls calls_;
  std::vector<State> states_;
  std::string complaint_;             // said once
};

}  // namespace wigwag
