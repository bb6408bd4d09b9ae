#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/rng.hpp"
#include "sim/world/event_queue.hpp"

namespace wigwag::sim {

// A UDP datagram on the simulated internet.
struct Packet {
  Endpoint from;
  Endpoint to;
  Bytes bytes;
};

// How packets travel between any two hosts.
struct Weather {
  Duration latency_least = milliseconds(5);    // one way, uniform
  Duration latency_most = milliseconds(45);
  std::uint32_t loss_permille = 0;
  std::uint32_t duplication_permille = 0;
};

// The network under the tunnels: hosts with addresses, some behind a masquerading router,
// with latency, loss, cuts and partitions. Conservation: sent + duplicated = delivered +
// dropped + in flight.
class Underlay {
 public:
  using Receiver = std::function<void(const Packet&)>;
  using HostId = std::size_t;

  Underlay(EventQueue& events, std::uint64_t seed) : events_(events), rng_(seed) {}

  HostId add_host(const Address& address, Receiver receiver);
  // Behind a router of its own at `outside`: its ports are kept (a full cone would answer
  // anybody; this one passes only answers, per address and port).
  HostId add_host_behind_nat(const Address& inside, const Address& outside, Receiver receiver);
  void set_address(HostId host, const Address& address);
  const Address& address(HostId host) const { return hosts_[host].address; }

  void send(HostId from, std::uint16_t from_port, const Endpoint& to, Bytes bytes);

  void set_weather(const Weather& weather) { weather_ = weather; }
  // A host whose cable is out neither sends nor receives.
  void set_cable(HostId host, bool in) { hosts_[host].cable = in; }
  // Hosts of different groups cannot reach each other; all start in group 0.
  void set_group(HostId host, int group) { hosts_[host].group = group; }

  struct Counts {
    std::uint64_t sent = 0, duplicated = 0, delivered = 0, dropped = 0, in_flight = 0;
    std::uint64_t bytes_sent = 0;
  };
  const Counts& counts() const { return counts_; }
  std::uint64_t bytes_sent(HostId host) const { return hosts_[host].bytes_sent; }

 private:
  struct Host {
    Address address;
    std::optional<Address> outside;              // the router's, when behind one
    std::set<std::pair<std::uint16_t, Endpoint>> allowed;  // (own port, remote) that may answer
    Receiver receiver;
    bool cable = true;
    int group = 0;
    std::uint64_t bytes_sent = 0;
  };
  std::optional<HostId> owner(const Address& address) const;
  void carry(HostId from, HostId to, Packet packet);

  EventQueue& events_;
  Rng rng_;
  Weather weather_;
  std::vector<Host> hosts_;
  std::map<Address, HostId> by_address_;
  Counts counts_;
};

}  // namespace wigwag::sim
