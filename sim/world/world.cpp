#include "sim/world/world.hpp"

#include <algorithm>

#include "gossip/trust/overlay.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration reconcile_delay = milliseconds(20);   // the daemon's: from a wish to the kernel
constexpr Duration poll_interval = seconds(5);
const Bytes ping_mark = {0x70, 0x69, 0x6e, 0x67};

Secret<EntropySeedRole> entropy_seed(std::uint64_t seed) {
  std::array<std::uint8_t, 32> raw{};
  store_be64(raw.data(), seed);
  return Secret<EntropySeedRole>(raw);
}

Address host_address(std::size_t machine) { return Address::ipv4(0xC6120000U + static_cast<std::uint32_t>(machine) + 1); }  // 198.18.0.0/15

}  // namespace

World::World(std::uint64_t seed)
    : rng_(seed),
      entropy_(entropy_seed(seed)),
      underlay_(events_, rng_.next()),
      verifier_(1 << 20),
      root_(entropy_.secret<RootSecret>()),
      network_(public_key(root_)),
      admin_(entropy_.secret<AdminSecret>()),
      grant_secret_(entropy_.secret<GrantSecret>()) {
  check(start_crypto(), "libsodium starts");
  Bundle bundle;
  bundle.network_name = "home";
  bundle.ipv4 = *Prefix::parse("10.99.0.0/16");
  bundle.admins = {{public_key(admin_), true, true}};
  bundle_ = make_bundle(bundle, network_, root_);
}

std::size_t World::make_machine(const Options& options, std::string name) {
  const std::size_t index = machines_.size();
  auto machine = std::make_unique<Machine>();
  machine->identity = entropy_.secret<NodeSecret>();
  machine->id = public_key(machine->identity);
  machine->tunnel_key = public_key(make_tunnel_secret(entropy_));
  machine->name = std::move(name);
  machine->options = options;
  const auto receiver = [this, index](const Packet& packet) { receive(index, packet); };
  if (options.behind_nat) {
    machine->address = Address::ipv4(0xC0A80002U);  // 192.168.0.2, as everybody's
    machine->host = underlay_.add_host_behind_nat(machine->address, host_address(index), receiver);
  } else {
    machine->address = host_address(index);
    machine->host = underlay_.add_host(machine->address, receiver);
  }
  machines_.push_back(std::move(machine));
  reboot(index);
  return index;
}

std::size_t World::found() {
  const auto index = make_machine(Options{.ipv4 = {}}, "node-0");
  Machine& machine = *machines_[index];
  Certificate certificate;
  certificate.node = machine.id;
  certificate.issuer = Issuer::admin;
  certificate.issuer_key = public_key(admin_).bytes;
  certificate.name = machine.name;
  certificate.issued = now().wall;
  machine.first = StoredState{.network = network_, .bundle = bundle_.wire, .certificate = {}, .grant = {}, .redemption = {}, .members = {}, .revocations = {}};
  machine.first->certificate = make_certificate(certificate, network_, admin_).wire;
  start(index, false);
  return index;
}

std::size_t World::add(const Options& options) {
  const auto index = make_machine(options, "node-" + std::to_string(machines_.size()));
  start(index, options.knows_seed);
  return index;
}

void World::reboot(std::size_t index) {
  Machine& machine = *machines_[index];
  kill(index);
  machine.desired.reset();
  machine.kernel = std::make_unique<FakeKernel>(
      events_, machine.tunnel_key, rng_.next(),
      [this, index](const Endpoint& to, Bytes bytes) { underlay_.send(machines_[index]->host, tunnel_port, to, std::move(bytes)); },
      [this, index](const Address& from, const Address&, Bytes bytes) {
        if (bytes == ping_mark) ++machines_[index]->pings_received;
        else feed(index, TunnelDatagram{from, Plane::direct, std::move(bytes)});
      });
  machine.kernel->set_wall([this, index] { return now_of(*machines_[index]).wall.seconds; });
}

