#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gossip/node.hpp"
#include "sim/world/event_queue.hpp"
#include "sim/world/machine.hpp"
#include "sim/world/meddler.hpp"
#include "sim/world/observer.hpp"
#include "sim/world/trace_hash.hpp"
#include "sim/world/underlay.hpp"

namespace wigwag::sim {

// A network of simulated machines, each running the shipped core over a fake kernel and a
// fake internet. One seed gives one run.
class World {
 public:
  using Options = MachineOptions;

  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // The first machine: root, admin and member in one.
  std::size_t found(const Options& options = {});
  std::size_t add(const Options& options);
  std::size_t add() { return add(Options{}); }
  // Instead of both: all machines are members already and know one another, the first is the founder.
  // They start within a second, from disks that hold all records, over kernels without sessions.
  void found_converged(const std::vector<Options>& machines);

  // --- watching and meddling --------------------------------------------------------
  // Not owned; called in the order in which they came.
  void watch(Observer* observer) { observers_.push_back(observer); }
  void set_meddler(std::size_t machine, std::unique_ptr<Meddler> meddler);

  // --- faults of machines -----------------------------------------------------------
  // The daemon ends at once; the kernel stays as it is, and the disk as it was written last.
  void kill(std::size_t machine);
  void start(std::size_t machine, bool with_seed = true);
  // The whole machine goes down: its daemon ends, and kernel state is gone as well.
  void reboot(std::size_t machine);
  // SIGSTOP, until resumed: the kernel goes on, and datagrams wait as long as a socket's buffer has room.
  void pause(std::size_t machine) { machines_[machine]->paused = true; }
  void resume(std::size_t machine);
  bool paused(std::size_t machine) const { return machines_[machine]->paused; }
  void leave(std::size_t machine) { feed(machine, LeaveCommand{}); }
  // The daemon needs that long for each input; what comes meanwhile waits, as in a pause. Zero: no time.
  void set_cpu(std::size_t machine, Duration per_input) { machines_[machine]->cpu = per_input; }
  void set_clock_error(std::size_t machine, std::int64_t seconds_ahead) { machines_[machine]->clock_error_s = seconds_ahead; }
  // Writes fail. As the daemon does, it says nothing to anybody once a write that had to be done at
  // once was not, until one is.
  void set_disk_failing(std::size_t machine, bool fails);
  // What is on a machine's disk, and puts it back later: a restored backup.
  Bytes disk(std::size_t machine);
  void restore_disk(std::size_t machine, Bytes bytes);
  // Nothing is left but the identity and the configuration, invitation included.
  void wipe_disk(std::size_t machine) { restore_disk(machine, {}); }

  // --- faults of the network --------------------------------------------------------
  void set_weather(const Weather& weather) { underlay_.set_weather(weather); }
  void set_weather_of(std::size_t machine, const std::optional<Weather>& weather) { underlay_.set_weather_of(host(machine), weather); }
  void set_region_latency(std::uint32_t a, std::uint32_t b, const Latency& latency) { underlay_.set_region_latency(a, b, latency); }
  void set_cable(std::size_t machine, bool in) { underlay_.set_cable(host(machine), in); }
  // Machines of different groups do not reach each other; all start in group 0.
  void set_group(std::size_t machine, int group) { underlay_.set_group(host(machine), group); }
  // What the one sends does not reach the other.
  void set_one_way(std::size_t from, std::size_t to, bool cut) { underlay_.set_one_way(host(from), host(to), cut); }
  // Its router forgets its mappings and picks other ports; nothing happens to a machine without.
  void rebind(std::size_t machine);
  // Another address; a machine behind a router stands behind another of its kind that has that address.
  void move(std::size_t machine, const Address& address);
  void move(std::size_t machine) { move(machine, fresh_address()); }

  // --- the passing of time ----------------------------------------------------------
  void feed(std::size_t machine, const Input& input);
  void run_for(Duration span) { run_until(events_.now() + span, nullptr); }
  // True as soon as `done` holds, looked at ten times a second; false when the time is over.
  bool run_until(Duration within, const std::function<bool()>& done) { return run_until(events_.now() + within, &done); }
  Now now() const { return {events_.now(), UnixTime{wall_at_start + std::chrono::duration_cast<seconds>(events_.now().time_since_epoch()).count()}}; }
  Instant instant() const { return events_.now(); }
  // What the machine believes.
  Now now_of(std::size_t machine) const;

  // --- looking ----------------------------------------------------------------------
  // All of these run, and agree on exactly these as alive.
  bool agreed(const std::vector<std::size_t>& machines) const;
  bool sees_down(std::size_t observer, std::size_t subject) const;
  std::optional<Health> health(std::size_t observer, std::size_t subject) const;
  // An inner packet now gets from one to the other within a second.
  bool reaches(std::size_t from, std::size_t to);
  // Sends such a packet and does not wait; pings_received() tells what came, empty packets and all.
  void ping(std::size_t from, std::size_t to);
  std::uint64_t pings_received(std::size_t machine) const { return machines_[machine]->pings_received; }

