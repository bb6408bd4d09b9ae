#include "sim/world/underlay.hpp"

#include <algorithm>

namespace wigwag::sim {
namespace {

constexpr Duration across_a_room = microseconds(300);
constexpr std::uint32_t first_inside = 0xC0A80000U;  // 192.168.0.0/16, as everybody's
constexpr int turns_caught_up = 256;                 // of a link's good and bad times, after a long silence

}  // namespace

Underlay::HostId Underlay::add_host(const Address& address, std::uint32_t region) {
  hosts_.emplace_back();
  hosts_.back().region = region;
  hosts_.back().address = address;
  host_at_[address] = hosts_.size() - 1;
  return hosts_.size() - 1;
}

Underlay::RouterId Underlay::add_router(const NatKind& kind, const Address& outside) {
  routers_.push_back({Nat(kind, rng_.next()), outside, {}});
  router_at_[outside] = routers_.size() - 1;
  return routers_.size() - 1;
}

Underlay::HostId Underlay::add_host_behind(RouterId router, std::uint32_t region) {
  hosts_.emplace_back();
  hosts_.back().region = region;
  move_behind(hosts_.size() - 1, router);
  return hosts_.size() - 1;
}

const Address& Underlay::outside(HostId host) const {
  return hosts_[host].router ? routers_[*hosts_[host].router].outside : hosts_[host].address;
}

void Underlay::move(HostId host, const Address& address) {
  Host& moved = hosts_[host];
  if (moved.router) std::replace(routers_[*moved.router].inside.begin(), routers_[*moved.router].inside.end(), host, nobody);
  else host_at_.erase(moved.address);
  moved.router.reset();
  moved.address = address;
  host_at_[address] = host;
}

void Underlay::move_behind(HostId host, RouterId router) {
  Host& moved = hosts_[host];
  if (moved.router) std::replace(routers_[*moved.router].inside.begin(), routers_[*moved.router].inside.end(), host, nobody);
  else if (const auto open = host_at_.find(moved.address); open != host_at_.end() && open->second == host) host_at_.erase(open);
  moved.router = router;
  auto& inside = routers_[router].inside;
  inside.push_back(host);
  moved.address = Address::ipv4(first_inside + 1 + static_cast<std::uint32_t>(inside.size()));
}

void Underlay::set_weather(const Weather& weather) { general_ = {weather, LatencyDraw(weather.latency)}; }

void Underlay::set_weather_of(HostId host, const std::optional<Weather>& weather) {
  hosts_[host].own = weather ? std::make_unique<Climate>(Climate{*weather, LatencyDraw(weather->latency)}) : nullptr;
  hosts_[host].bad = false;
  hosts_[host].turns = {};
}

void Underlay::set_region_latency(std::uint32_t a, std::uint32_t b, const Latency& latency) {
  region_latency_.insert_or_assign(std::minmax(a, b), LatencyDraw(latency));
}

void Underlay::set_one_way(HostId from, HostId to, bool cut) {
  if (cut) one_way_.emplace(from, to);
  else one_way_.erase({from, to});
}

bool Underlay::passes(HostId from, HostId to) const {
  const Host &a = hosts_[from], &b = hosts_[to];
  return a.cable && b.cable && a.group == b.group && (one_way_.empty() || !one_way_.contains({from, to}));
}

bool Underlay::can_meet(HostId a, HostId b) const {
  if (!passes(a, b) || !passes(b, a)) return false;
  const auto one = hosts_[a].router, other = hosts_[b].router;
  if (one && one == other) return true;
  return let_meet(one ? &routers_[*one].nat.kind() : nullptr, other ? &routers_[*other].nat.kind() : nullptr);
}

void Underlay::send(HostId from, std::uint16_t from_port, const Endpoint& to, std::variant<Bytes, TunnelMessage> body) {
  Host& sender = hosts_[from];
  Packet packet{{sender.address, from_port}, to, std::move(body), ip_and_udp_bytes(to.address.family)};
  if (const auto* message = std::get_if<TunnelMessage>(&packet.body)) packet.size += wire_bytes(*message);
  else packet.size += static_cast<std::uint32_t>(std::get<Bytes>(packet.body).size());
  ++counts_.sent;
  counts_.bytes_sent += packet.size;
  sender.bytes_sent += packet.size;
  if (sent_) sent_(from, packet);

  const auto wait = sender.cable ? wait_for_line(sender, packet.size) : std::nullopt;
  const auto close = neighbour(sender, to.address);
  HostId towards = close.value_or(nobody);
  bool goes = wait.has_value();
  if (goes && sender.router && !close) {
    Router& router = routers_[*sender.router];
    const auto port = router.nat.outgoing(events_.now(), {from, from_port}, to);
    packet.from = {router.outside, port.value_or(0)};
    goes = port && (to.address != router.outside || router.nat.kind().hairpin);
  }
  if (goes && !close) towards = receiver_of(packet);
  if (!goes || towards == nobody || lost_on_the_way(from, towards)) {
    ++counts_.dropped;
    return;
  }
  const Climate& weather = climate(sender);
  if (weather.weather.mtu != 0 && packet.size > weather.weather.mtu) {
    ++counts_.dropped;
    return;
  }
  if (chance(weather.weather.duplication)) {
    ++counts_.duplicated;
    carry(from, towards, packet, *wait, close);
  }
  carry(from, towards, std::move(packet), *wait, close);
}

std::optional<Underlay::HostId> Underlay::neighbour(const Host& host, const Address& address) const {
  if (!host.router || address.family != Family::ipv4 || address.bytes[0] != 192 || address.bytes[1] != 168) return std::nullopt;
  const auto& inside = routers_[*host.router].inside;
  const std::uint32_t number = address.ipv4_number() - first_inside - 2;
  return number < inside.size() ? inside[number] : nobody;
}

// Who gets it, as things stand now; where a router is in between, who it lets it in to is its word when
// it comes, and till then any of its hosts tells how far away it is.
Underlay::HostId Underlay::receiver_of(const Packet& packet) const {
  const auto open = host_at_.find(packet.to.address);
  if (open != host_at_.end()) return open->second;
  const auto router = router_at_.find(packet.to.address);
  if (router == router_at_.end()) return nobody;
  const auto inside = routers_[router->second].nat.incoming(events_.now(), packet.to.port, packet.from);
  if (inside) return inside->host;
  for (const HostId host : routers_[router->second].inside) {
    if (host != nobody) return host;
  }
  return nobody;
}

bool Underlay::lost_on_the_way(HostId from, HostId to) {
  Host &sender = hosts_[from], &receiver = hosts_[to];
  const auto& weather = climate(sender).weather;
  const bool two = sender.own != nullptr || receiver.own != nullptr;
  // All chances are taken, so that one kind of weather does not shift what another draws.
  bool lost = false;
  if (!two || sender.own) lost = chance(weather.loss);
  if (receiver.own) lost = chance(receiver.own->weather.loss) || lost;
  if (weather.bursts.loss != 0 && in_burst(sender)) lost = chance(weather.bursts.loss) || lost;
  const auto& theirs = climate(receiver).weather;
  if (theirs.bursts.loss != 0 && in_burst(receiver)) lost = chance(theirs.bursts.loss) || lost;
  return lost;
}

bool Underlay::in_burst(Host& host) {
  const auto& bursts = climate(host).weather.bursts;
  const Instant now = events_.now();
  const auto lasts = [&] { return microseconds(1) + rng_.below((host.bad ? bursts.lasting : bursts.between) * 2); };
  if (host.turns == Instant{}) host.turns = now + lasts();
  for (int turn = 0; now >= host.turns; ++turn) {
    if (turn == turns_caught_up) host.turns = now;
    host.bad = !host.bad;
    host.turns += lasts();
  }
  return host.bad;
}

std::optional<Duration> Underlay::wait_for_line(Host& sender, std::uint32_t size) {
  const auto& weather = climate(sender).weather;
  if (weather.bandwidth == 0) return Duration{};
  using Nanoseconds = std::chrono::nanoseconds;
  const Nanoseconds now = events_.now().time_since_epoch();
  const Nanoseconds starts = std::max(sender.line_free, now);
  if (starts - now > weather.queue) return std::nullopt;
  sender.line_free = starts + Nanoseconds(static_cast<std::int64_t>(std::uint64_t{size} * 1'000'000'000U / weather.bandwidth));
  return std::chrono::ceil<Duration>(sender.line_free - now);
}

Duration Underlay::time_between(const Host& from, const Host& to) {
  if (!region_latency_.empty()) {
    const auto known = region_latency_.find(std::minmax(from.region, to.region));
    if (known != region_latency_.end()) return known->second.draw(rng_);
  }
  if (from.own && to.own) {
    // One after the other: which argument of a call is drawn first is the compiler's choice.
    const Duration arriving = to.own->latency.draw(rng_);
    return std::max(from.own->latency.draw(rng_), arriving);
  }
  if (to.own) return to.own->latency.draw(rng_);
  return climate(from).latency.draw(rng_);
}

void Underlay::carry(HostId from, HostId towards, Packet packet, Duration wait, std::optional<HostId> neighbour) {
  const Host &sender = hosts_[from], &receiver = hosts_[towards];
  Duration delay = wait + (sender.router && sender.router == receiver.router ? across_a_room : time_between(sender, receiver));
  for (const Host* end : {&sender, &receiver}) {
    if (end == &receiver && !end->own) continue;
    const auto& weather = climate(*end).weather;
    if (chance(weather.reordering)) delay += rng_.below(weather.reordered_by);
  }
  set_out({from, std::move(packet), neighbour}, delay);
}

void Underlay::set_out(Flight flight, Duration delay) {
  ++counts_.in_flight;
  std::uint32_t place = 0;
  if (free_flights_.empty()) {
    place = static_cast<std::uint32_t>(flights_.size());
    flights_.push_back(std::move(flight));
  } else {
    place = free_flights_.back();
    free_flights_.pop_back();
    flights_[place] = std::move(flight);
  }
  events_.after(delay, [this, place] { arrive(place); });
}

void Underlay::arrive(std::uint32_t place) {
  Flight flight = std::move(flights_[place]);
  free_flights_.push_back(place);
  --counts_.in_flight;
  HostId to = nobody;
  if (!comes_in(flight, to)) {
    ++counts_.dropped;
    return;
  }
  ++counts_.delivered;
  receiver_(to, flight.packet);
}

// Where it came to may have changed while it was under way.
bool Underlay::comes_in(Flight& flight, HostId& to) {
  Packet& packet = flight.packet;
  if (flight.neighbour) {
    to = *flight.neighbour;
    if (hosts_[to].address != packet.to.address || hosts_[to].router != hosts_[flight.from].router) return false;
  } else if (const auto open = host_at_.find(packet.to.address); open != host_at_.end()) {
    to = open->second;
  } else {
    const auto router = router_at_.find(packet.to.address);
    if (router == router_at_.end()) return false;
    const auto inside = routers_[router->second].nat.incoming(events_.now(), packet.to.port, packet.from);
    if (!inside || hosts_[inside->host].router != router->second) return false;
    to = inside->host;
    packet.to = {hosts_[to].address, inside->port};
  }
  const Host& receiver = hosts_[to];
  if (!passes(flight.from, to)) return false;
  const auto& own = receiver.own;
  return !own || own->weather.mtu == 0 || packet.size <= own->weather.mtu;
}

}  // namespace wigwag::sim