void World::kill(std::size_t index) {
  Machine& machine = *machines_[index];
  machine.node.reset();
  machine.held.clear();
  machine.paused = false;
  machine.wakeup = never;
  ++machine.life;
}

void World::start(std::size_t index, bool with_seed) {
  Machine& machine = *machines_[index];
  kill(index);
  NodeConfig config;
  config.name = machine.name;
  config.network = network_;
  config.listen_port = tunnel_port;
  config.hello_port = hello_port;
  config.ipv4 = machine.options.ipv4;
  config.random_seed = rng_.next();
  StoredState stored = machine.first.value_or(
      StoredState{.network = network_, .bundle = {}, .certificate = {}, .grant = {}, .redemption = {}, .members = {}, .revocations = {}});
  if (!machine.disk.empty()) {
    auto read = decode_stored(machine.disk);
    check(read.has_value(), "a simulated disk gives back what was written");
    stored = std::move(*read);
  }
  std::optional<Invitation> invitation;
  if (index != 0) {
    auto [grant, fresh] = grants_.try_emplace(machine.options.uses);
    if (fresh) {
      Grant body;
      body.id = public_key(grant_secret_);
      body.admin = public_key(admin_);
      body.uses = machine.options.uses;
      body.issued = now().wall;
      grant->second = make_grant(body, network_, admin_);
    }
    invitation = Invitation{grant->second, grant_secret_.duplicate(), std::nullopt};
    if (machine.options.bundle_in_token) invitation->bundle = bundle_;
  }
  machine.node.emplace(config, NodeSecrets{machine.identity.duplicate(), machine.tunnel_key, entropy_.secret<Secret<EntropySeedRole>>()},
                       std::move(stored), std::move(invitation), verifier_);
  machine.left = false;
  feed(index, LocalAddresses{{machine.address}});
  Resolved resolved;
  if (with_seed && index != 0) resolved.seeds = {{host_address(0), hello_port}};
  feed(index, resolved);
  snapshot(index);
  poll(index, machine.life);
}

void World::poll(std::size_t index, std::uint64_t life) {
  events_.after(poll_interval, [this, index, life] {
    if (machines_[index]->life != life) return;
    snapshot(index);
    poll(index, life);
  });
}

void World::snapshot(std::size_t index) { feed(index, KernelSnapshot{machines_[index]->kernel->peers(), true}); }

void World::move(std::size_t index, const Address& address) {
  Machine& machine = *machines_[index];
  machine.address = address;
  underlay_.set_address(machine.host, address);
  feed(index, LocalAddresses{{address}});
}

Now World::now_of(const Machine& machine) const {
  Now time = now();
  time.wall.seconds += machine.clock_error_s;
  return time;
}

void World::feed(std::size_t index, const Input& input) {
  Machine& machine = *machines_[index];
  if (!machine.node) return;
  if (machine.paused) {
    constexpr std::size_t socket_buffer = 256;
    if (machine.held.size() < socket_buffer) machine.held.push_back(input);
    return;
  }
  carry_out(index, machine.node->step(now_of(machine), input));
  schedule_wakeup(index);
}

void World::resume(std::size_t index) {
  Machine& machine = *machines_[index];
  machine.paused = false;
  for (const auto& input : std::exchange(machine.held, {})) feed(index, input);
  feed(index, Wakeup{});
}

void World::schedule_wakeup(std::size_t index) {
  Machine& machine = *machines_[index];
  if (!machine.node) return;
  const Instant next = std::max(machine.node->next_wakeup(), events_.now() + microseconds(1));
  if (next == never || machine.wakeup <= next) return;
  machine.wakeup = next;
  const auto life = machine.life;
  events_.at(next, [this, index, life, next] {
    Machine& due = *machines_[index];
    if (due.life != life || due.wakeup != next) return;
    due.wakeup = never;
    feed(index, Wakeup{});
  });
}