  std::size_t size() const { return machines_.size(); }
  Node& node(std::size_t machine) { return *machines_[machine]->node; }
  const Node& node(std::size_t machine) const { return *machines_[machine]->node; }
  bool running(std::size_t machine) const { return machines_[machine]->node.has_value(); }
  // Its cable is in; whether anybody is reached is another matter.
  bool connected(std::size_t machine) const { return underlay_.cable(host(machine)); }
  // Both machines run, and datagrams pass between them both ways; behind two routers, if these let
  // them meet without a third that passes on what they send.
  bool has_physical_path(std::size_t a, std::size_t b) const;
  NodeStatus status(std::size_t machine) const { return node(machine).status(now_of(machine)); }
  const std::vector<Event>& events_of(std::size_t machine) const { return machines_[machine]->raised; }
  // What its running daemon wants its kernel to be; nullptr before it wants anything.
  const Tunnel* desired(std::size_t machine) const { return machines_[machine]->wishes ? &machines_[machine]->node->desired() : nullptr; }
  const FakeKernel& kernel(std::size_t machine) const { return *machines_[machine]->kernel; }
  bool has_left(std::size_t machine) const { return machines_[machine]->left; }
  bool mute(std::size_t machine) const { return machines_[machine]->mute; }
  const MachineOptions& options(std::size_t machine) const { return machines_[machine]->options; }
  const std::string& name(std::size_t machine) const { return machines_[machine]->name; }
  const NodeId& id(std::size_t machine) const { return machines_[machine]->id; }
  const TunnelKey& tunnel_key(std::size_t machine) const { return machines_[machine]->tunnel_key; }
  NodeSecret identity(std::size_t machine) const { return machines_[machine]->identity.duplicate(); }
  const NetworkId& network() const { return network_; }
  std::optional<std::size_t> machine_of(const NodeId& id) const;
  Address overlay_address(std::size_t machine) const;
  const Address& address(std::size_t machine) const { return underlay_.address(host(machine)); }

  Underlay& underlay() { return underlay_; }
  const Underlay::Counts& counts() const { return underlay_.counts(); }
  std::uint64_t underlay_bytes(std::size_t machine) const { return underlay_.bytes_sent(host(machine)); }
  std::uint64_t events_run() const { return events_.run_so_far(); }
  // Over everything every node ever put out: equal runs have equal hashes.
  Hash32 trace_hash() const { return trace_.value(); }
  // Takes down the next life of a machine's daemon; `recording` outlives that life.
  void record(std::size_t machine, Recording& recording) { machines_[machine]->to_record = &recording; }

  static constexpr std::int64_t wall_at_start = 1'800'000'000;
  static constexpr std::uint16_t tunnel_port = 51820;
  static constexpr std::uint16_t hello_port = 51822;

 private:
  friend class Seat;
  struct Converged;

  bool run_until(Instant end, const std::function<bool()>* done);
  Underlay::HostId host(std::size_t machine) const { return machines_[machine]->host; }
  Address fresh_address() { return Address::ipv4(0xC6120000U + ++addresses_given_); }  // 198.18.0.0/15, for benchmarks
  std::size_t make_machine(const Options& options);
  void plug_in(std::size_t machine);
  std::unique_ptr<FakeKernel> make_kernel(std::size_t machine);
  StoredState empty_state() const;
  StoredState founders_state(const Machine& machine) const;
  StoredState state_to_start_from(const Machine& machine) const;
  std::optional<Invitation> invitation_of(const Machine& machine);
  const Signed<Grant>& grant_for(std::uint32_t uses);
  std::vector<Endpoint> seeds_of(std::size_t machine) const;

  void receive(std::size_t machine, Packet& packet);
  void deliver_inner(std::size_t machine, InnerPacket& packet);
  void step(std::size_t machine, const Input& input);
  bool must_wait(const Machine& machine) const { return machine.paused || machine.cpu.count() != 0 || !machine.inbox.empty(); }
  void hold(std::size_t machine, Input input);
  void work(std::size_t machine);
  void carry_out(std::size_t machine, Outputs& outputs);
  void carry_out_one(std::size_t machine, Output& output);
  void desire(std::size_t machine, const Desire& desire);
  void persist(std::size_t machine, bool at_once);
  void save(std::size_t machine);
  void save_later(std::size_t machine, Instant when);
  void write_down(Machine& machine);
  void reconcile_soon(std::size_t machine, Duration delay);
  void reconcile(std::size_t machine);
  bool is_down(const Machine& observer, const TunnelKey& key) const;
  void schedule_wakeup(std::size_t machine);
  void wake(std::size_t machine, std::uint64_t life, Instant asked);
  void snapshot(std::size_t machine);
  void poll(std::size_t machine, std::uint64_t life);
  void next_tick(std::size_t machine);
  template <class Call>
  void tell(const Call& call) {
    for (Observer* observer : observers_) call(*observer);
  }

  EventQueue events_;
  Rng rng_;
  Entropy entropy_;
  Underlay underlay_;
  Verifier verifier_;
  RootSecret root_;
  NetworkId network_;
  AdminSecret admin_;
  GrantSecret grant_secret_;
  Signed<Bundle> bundle_;
  std::map<std::uint32_t, Signed<Grant>> grants_;  // by uses
  KeyNumbers keys_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::map<NodeId, std::size_t> by_id_;
  std::map<TunnelKey, std::size_t> by_tunnel_key_;
  std::unique_ptr<Converged> converged_;
  std::uint32_t addresses_given_ = 0;
  std::vector<Observer*> observers_;
  TraceHash trace_;
};

}  // namespace wigwag::sim
