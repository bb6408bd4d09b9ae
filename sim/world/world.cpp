#include "sim/world/world.hpp"

#include <algorithm>
#include <utility>

#include "gossip/trust/overlay.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration poll_interval = seconds(5);       // the daemon's: between looks at the kernel
const Bytes ping_mark = {0x70, 0x69, 0x6e, 0x67};

}  // namespace

void World::poll(std::size_t index, std::uint64_t life) {
  events_.after(poll_interval, [this, index, life] {
    Machine& machine = *machines_[index];
    if (machine.life != life) return;
    snapshot(index);
    if (machine.life == life && machine.wishes && machine.reconciler.wants_look(*machine.kernel, machine.node->desired(), [&](const TunnelKey& key) { return is_down(machine, key); }))
      reconcile_soon(index, Duration{});
    poll(index, life);
  });
}

void World::snapshot(std::size_t index) {
  Machine& machine = *machines_[index];
  if (!machine.node) return;
  // One that cannot look now sees what there is when its turn comes.
  if (must_wait(machine)) hold(index, KernelSnapshot{});
  else step(index, machine.kernel->look(!machine.reconciling));
}

Now World::now_of(std::size_t index) const {
  Now time = now();
  time.wall.seconds += machines_[index]->clock_error_s;
  return time;
}

void World::feed(std::size_t index, const Input& input) {
  Machine& machine = *machines_[index];
  if (!machine.node) return;
  if (must_wait(machine)) hold(index, input);
  else step(index, input);
}

void World::step(std::size_t index, const Input& input) {
  Machine& machine = *machines_[index];
  if (machine.meddler && !machine.meddler->incoming(input)) return;
  Outputs outputs = machine.node->step(now_of(index), input);
  if (machine.recording != nullptr) machine.recording->stepped(now_of(index), input, outputs, *machine.node);
  const auto life = machine.life;
  if (machine.meddler) machine.meddler->outgoing(outputs);
  if (!outputs.empty()) tell([&](Observer& observer) { observer.said(index, outputs); });
  if (!outputs.empty()) carry_out(index, outputs);
  tell([&](Observer& observer) { observer.stepped(index, input); });
  if (machine.life == life) schedule_wakeup(index);
}

void World::schedule_wakeup(std::size_t index) {
  Machine& machine = *machines_[index];
  const Instant next = std::max(machine.node->next_wakeup(), events_.now() + microseconds(1));
  if (next == never || machine.wakeup <= next) return;
  machine.wakeup = next;
  events_.at(next, [this, index, life = machine.life, next] { wake(index, life, next); });
}

void World::wake(std::size_t index, std::uint64_t life, Instant asked) {
  Machine& due = *machines_[index];
  if (due.life != life || due.wakeup != asked) return;
  due.wakeup = never;
  // It may have become later since this was asked for.
  if (due.node->next_wakeup() > events_.now()) schedule_wakeup(index);
  else feed(index, Wakeup{});
}

void World::receive(std::size_t index, Packet& packet) {
  if (auto* message = std::get_if<TunnelMessage>(&packet.body)) {
    if (packet.to.port == tunnel_port) machines_[index]->kernel->receive(packet.from, *message);
  } else if (packet.to.port == hello_port) {
    feed(index, HelloDatagram{packet.from, std::move(std::get<Bytes>(packet.body))});
  }
}

void World::deliver_inner(std::size_t index, InnerPacket& packet) {
  if (packet.payload == ping_mark) ++machines_[index]->pings_received;
  else feed(index, TunnelDatagram{packet.from, Plane::direct, std::move(packet.payload)});
}

void World::carry_out(std::size_t index, Outputs& outputs) {
  for (auto& output : outputs) {
    trace_.take(events_.now(), index, output, machines_[index]->node->desired());
    carry_out_one(index, output);
  }
}

void World::carry_out_one(std::size_t index, Output& output) {
  Machine& machine = *machines_[index];
  if (auto* send = std::get_if<SendTunnel>(&output)) {
    if (!machine.mute) machine.kernel->send_inner(send->to, std::move(send->bytes));
  } else if (auto* hello = std::get_if<SendHello>(&output)) {
    if (!machine.mute) underlay_.send(machine.host, hello_port, hello->to, std::move(hello->bytes));
  } else if (const auto* wish = std::get_if<Desire>(&output)) {
    desire(index, *wish);
  } else if (const auto* written = std::get_if<Persist>(&output)) {
    persist(index, written->at_once);
  } else if (auto* raise = std::get_if<Raise>(&output)) {
    tell([&](Observer& observer) { observer.raised(index, raise->event); });
    machine.raised.push_back(std::move(raise->event));
  } else if (std::holds_alternative<Left>(output)) {
    machine.left = true;
  }
}

bool World::run_until(Instant end, const std::function<bool()>* done) {
  constexpr Duration look = milliseconds(100);
  Instant next_look = done != nullptr ? events_.now() : never;
  while (events_.now() < end) {
    if (events_.now() >= next_look) {
      if ((*done)()) return true;
      next_look = events_.now() + look;
    }
    const Instant next = std::min(end, next_look);
    if (events_.next_time() <= next) events_.run_one();
    else events_.advance_to(next);
  }
  return done != nullptr && (*done)();
}

std::optional<Health> World::health(std::size_t observer, std::size_t subject) const {
  return running(observer) ? node(observer).health_of(machines_[subject]->id) : std::nullopt;
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

bool World::has_physical_path(std::size_t a, std::size_t b) const {
  return running(a) && running(b) && underlay_.can_meet(host(a), host(b));
}

void World::ping(std::size_t from, std::size_t to) { machines_[from]->kernel->send_inner(overlay_address(to), ping_mark); }

bool World::reaches(std::size_t from, std::size_t to) {
  const auto before = pings_received(to);
  ping(from, to);
  return run_until(seconds(1), [&] { return pings_received(to) > before; });
}

std::optional<std::size_t> World::machine_of(const NodeId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

Address World::overlay_address(std::size_t machine) const { return overlay_ipv6(network_, machines_[machine]->id); }

// --- the seat of a meddler -------------------------------------------------------------

const NetworkId& Seat::network() const { return world_.network(); }
const NodeId& Seat::id() const { return world_.id(machine_); }
NodeSecret Seat::identity() const { return world_.identity(machine_); }
const Node* Seat::node() const { return world_.running(machine_) ? &std::as_const(world_).node(machine_) : nullptr; }

void Seat::say(const Address& to, Bytes datagram) const {
  if (node() != nullptr) world_.machines_[machine_]->kernel->send_inner(to, std::move(datagram));
}

void Seat::say(std::size_t machine, Bytes datagram) const { say(world_.overlay_address(machine), std::move(datagram)); }

void Seat::say_hello(const Endpoint& to, Bytes datagram) const {
  if (node() != nullptr) world_.underlay_.send(world_.host(machine_), World::hello_port, to, std::move(datagram));
}

}  // namespace wigwag::sim
