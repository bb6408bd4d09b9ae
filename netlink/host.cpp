#include "netlink/host.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "netlink/backend.hpp"
#include "netlink/limits.hpp"
#include "netlink/route_codec.hpp"
#include "netlink/socket.hpp"

namespace wigwag {
namespace {

using boost::asio::awaitable;
using Done = Result<void, NetError>;

bool fatal(const TunnelChange& change) {
  return std::holds_alternative<CreateInterface>(change) || std::holds_alternative<SetLinkUp>(change) ||
         std::holds_alternative<SetPrivateKey>(change);
}

Task<std::optional<Link>> find_link(NetlinkSocket& route, std::string name) {
  ListReader<Link> links(RTM_NEWLINK, decode_link, 1);
  const auto asked = co_await route.ask(encode_get_link(name), &links, "find interface " + name);
  if (!asked && asked.error().fault == NetFault::no_device) co_return std::optional<Link>{};
  if (!asked) co_return Unexpected{asked.error()};
  if (links.items.empty()) co_return std::optional<Link>{};
  co_return std::optional<Link>(links.items.front());
}

NetError foreign(const Link& link, const std::string& why) {
  return {NetFault::foreign_device, 0, "use interface " + link.name + ": it " + why};
}

// The whole of one interface, through one rtnetlink socket and one WireGuard backend.
class KernelHost : public TunnelHost {
 public:
  KernelHost(std::string interface, std::unique_ptr<NetlinkSocket> route, std::unique_ptr<WireguardBackend> backend)
      : interface_(std::move(interface)), route_(std::move(route)), backend_(std::move(backend)) {}

  const std::string& interface() const override { return interface_; }
  BackendKind backend() const override { return backend_->kind(); }
  bool removes_allowed_ip() const override { return removes_allowed_ip_.value_or(true); }

  Task<ActualTunnel> read(std::vector<TunnelRoute> places) override {
    ActualTunnel actual;
    const auto link = co_await find_link(*route_, interface_);
    if (!link) co_return Unexpected{link.error()};
    if (*link) {
      const Link& found = **link;
      if (found.kind != backend_->link_kind())
        co_return Unexpected{foreign(found, "is of kind '" + found.kind + "', not '" + backend_->link_kind() + "'")};
      auto state = co_await read_wireguard();
      if (!state) co_return Unexpected{state.error()};
      actual.exists = true;
      actual.index = found.index;
      actual.up = found.up;
      actual.mtu = found.mtu;
      actual.public_key = state->public_key;
      actual.listen_port = state->listen_port;
      actual.peers = std::move(state->peers);
      const auto addresses = co_await read_addresses(actual);
      if (!addresses) co_return Unexpected{addresses.error()};
    }
    std::sort(places.begin(), places.end(), [](const TunnelRoute& a, const TunnelRoute& b) {
      return std::pair(a.destination, a.metric) < std::pair(b.destination, b.metric);
    });
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      const auto routes = co_await read_routes(family, places, actual);
      if (!routes) co_return Unexpected{routes.error()};
    }
    co_return actual;
  }

  Task<std::vector<TunnelPeerState>> read_peers() override {
    auto state = co_await read_wireguard();
    if (!state) co_return Unexpected{state.error()};
    co_return std::move(state->peers);
  }

  awaitable<std::vector<NetError>> apply(std::vector<TunnelChange> changes, TunnelSecret key) override {
    std::vector<NetError> failures;
    const auto before = co_await find_link(*route_, interface_);
    if (!before) {
      failures.push_back(before.error());
      co_return failures;
    }
    link_ = *before;
    std::vector<PeerChange> peers;
    for (TunnelChange& change : changes) {
      if (auto* set = std::get_if<SetPeer>(&change)) {
        peers.emplace_back(std::move(*set));
        continue;
      }
      if (auto* remove = std::get_if<RemovePeer>(&change)) {
        peers.emplace_back(*remove);
        continue;
      }
      co_await apply_peers(std::exchange(peers, {}), failures);
      const auto done = co_await make(change, key);
      if (done) continue;
      failures.push_back(done.error());
      if (fatal(change)) co_return failures;
    }
    co_await apply_peers(std::move(peers), failures);
    co_return failures;
  }

 private:
  // A dump that has begun holds on to its interface. Were it removed by this same thread
  // meanwhile, the kernel would wait for the dump's end, and the dump for the thread.
  Task<WireguardState> read_wireguard() {
    const auto turn = co_await reading_.take();
    co_return co_await backend_->read(interface_);
  }

  Task<void> read_addresses(ActualTunnel& actual) {
    ListReader<InterfaceAddress> reader(
        RTM_NEWADDR, decode_address, netlink_limits::routes,
        [index = actual.index](const InterfaceAddress& one) { return one.index == index && !one.by_kernel; });
    const auto asked = co_await route_->ask(encode_dump_addresses(), &reader, "read the addresses of " + interface_);
    if (!asked) co_return asked;
    for (const InterfaceAddress& one : reader.items) actual.addresses.push_back(one.address);
    std::sort(actual.addresses.begin(), actual.addresses.end());
    co_return Done{};
  }

