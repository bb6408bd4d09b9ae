#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "gossip/base/ip.hpp"
#include "gossip/base/rng.hpp"
#include "sim/world/event_queue.hpp"
#include "sim/world/latency.hpp"
#include "sim/world/nat.hpp"
#include "sim/world/packet.hpp"

namespace wigwag::sim {

struct AddressHash {
  std::size_t operator()(const Address& address) const {
    return static_cast<std::size_t>((load_be64(address.bytes.data()) ^ load_be64(address.bytes.data() + 8) * 0x9E3779B97F4A7C15U) * 0xD6E8FEB86659FD93U >> 16);
  }
};

// The network under the tunnels: hosts with addresses, some behind routers, and the weather between
// them. The weather of hosts that have their own counts at their end; where neither end has, the
// general one counts, once. Conservation at every instant: sent + duplicated = delivered + dropped +
// in flight.
class Underlay {
 public:
  using HostId = std::size_t;
  using RouterId = std::size_t;
  using Receiver = std::function<void(HostId, Packet&)>;
  using Sent = std::function<void(HostId, const Packet&)>;

  Underlay(EventQueue& events, std::uint64_t seed) : events_(events), rng_(seed) { set_weather({}); }
  void on_receive(Receiver receiver) { receiver_ = std::move(receiver); }
  void on_sent(Sent sent) { sent_ = std::move(sent); }

  HostId add_host(const Address& address, std::uint32_t region = 0);
  RouterId add_router(const NatKind& kind, const Address& outside);
  // Its inside address is the router's next.
  HostId add_host_behind(RouterId router, std::uint32_t region = 0);
  const Address& address(HostId host) const { return hosts_[host].address; }
  // Where the host is seen from outside.
  const Address& outside(HostId host) const;
  std::optional<RouterId> router(HostId host) const { return hosts_[host].router; }
  const NatKind& kind(RouterId router) const { return routers_[router].nat.kind(); }
  // Another address, in the open.
  void move(HostId host, const Address& address);
  // Behind another router.
  void move_behind(HostId host, RouterId router);
  void rebind(RouterId router) { routers_[router].nat.rebind(); }

  void send(HostId from, std::uint16_t from_port, const Endpoint& to, std::variant<Bytes, TunnelMessage> body);

  void set_weather(const Weather& weather);
  void set_weather_of(HostId host, const std::optional<Weather>& weather);
  // Both ways; rules over what any weather says.
  void set_region_latency(std::uint32_t a, std::uint32_t b, const Latency& latency);
  // A host whose cable is out neither sends nor receives.
  void set_cable(HostId host, bool in) { hosts_[host].cable = in; }
  bool cable(HostId host) const { return hosts_[host].cable; }
  // Hosts of different groups cannot reach each other; all start in group 0.
  void set_group(HostId host, int group) { hosts_[host].group = group; }
  int group(HostId host) const { return hosts_[host].group; }
  void set_one_way(HostId from, HostId to, bool cut);
  // Cables, groups and one-way cuts let datagrams pass that way; nothing is said of routers.
  bool passes(HostId from, HostId to) const;
  // And that they pass both ways, and that routers let the two meet by themselves.
  bool can_meet(HostId a, HostId b) const;

  struct Counts {
    std::uint64_t sent = 0, duplicated = 0, delivered = 0, dropped = 0, in_flight = 0;
    std::uint64_t bytes_sent = 0;
    bool operator==(const Counts&) const = default;
  };
  const Counts& counts() const { return counts_; }
  std::uint64_t bytes_sent(HostId host) const { return hosts_[host].bytes_sent; }

 private:
  struct Climate {
    Weather weather;
    LatencyDraw latency;
  };
  struct Host {
    Address address;
    std::optional<RouterId> router;
    std::uint32_t region = 0;
    bool cable = true;
    int group = 0;
    std::unique_ptr<Climate> own;
    std::uint64_t bytes_sent = 0;
    std::chrono::nanoseconds line_free{};     // when what waits for the uplink will have gone
    bool bad = false;                         // in a burst of loss
    Instant turns{};                          // when that changes
  };
  struct Router {
    Nat nat;
    Address outside;
    std::vector<HostId> inside;               // by the last byte of their address, from 2; none of those that moved away
  };
  struct Flight {
    HostId from = 0;
    Packet packet;
    std::optional<HostId> neighbour;          // behind one router: it never leaves it
  };
  static constexpr HostId nobody = SIZE_MAX;

  const Climate& climate(const Host& host) const { return host.own ? *host.own : general_; }
  bool chance(Ppm ppm) { return ppm != 0 && rng_.below(always_ppm) < ppm; }
  std::optional<HostId> neighbour(const Host& host, const Address& address) const;
  HostId receiver_of(const Packet& packet) const;
  bool lost_on_the_way(HostId from, HostId to);
  bool in_burst(Host& host);
  std::optional<Duration> wait_for_line(Host& sender, std::uint32_t size);
  Duration time_between(const Host& from, const Host& to);
  void set_out(Flight flight, Duration delay);
  void carry(HostId from, HostId towards, Packet packet, Duration wait, std::optional<HostId> neighbour);
  void arrive(std::uint32_t place);
  bool comes_in(Flight& flight, HostId& to);

  EventQueue& events_;
  Rng rng_;
  Receiver receiver_;
  Sent sent_;
  Climate general_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, LatencyDraw> region_latency_;
  std::vector<Host> hosts_;
  std::vector<Router> routers_;
  std::unordered_map<Address, HostId, AddressHash> host_at_;      // in the open
  std::unordered_map<Address, RouterId, AddressHash> router_at_;
  std::set<std::pair<HostId, HostId>> one_way_;
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
  Counts counts_;
};

}  // namespace wigwag::sim
