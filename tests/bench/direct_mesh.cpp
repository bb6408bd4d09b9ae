#include "tests/bench/direct_mesh.hpp"

#include <algorithm>

#include "gossip/membership/record.hpp"
#include "gossip/trust/overlay.hpp"

namespace wigwag::bench {
namespace {

constexpr Duration transit = milliseconds(20);
constexpr Duration reconcile_delay = milliseconds(20);
constexpr Duration poll_interval = seconds(5);
constexpr Duration rekey_after = seconds(120);
constexpr std::int64_t wall_at_start = 1'800'000'000;
constexpr std::uint16_t tunnel_port = 51820;
constexpr std::uint16_t hello_port = 51822;
constexpr std::size_t wireguard_overhead = 32;

Secret<EntropySeedRole> entropy_seed(std::uint64_t seed) {
  std::array<std::uint8_t, 32> raw{};
  store_be64(raw.data(), seed);
  return Secret<EntropySeedRole>(raw);
}

Address host_address(std::size_t machine) { return Address::ipv4(0xC6120000U + static_cast<std::uint32_t>(machine) + 1); }  // 198.18.0.0/15

}  // namespace

DirectMesh::DirectMesh(std::size_t nodes, std::uint64_t seed)
    : entropy_(entropy_seed(seed)),
      rng_(seed),
      root_(entropy_.secret<RootSecret>()),
      network_(public_key(root_)),
      admin_(entropy_.secret<AdminSecret>()),
      grant_secret_(entropy_.secret<GrantSecret>()) {
  Bundle bundle;
  bundle.network_name = "bench";
  bundle.ipv4 = *Prefix::parse("10.64.0.0/10");
  bundle.admins = {{public_key(admin_), true, true}};
  bundle_ = make_bundle(bundle, network_, root_);
  Grant grant;
  grant.id = public_key(grant_secret_);
  grant.admin = public_key(admin_);
  grant.uses = 0;
  grant.issued = now().wall;
  grant_ = make_grant(grant, network_, admin_);
  for (std::size_t index = 0; index < nodes; ++index) make_machine(index);
}

Now DirectMesh::now() const { return {now_, UnixTime{wall_at_start + std::chrono::duration_cast<seconds>(now_.time_since_epoch()).count()}}; }

void DirectMesh::make_machine(std::size_t index) {
  auto machine = std::make_unique<Machine>();
  machine->identity = entropy_.secret<NodeSecret>();
  machine->id = public_key(machine->identity);
  machine->tunnel_key = public_key(make_tunnel_secret(entropy_));
  machine->tunnel = {host_address(index), tunnel_port};
  machine->hello = {host_address(index), hello_port};
  machine->overlay = overlay_ipv6(network_, machine->id);
  const std::string name = "node-" + std::to_string(index);
  if (index == 0) {
    Certificate own;
    own.node = machine->id;
    own.issuer = Issuer::admin;
    own.issuer_key = public_key(admin_).bytes;
    own.name = name;
    own.issued = now().wall;
    machine->certificate = make_certificate(own, network_, admin_).wire;
  } else {
    machine->certificate = make_certificate(certificate_under(grant_.body, machine->id, name), network_, grant_secret_).wire;
    machine->redemption = make_redemption({grant_.body.id, machine->id, machines_[0]->id, now().wall}, network_, machines_[0]->identity).wire;
  }
  Record record;
  record.node = machine->id;
  record.certificate = blake2b(machine->certificate);
  record.version = {static_cast<std::uint32_t>(now().wall.seconds - 100), 1};
  record.tunnel_key = machine->tunnel_key;
  record.endpoints = {machine->tunnel};
  record.listen_port = tunnel_port;
  record.hello_port = hello_port;
  record.ipv4 = overlay_ipv4_candidate(bundle_.body.ipv4, machine->id, 0);
  record.expires = UnixTime{now().wall.seconds + 30LL * 24 * 3600};
  machine->record = make_record(record, network_, machine->identity).wire;
  by_overlay_.emplace(machine->overlay, index);
  machines_.push_back(std::move(machine));
}

StoredState DirectMesh::remembered(std::size_t index) const {
  StoredState stored{.network = network_, .bundle = bundle_.wire, .certificate = machines_[index]->certificate, .grant = {}, .redemption = machines_[index]->redemption, .members = {}, .revocations = {}};
  if (index != 0) stored.grant = grant_.wire;
  return stored;
}

void DirectMesh::start(std::size_t index, StoredState stored, bool invited) {
  Machine& machine = *machines_[index];
  NodeConfig config;
  config.name = "node-" + std::to_string(index);
  config.network = network_;
  config.random_seed = rng_.next();
  std::optional<Invitation> invitation;
  if (invited) invitation = Invitation{grant_, grant_secret_.duplicate(), std::nullopt};
  ++machine.life;
  machine.wakeup = never;
  machine.node.emplace(config, NodeSecrets{machine.identity.duplicate(), machine.tunnel_key, entropy_.secret<Secret<EntropySeedRole>>()},
                       std::move(stored), std::move(invitation), verifier_);
  feed(index, LocalAddresses{{machine.tunnel.address}});
  Resolved resolved;
  if (index != 0) resolved.seeds = {machines_[0]->hello};
  feed(index, resolved);
  snapshot(index);
  put({.when = now_ + rng_.below(poll_interval), .what = What::poll, .machine = index, .life = machine.life});
}

void DirectMesh::start_knowing() {
  StoredState all;
  for (std::size_t index = 0; index < machines_.size(); ++index) {
    all.members.push_back({machines_[index]->record, machines_[index]->certificate, index == 0 ? Bytes{} : grant_.wire, machines_[index]->redemption, {}});
  }
  for (std::size_t index = 0; index < machines_.size(); ++index) {
    StoredState stored = remembered(index);
    stored.members = all.members;
    start(index, std::move(stored), false);
  }
}

void DirectMesh::start_joining() {
  start(0, remembered(0), false);
  for (std::size_t index = 1; index < machines_.size(); ++index) {
    StoredState nothing;
    nothing.network = network_;
    start(index, std::move(nothing), true);
  }
}

void DirectMesh::start_one() {
  answers_for_all_ = true;
  StoredState stored = remembered(0);
  for (std::size_t index = 1; index < machines_.size(); ++index) {
    stored.members.push_back({machines_[index]->record, machines_[index]->certificate, grant_.wire, machines_[index]->redemption, {}});
  }
  start(0, std::move(stored), false);
}

void DirectMesh::put(Happening happening) {
  happening.order = next_order_++;
  happenings_.push(std::move(happening));
}

void DirectMesh::run_for(Duration span) {
  const Instant end = now_ + span;
  while (!happenings_.empty() && happenings_.top().when <= end) {
    Happening next = std::move(const_cast<Happening&>(happenings_.top()));  // NOLINT: top() is const only to keep the order, which pop() ends
    happenings_.pop();
    now_ = next.when;
    happen(std::move(next));
  }
  now_ = end;
}

void DirectMesh::churn_for(Duration span, int percent_a_minute) {
  const Instant end = now_ + span;
  const Duration pause = Duration(minutes(1)) * 100 / (percent_a_minute * static_cast<int>(machines_.size()));
  while (now_ < end) {
    run_for(pause);
    const auto index = rng_.below(machines_.size());
    Machine& machine = *machines_[index];
    if (!machine.node) continue;
    machine.node.reset();
    put({.when = now_ + seconds(30), .what = What::restart, .machine = index, .life = ++machine.life});
  }
}

void DirectMesh::happen(Happening happening) {
  Machine& machine = *machines_[happening.machine];
  const bool of_this_life = machine.life == happening.life;
  switch (happening.what) {
    case What::wakeup:
      if (!of_this_life || machine.wakeup != happening.when) return;
      machine.wakeup = never;
      return feed(happening.machine, Wakeup{});
    case What::tunnel:
      return feed(happening.machine, TunnelDatagram{machines_[happening.from]->overlay, Plane::direct, std::move(happening.bytes)});
    case What::hello: return feed(happening.machine, HelloDatagram{machines_[happening.from]->hello, std::move(happening.bytes)});
    case What::poll:
      if (!of_this_life) return;
      snapshot(happening.machine);
      return put({.when = now_ + poll_interval, .what = What::poll, .machine = happening.machine, .life = happening.life});
    case What::apply:
      if (of_this_life) apply(happening.machine, *happening.wish);
      return;
    case What::restart: {
      if (!of_this_life) return;
      auto stored = decode_stored(machine.disk);
      check(stored.has_value(), "a disk gives back what was written");
      return start(happening.machine, std::move(*stored), false);
    }
  }
}

void DirectMesh::feed(std::size_t index, const Input& input) {
  Machine& machine = *machines_[index];
  if (!machine.node) return;
  carry_out(index, machine.node->step(now(), input));
  const Instant next = std::max(machine.node->next_wakeup(), now_ + microseconds(1));
  if (next == never || machine.wakeup <= next) return;
  machine.wakeup = next;
  put({.when = next, .what = What::wakeup, .machine = index, .life = machine.life});
}

void DirectMesh::carry_out(std::size_t index, Outputs outputs) {
  Machine& machine = *machines_[index];
  for (auto& output : outputs) {
    if (auto* tunnel = std::get_if<SendTunnel>(&output)) {
      send(index, by_overlay_.at(tunnel->to), std::move(tunnel->bytes));
    } else if (auto* hello = std::get_if<SendHello>(&output)) {
      const auto host = static_cast<std::size_t>(hello->to.address.ipv4_number() - host_address(0).ipv4_number());
      if (host < machines_.size()) put({.when = now_ + transit, .what = What::hello, .machine = host, .from = index, .bytes = std::move(hello->bytes)});
    } else if (std::holds_alternative<Desire>(output)) {
      put({.when = now_ + reconcile_delay, .what = What::apply, .machine = index, .life = machine.life, .wish = std::make_shared<Tunnel>(machine.node->desired())});
    } else if (std::holds_alternative<Persist>(output)) {
      // Only what a restart needs: writing at every change would be all that is measured.
      if (machine.disk.empty()) machine.disk = machine.node->stored();
    }
  }
}

// A session stands from the first datagram between two that have each other.
void DirectMesh::send(std::size_t from, std::size_t to, Bytes bytes) {
  const auto wall = now().wall.seconds;
  const auto shake = [&](Machine& machine, const TunnelKey& key) -> TunnelPeerState* {
    const auto found = machine.peers.find(key);
    if (found == machine.peers.end()) return nullptr;
    if (wall >= found->second.last_handshake_unix_s + rekey_after / seconds(1)) found->second.last_handshake_unix_s = wall;
    return &found->second;
  };
  Machine& sender = *machines_[from];
  Machine& receiver = *machines_[to];
  ++datagrams_;
  std::array<std::uint8_t, 16> head{};
  store_be64(head.data(), static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  store_be64(head.data() + 8, load_be64(bytes.data() + bytes.size() - 8));
  MacKey last;
  std::copy_n(hash_.bytes.begin(), last.bytes.size(), last.bytes.begin());
  store_be64(hash_.bytes.data(), siphash(head, last));
  if (answers_for_all_) return answer(to, bytes);
  if (!receiver.node) {
    if (const auto found = sender.peers.find(receiver.tunnel_key); found != sender.peers.end()) found->second.tx_bytes += bytes.size() + wireguard_overhead;
    return;
  }
  auto* there = receiver.peers.contains(sender.tunnel_key) ? shake(sender, receiver.tunnel_key) : nullptr;
  auto* back = there != nullptr ? shake(receiver, sender.tunnel_key) : nullptr;
  if (back == nullptr) return;
  there->tx_bytes += bytes.size() + wireguard_overhead;
  back->rx_bytes += bytes.size() + wireguard_overhead;
  put({.when = now_ + transit, .what = What::tunnel, .machine = to, .from = from, .bytes = std::move(bytes)});
}

// What the one node's world says to it: all live, and hold what it holds.
void DirectMesh::answer(std::size_t as, const Bytes& bytes) {
  const Machine& other = *machines_[as];
  Machine& one = *machines_[0];
  const auto in = gossip_mac_key(network_, one.identity, one.id, other.id);
  const auto out = gossip_mac_key(network_, one.identity, other.id, one.id);
  const auto payload = unprotect(bytes, *in);
  const auto message = payload ? decode_message(*payload) : std::nullopt;
  if (!message) return;
  const auto reply = [&](const Message& said) {
    put({.when = now_ + 2 * transit, .what = What::tunnel, .machine = 0, .from = as, .bytes = protect(encode_message(said), *out)});
  };
  if (const auto found = one.peers.find(other.tunnel_key); found != one.peers.end()) {
    found->second.tx_bytes += bytes.size() + wireguard_overhead;
    found->second.rx_bytes += bytes.size() + wireguard_overhead;
    const auto wall = now().wall.seconds;
    if (wall >= found->second.last_handshake_unix_s + rekey_after / seconds(1)) found->second.last_handshake_unix_s = wall;
  }
  if (const auto* ping = std::get_if<Ping>(&*message)) reply(Ack{ping->sequence, 0});
  if (const auto* compare = std::get_if<Compare>(&*message)) {
    Compare same = *compare;
    same.confirm = false;
    reply(same);
  }
}

void DirectMesh::apply(std::size_t index, const Tunnel& wish) {
  Machine& machine = *machines_[index];
  std::map<TunnelKey, TunnelPeerState> kept;
  for (const auto& wanted : wish.peers) {
    auto held = machine.peers.extract(wanted.key);
    TunnelPeerState peer = held ? std::move(held.mapped()) : TunnelPeerState{};
    peer.key = wanted.key;
    if (wanted.endpoint) peer.endpoint = wanted.endpoint;
    peer.allowed_ips = wanted.allowed_ips;
    peer.keepalive = wanted.keepalive;
    kept.emplace_hint(kept.end(), wanted.key, std::move(peer));
  }
  machine.peers = std::move(kept);
  snapshot(index);
}

void DirectMesh::snapshot(std::size_t index) {
  KernelSnapshot shown;
  shown.settled = true;
  for (const auto& [key, peer] : machines_[index]->peers) shown.peers.push_back(peer);
  feed(index, shown);
}

std::size_t DirectMesh::agreeing() const {
  if (!machines_[0]->node) return 0;
  const auto digest = machines_[0]->node->status(now()).digest;
  return static_cast<std::size_t>(std::count_if(machines_.begin(), machines_.end(),
                                                [&](const auto& m) { return m->node && m->node->status(now()).digest == digest; }));
}

std::size_t DirectMesh::live_at_first() const {
  if (!machines_[0]->node) return 0;
  const auto view = machines_[0]->node->status(now());
  return static_cast<std::size_t>(
      std::count_if(view.members.begin(), view.members.end(), [](const auto& m) { return m.health == Health::alive || m.health == Health::suspect; }));
}

}  // namespace wigwag::bench