  Task<void> read_routes(Family family, const std::vector<TunnelRoute>& places, ActualTunnel& actual) {
    const auto in_place = [&places](const KernelRoute& route) {
      const auto at = std::pair(route.destination, route.metric);
      const auto found = std::lower_bound(places.begin(), places.end(), at, [](const TunnelRoute& place, const auto& sought) {
        return std::pair(place.destination, place.metric) < sought;
      });
      return found != places.end() && found->destination == route.destination && found->metric == route.metric;
    };
    const auto wanted = [&](const KernelRoute& route) {
      if (route.table == RT_TABLE_MAIN && (route.protocol == route_protocol || in_place(route))) return true;
      return actual.exists && route.interface == actual.index && route.protocol != RTPROT_KERNEL;
    };
    ListReader<KernelRoute> reader(RTM_NEWROUTE, decode_route, netlink_limits::routes, wanted);
    const auto asked = co_await route_->ask(encode_dump_routes(family), &reader, "read the routes");
    if (!asked) co_return asked;
    for (const KernelRoute& one : reader.items) {
      if (one.table != RT_TABLE_MAIN) {
        actual.other_routes = true;
        continue;
      }
      RouteTarget target = RouteTarget::elsewhere;
      if (one.type == RouteType::unreachable)
        target = RouteTarget::unreachable;
      else if (one.type == RouteType::unicast && actual.exists && one.interface == actual.index)
        target = RouteTarget::this_tunnel;
      actual.routes.push_back({one.destination, target, one.metric, one.protocol == route_protocol});
    }
    co_return Done{};
  }

  // One call for all; should it fail, one by one, so that a bad one does not keep the
  // others out.
  awaitable<void> apply_peers(std::vector<PeerChange> changes, std::vector<NetError>& failures) {
    if (changes.empty() || !co_await learn_removal(changes, failures)) co_return;
    const auto together = co_await backend_->set_peers(interface_, changes);
    if (together) co_return;
    if (changes.size() == 1 || together.error().fault == NetFault::no_device) {
      failures.push_back(together.error());
      co_return;
    }
    for (const PeerChange& change : changes) {
      std::vector<PeerChange> one{change};
      auto alone = co_await backend_->set_peers(interface_, std::move(one));
      if (alone) continue;
      NetError error = alone.error();
      error.what += " (" + std::visit([](const auto& peer) { return to_string(TunnelChange{peer}); }, change) + ")";
      failures.push_back(error);
    }
  }

  // Whether one prefix can be taken from a peer is found out with the first that has to
  // go, in a message of its own: where it cannot, nothing has changed, and the next
  // difference is taken with that knowledge.
  awaitable<bool> learn_removal(const std::vector<PeerChange>& changes, std::vector<NetError>& failures) {
    if (removes_allowed_ip_) co_return true;
    for (const PeerChange& change : changes) {
      const auto* set = std::get_if<SetPeer>(&change);
      if (!set || set->remove.empty()) continue;
      SetPeer probe;
      probe.key = set->key;
      probe.remove.push_back(set->remove.front());
      std::vector<PeerChange> one{probe};
      const auto done = co_await backend_->set_peers(interface_, std::move(one));
      if (done || done.error().code == EINVAL) removes_allowed_ip_ = done.has_value();
      if (done) co_return true;
      failures.push_back({NetFault::busy, 0, "remove a single allowed IP, which this WireGuard cannot"});
      co_return false;
    }
    co_return true;
  }

  std::uint32_t index() const { return link_ ? link_->index : 0; }

  Task<void> make(TunnelChange& change, const TunnelSecret& key) {
    const std::string what = to_string(change) + " on " + interface_;
    if (std::holds_alternative<CreateInterface>(change)) co_return co_await create();
    if (std::holds_alternative<RemoveInterface>(change)) co_return co_await remove();
    if (std::holds_alternative<SetPrivateKey>(change)) {
      std::optional<TunnelSecret> secret(key.duplicate());
      co_return co_await backend_->set_device(interface_, std::move(secret), std::nullopt);
    }
    if (const auto* set = std::get_if<SetListenPort>(&change))
      co_return co_await backend_->set_device(interface_, std::nullopt, set->port);
    if (std::holds_alternative<SetLinkUp>(change)) co_return co_await set_up();
    if (const auto* set = std::get_if<SetMtu>(&change)) co_return co_await tell(encode_set_mtu(index(), set->mtu), what);
    if (const auto* add = std::get_if<AddAddress>(&change))
      co_return co_await tell(encode_add_address(index(), add->address), what);
    if (const auto* old = std::get_if<RemoveAddress>(&change))
      co_return co_await tell(encode_remove_address(index(), old->address), what);
    if (const auto* add = std::get_if<AddRoute>(&change)) co_return co_await tell(encode_add_route(add->route, index()), what);
    if (const auto* old = std::get_if<RemoveRoute>(&change))
      co_return co_await tell(encode_remove_route(old->route, index()), what);
    co_return Done{};  // peers go through apply_peers
  }

