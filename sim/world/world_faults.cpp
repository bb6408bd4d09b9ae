#include <algorithm>
#include <utility>

#include "sim/world/world.hpp"

// What befalls machines: deaths, pauses, slow processors, bad disks, other addresses.
namespace wigwag::sim {
namespace {

constexpr Duration reconcile_delay = milliseconds(20);    // the daemon's: from a wish to the kernel
constexpr Duration reconcile_retry = milliseconds(250);
constexpr Duration save_delay = milliseconds(50);         // and from a change to the disk
constexpr Duration save_pause = milliseconds(250);
constexpr Duration house_interval = seconds(1);           // at which it tries again what could not be written
constexpr std::size_t socket_buffer = 256;                // datagrams
constexpr std::size_t exact_disks_up_to = 64;             // machines: beyond, what is to be written soon counts as written

bool is_datagram(const Input& input) { return std::holds_alternative<TunnelDatagram>(input) || std::holds_alternative<HelloDatagram>(input); }

}  // namespace

void World::reboot(std::size_t index) {
  Machine& machine = *machines_[index];
  kill(index);
  machine.kernel->reboot();
  machine.reconciler.start_over();
}

void World::kill(std::size_t index) {
  Machine& machine = *machines_[index];
  const bool ran = machine.node.has_value();
  if (machine.disk_behind) write_down(machine);
  machine.node.reset();
  machine.wishes = false;
  machine.kernel->forget_looks();
  machine.recording = nullptr;
  machine.inbox.clear();
  machine.datagrams_held = 0;
  machine.paused = machine.working = machine.reconciling = machine.unsaved = machine.mute = false;
  machine.idle_at = {};
  machine.wakeup = never;
  ++machine.life;
  if (ran) tell([&](Observer& observer) { observer.stopped(index); });
}

// --- pauses and slow processors --------------------------------------------------------

// Datagrams wait as long as the socket's buffer has room. The clock and the kernel are read when their
// turn comes, however often that fell due.
void World::hold(std::size_t index, Input input) {
  Machine& machine = *machines_[index];
  if (is_datagram(input)) {
    if (machine.datagrams_held >= socket_buffer) return;
    ++machine.datagrams_held;
  } else if (std::holds_alternative<Wakeup>(input) || std::holds_alternative<KernelSnapshot>(input)) {
    const auto kind = input.index();
    if (std::any_of(machine.inbox.begin(), machine.inbox.end(), [&](const Input& one) { return one.index() == kind; })) return;
  }
  machine.inbox.push_back(std::move(input));
  if (!machine.paused) work(index);
}

void World::work(std::size_t index) {
  Machine& machine = *machines_[index];
  if (machine.working || machine.paused || machine.inbox.empty()) return;
  machine.working = true;
  machine.idle_at = std::max(machine.idle_at, events_.now()) + machine.cpu;
  events_.at(machine.idle_at, [this, index, life = machine.life] {
    Machine& busy = *machines_[index];
    if (busy.life != life) return;
    busy.working = false;
    if (busy.paused || busy.inbox.empty()) return;
    const Input next = std::move(busy.inbox.front());
    busy.inbox.pop_front();
    if (is_datagram(next)) --busy.datagrams_held;
    if (std::holds_alternative<KernelSnapshot>(next)) step(index, busy.kernel->look(!busy.reconciling));
    else step(index, next);
    if (busy.life == life) work(index);
  });
}

void World::resume(std::size_t index) {
  Machine& machine = *machines_[index];
  if (!std::exchange(machine.paused, false) || !machine.node) return;
  hold(index, Wakeup{});
  work(index);                           // also when a wakeup was waiting already
}

// --- the kernel ------------------------------------------------------------------------

void World::desire(std::size_t index, const Desire& desire) {
  Machine& machine = *machines_[index];
  machine.wishes = true;
  machine.reconciler.note(desire);
  reconcile_soon(index, reconcile_delay);
}

void World::reconcile_soon(std::size_t index, Duration delay) {
  Machine& machine = *machines_[index];
  if (std::exchange(machine.reconciling, true)) return;
  events_.after(delay, [this, index, life = machine.life] {
    if (machines_[index]->life == life) reconcile(index);
  });
}

void World::reconcile(std::size_t index) {
  Machine& machine = *machines_[index];
  machine.reconciling = false;
  if (machine.paused) return reconcile_soon(index, reconcile_retry);
  // What is ours could not be noted: the kernel is left alone.
  if (machine.disk_fails) return reconcile_soon(index, reconcile_retry);
  const TunnelDevice device{machine.tunnel_key, tunnel_port, 0};
  const bool good = machine.reconciler.run(*machine.kernel, device, machine.node->desired(), [&](const TunnelKey& key) { return is_down(machine, key); });
  if (!good) reconcile_soon(index, reconcile_retry);
  else tell([&](Observer& observer) { observer.applied(index); });
  snapshot(index);
}

bool World::is_down(const Machine& observer, const TunnelKey& key) const {
  const auto subject = by_tunnel_key_.find(key);
  if (!observer.node || subject == by_tunnel_key_.end()) return false;
  const NodeId& id = machines_[subject->second]->id;
  return observer.node->health_of(id) == Health::dead || !observer.node->has_path(id, events_.now());
}

// --- disks -----------------------------------------------------------------------------

// In large worlds a node's state is not put into bytes at every change but when somebody looks: at its
// last write it was what it is now, or less old than a real daemon's may be.
void World::persist(std::size_t index, bool at_once) {
  Machine& machine = *machines_[index];
  if (at_once || (machines_.size() > exact_disks_up_to && !machine.disk_fails)) return save(index);
  if (!std::exchange(machine.unsaved, true)) save_later(index, std::max(events_.now() + save_delay, machine.saved_at + save_pause));
}

void World::save_later(std::size_t index, Instant when) {
  events_.at(when, [this, index, life = machines_[index]->life] {
    Machine& machine = *machines_[index];
    if (machine.life != life || !machine.unsaved) return;
    if (machine.paused) save_later(index, events_.now() + save_pause);
    else save(index);
  });
}

void World::save(std::size_t index) {
  Machine& machine = *machines_[index];
  machine.saved_at = events_.now();
  machine.mute = machine.unsaved = machine.disk_fails;
  if (machine.disk_fails) return save_later(index, events_.now() + house_interval);
  machine.disk_behind = true;
  if (machines_.size() <= exact_disks_up_to) write_down(machine);
}

void World::write_down(Machine& machine) {
  machine.disk_behind = false;
  if (machine.node) machine.disk = machine.node->stored();
}

void World::set_disk_failing(std::size_t index, bool fails) {
  Machine& machine = *machines_[index];
  if (machine.disk_behind) write_down(machine);
  machine.disk_fails = fails;
}

Bytes World::disk(std::size_t index) {
  Machine& machine = *machines_[index];
  if (machine.disk_behind) write_down(machine);
  return machine.disk;
}

void World::restore_disk(std::size_t index, Bytes bytes) {
  Machine& machine = *machines_[index];
  machine.disk_behind = false;
  machine.disk = std::move(bytes);
  machine.knows_everyone = false;
  if (!machine.disk.empty()) return;
  machine.reconciler.forget();
  // The founder's operator makes its admission again; everybody else has its invitation.
  if (index != 0) machine.first.reset();
}

// --- other addresses -------------------------------------------------------------------

void World::rebind(std::size_t index) {
  if (const auto router = underlay_.router(host(index))) underlay_.rebind(*router);
}

void World::move(std::size_t index, const Address& address) {
  const Machine& machine = *machines_[index];
  if (const auto router = underlay_.router(machine.host)) underlay_.move_behind(machine.host, underlay_.add_router(underlay_.kind(*router), address));
  else underlay_.move(machine.host, address);
  feed(index, LocalAddresses{{underlay_.address(machine.host)}});
}

// --- meddlers --------------------------------------------------------------------------

void World::set_meddler(std::size_t index, std::unique_ptr<Meddler> meddler) {
  Machine& machine = *machines_[index];
  if (!machine.seat) machine.seat = std::make_unique<Seat>(*this, index);
  machine.meddler = std::move(meddler);
  ++machine.meddling;
  if (!machine.meddler) return;
  machine.meddler->take_seat(*machine.seat);
  next_tick(index);
}

void World::next_tick(std::size_t index) {
  Machine& machine = *machines_[index];
  if (!machine.meddler || !machine.node) return;
  const auto wait = machine.meddler->wants(now_of(index));
  if (!wait) return;
  const auto meddling = ++machine.meddling;
  events_.after(std::max<Duration>(*wait, microseconds(1)), [this, index, life = machine.life, meddling] {
    Machine& later = *machines_[index];
    if (later.life != life || later.meddling != meddling) return;
    if (!later.paused) later.meddler->tick(now_of(index));
    next_tick(index);
  });
}

}  // namespace wigwag::sim