void World::receive(std::size_t index, const Packet& packet) {
  if (packet.to.port == tunnel_port) machines_[index]->kernel->receive(packet.from, packet.bytes);
  else if (packet.to.port == hello_port) feed(index, HelloDatagram{packet.from, packet.bytes});
}

void World::trace(const Output& output, std::size_t index) {
  Bytes bytes(trace_.bytes.begin(), trace_.bytes.end());
  bytes.push_back(static_cast<std::uint8_t>(output.index()));
  bytes.push_back(static_cast<std::uint8_t>(index));
  std::array<std::uint8_t, 8> at{};
  store_be64(at.data(), static_cast<std::uint64_t>(events_.now().time_since_epoch().count()));
  bytes.insert(bytes.end(), at.begin(), at.end());
  if (const auto* send = std::get_if<SendTunnel>(&output)) bytes.insert(bytes.end(), send->bytes.begin(), send->bytes.end());
  if (const auto* send = std::get_if<SendHello>(&output)) bytes.insert(bytes.end(), send->bytes.begin(), send->bytes.end());
  trace_ = blake2b(bytes);
}

void World::carry_out(std::size_t index, Outputs outputs) {
  Machine& machine = *machines_[index];
  for (auto& output : outputs) {
    trace(output, index);
    if (auto* send = std::get_if<SendTunnel>(&output)) {
      machine.kernel->send_inner(send->to, std::move(send->bytes));
    } else if (auto* hello = std::get_if<SendHello>(&output)) {
      underlay_.send(machine.host, hello_port, hello->to, std::move(hello->bytes));
    } else if (auto* desire = std::get_if<Desire>(&output)) {
      machine.desired = std::move(desire->tunnel);
      events_.after(reconcile_delay, [this, index, life = machine.life, wish = *machine.desired] {
        Machine& later = *machines_[index];
        if (later.life != life) return;
        later.kernel->apply(wish, now_of(later).wall.seconds);
        snapshot(index);
      });
    } else if (std::holds_alternative<Persist>(output)) {
      machine.disk = machine.node->stored();
    } else if (auto* raise = std::get_if<Raise>(&output)) {
      machine.raised.push_back(std::move(raise->event));
    } else if (std::holds_alternative<Left>(output)) {
      machine.left = true;
    }
  }
}

bool World::run_until(Instant end, const std::function<bool()>& done) {
  constexpr Duration look = milliseconds(100);
  Instant next_look = events_.now();
  while (events_.now() < end) {
    if (events_.now() >= next_look) {
      if (done()) return true;
      next_look = events_.now() + look;
    }
    const Instant next = std::min({events_.next_time(), end, next_look});
    if (!events_.empty() && events_.next_time() <= next) events_.run_one();
    else events_.advance_to(next);
  }
  return done();
}

std::optional<Health> World::health(std::size_t observer, std::size_t subject) const {
  if (!running(observer)) return std::nullopt;
  for (const auto& member : status(observer).members) {
    if (member.id == machines_[subject]->id) return member.health;
  }
  return std::nullopt;
}

bool World::sees_down(std::size_t observer, std::size_t subject) const { return health(observer, subject) == Health::dead; }

bool World::agreed(const std::vector<std::size_t>& machines) const {
  std::optional<Hash32> digest;
  for (const auto index : machines) {
    if (!running(index)) return false;
    const auto view = status(index);
    const auto alive = std::count_if(view.members.begin(), view.members.end(), [](const auto& m) { return m.health == Health::alive; });
    if (!view.joined || static_cast<std::size_t>(alive) != machines.size()) return false;
    if (digest && *digest != view.digest) return false;
    digest = view.digest;
  }
  return true;
}

bool World::reaches(std::size_t from, std::size_t to) {
  const auto before = machines_[to]->pings_received;
  machines_[from]->kernel->send_inner(overlay_ipv6(network_, machines_[to]->id), ping_mark);
  return run_until(seconds(1), [&] { return machines_[to]->pings_received > before; });
}

}  // namespace wigwag::sim