  Task<void> tell(Message message, std::string what) {
    co_return co_await route_->ask(std::move(message), nullptr, std::move(what));
  }

  Task<void> create() {
    const auto created = co_await backend_->create(interface_);
    if (!created) co_return created;
    const auto link = co_await find_link(*route_, interface_);
    if (!link) co_return Unexpected{link.error()};
    if (!*link) co_return Unexpected{net_error(ENODEV, "find interface " + interface_ + ", just created,")};
    link_ = *link;
    // Without IPv6 in the kernel this is refused, and there is nothing to prevent.
    (void)co_await tell(encode_no_link_local(index()), "switch off link-local addresses on " + interface_);
    co_return Done{};
  }

  Task<void> remove() {
    if (!link_) co_return Done{};
    const auto turn = co_await reading_.take();
    const auto removed = co_await tell(encode_delete_link(index()), "remove interface " + interface_);
    if (!removed && removed.error().fault != NetFault::no_device) co_return removed;
    co_await backend_->removed(interface_);
    co_return Done{};
  }

  // The kernel opens the UDP port only now; wireguard-go had it when it was set.
  Task<void> set_up() {
    const auto up = co_await tell(encode_set_up(index()), "set interface " + interface_ + " up");
    if (up || up.error().fault != NetFault::port_in_use) co_return up;
    const auto state = co_await read_wireguard();
    NetError error = up.error();
    if (state) error.what += " on UDP port " + std::to_string(state->listen_port);
    co_return Unexpected{error};
  }

  std::string interface_;
  std::unique_ptr<NetlinkSocket> route_;
  std::unique_ptr<WireguardBackend> backend_;
  Turns reading_;
  std::optional<bool> removes_allowed_ip_;  // nullopt: not tried yet
  std::optional<Link> link_;                // as apply() found or made it
};

// The kernel's own rule for interface names, and no way out of the socket's directory.
bool valid_name(const std::string& name) {
  if (name.empty() || name.size() > 15 || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) { return c == '/' || c == ':' || c <= ' ' || c == 0x7f; });
}

// What an existing interface of our name leaves to choose.
Result<std::optional<BackendKind>, NetError> kind_from_link(const std::optional<Link>& link, bool answers, BackendChoice choice) {
  if (!link) return std::optional<BackendKind>{};
  const bool kernel = link->kind == "wireguard", userspace = link->kind == "tun" && answers;
  if (!kernel && !userspace)
    return Unexpected{foreign(*link, "exists and is no WireGuard interface, but of kind '" + link->kind + "'")};
  if (kernel && choice == BackendChoice::userspace)
    return Unexpected{foreign(*link, "exists in the kernel's WireGuard, but the backend is to be userspace")};
  if (userspace && choice == BackendChoice::kernel)
    return Unexpected{foreign(*link, "is run by wireguard-go, but the backend is to be kernel")};
  return std::optional<BackendKind>(kernel ? BackendKind::kernel : BackendKind::userspace);
}

}  // namespace

std::string to_string(BackendKind kind) { return kind == BackendKind::kernel ? "kernel" : "userspace"; }

Task<std::unique_ptr<TunnelHost>> open_tunnel_host(boost::asio::any_io_executor executor, std::string interface,
                                                   BackendChoice choice, PublicKeyOf public_key_of) {
  if (!valid_name(interface))
    co_return Unexpected{NetError{NetFault::refused, EINVAL, "use '" + interface + "' as an interface name"}};
  auto route = NetlinkSocket::open(executor, NETLINK_ROUTE);
  if (!route) co_return Unexpected{route.error()};
  auto generic = NetlinkSocket::open(executor, NETLINK_GENERIC);
  if (!generic) co_return Unexpected{generic.error()};
  const auto link = co_await find_link(**route, interface);
  if (!link) co_return Unexpected{link.error()};
  const bool answers = *link && (*link)->kind == "tun" && co_await userspace_answers(executor, interface);
  const auto existing = kind_from_link(*link, answers, choice);
  if (!existing) co_return Unexpected{existing.error()};

  auto kind = *existing;
  const bool in_kernel = co_await kernel_has_wireguard(**generic);
  if (!kind && choice != BackendChoice::userspace && in_kernel) kind = BackendKind::kernel;
  if (!kind && choice == BackendChoice::kernel)
    co_return Unexpected{NetError{NetFault::no_backend, 0, "use WireGuard in this kernel, which has none,"}};
  if (!kind && !wireguard_go_installed()) {
    const std::string what = choice == BackendChoice::userspace ? "use wireguard-go, which is not installed,"
                                                                : "find WireGuard in this kernel or wireguard-go";
    co_return Unexpected{NetError{NetFault::no_backend, 0, what}};
  }
  auto& socket = **route;
  auto backend = kind == BackendKind::kernel ? make_kernel_backend(std::move(*generic), socket)
                                             : make_userspace_backend(executor, public_key_of);
  co_return std::unique_ptr<TunnelHost>(
      std::make_unique<KernelHost>(std::move(interface), std::move(*route), std::move(backend)));
}

}  // namespace wigwag
