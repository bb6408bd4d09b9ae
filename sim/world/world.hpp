#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gossip/node.hpp"
#include "sim/world/event_queue.hpp"
#include "sim/world/fake_kernel.hpp"
#include "sim/world/underlay.hpp"

namespace wigwag::sim {

// A network of simulated machines, each running the shipped core over a fake kernel and a
// fake internet. One seed gives one run.
class World {
 public:
  explicit World(std::uint64_t seed);

  struct Options {
    std::uint32_t uses = 0;              // of the invitation that all joiners hold; 0: any number
    bool bundle_in_token = false;        // let holders certify themselves
    std::optional<Address> ipv4{};       // claimed
    bool behind_nat = false;
    bool knows_seed = true;              // the founder's address is given as a seed
  };

  // The first machine: root, admin and member in one.
  std::size_t found();
  std::size_t add(const Options& options);
  std::size_t add() { return add(Options{}); }

  // The daemon ends at once; the kernel and the disk stay as they are.
  void kill(std::size_t machine);
  void start(std::size_t machine, bool with_seed = true);
  // The whole machine reboots: kernel state is gone as well.
  void reboot(std::size_t machine);
  // SIGSTOP, or a suspended machine, until resumed.
  void pause(std::size_t machine) { machines_[machine]->paused = true; }
  void resume(std::size_t machine);
  void leave(std::size_t machine) { feed(machine, LeaveCommand{}); }
  void set_cable(std::size_t machine, bool in) { underlay_.set_cable(machines_[machine]->host, in); }
  void set_group(std::size_t machine, int group) { underlay_.set_group(machines_[machine]->host, group); }
  void move(std::size_t machine, const Address& address);
  void feed(std::size_t machine, const Input& input);

  void run_for(Duration span) { run_until(events_.now() + span, [] { return false; }); }
  // True as soon as `done` holds, looked at ten times a second; false when the time is over.
  bool run_until(Duration within, const std::function<bool()>& done) { return run_until(events_.now() + within, done); }

  // All running machines agree on exactly the running, unmuted machines.
  bool agreed(const std::vector<std::size_t>& machines) const;
  bool sees_down(std::size_t observer, std::size_t subject) const;
  std::optional<Health> health(std::size_t observer, std::size_t subject) const;
  // An inner packet now gets from one to the other within a second.
  bool reaches(std::size_t from, std::size_t to);

  Node& node(std::size_t machine) { return *machines_[machine]->node; }
  const Node& node(std::size_t machine) const { return *machines_[machine]->node; }
  bool running(std::size_t machine) const { return machines_[machine]->node.has_value(); }
  NodeStatus status(std::size_t machine) const { return node(machine).status(now()); }
  const std::vector<Event>& events_of(std::size_t machine) const { return machines_[machine]->raised; }
  const Tunnel* desired(std::size_t machine) const { return machines_[machine]->desired ? &*machines_[machine]->desired : nullptr; }
  bool has_left(std::size_t machine) const { return machines_[machine]->left; }
  Underlay& underlay() { return underlay_; }
  std::uint64_t underlay_bytes(std::size_t machine) const { return underlay_.bytes_sent(machines_[machine]->host); }
  std::size_t size() const { return machines_.size(); }
  Now now() const { return {events_.now(), UnixTime{wall_at_start + std::chrono::duration_cast<seconds>(events_.now().time_since_epoch()).count()}}; }
  void set_clock_error(std::size_t machine, std::int64_t seconds_ahead) { machines_[machine]->clock_error_s = seconds_ahead; }
  const NodeId& id(std::size_t machine) const { return machines_[machine]->id; }
  // Keeps what is on a machine's disk, and puts it back later: a restored backup.
  Bytes disk(std::size_t machine) const { return machines_[machine]->disk; }
  void restore_disk(std::size_t machine, Bytes bytes) { machines_[machine]->disk = std::move(bytes); }
  // Over everything every node ever put out: equal runs have equal hashes.
  Hash32 trace_hash() const { return trace_; }

  static constexpr std::int64_t wall_at_start = 1'800'000'000;
  static constexpr std::uint16_t tunnel_port = 51820;
  static constexpr std::uint16_t hello_port = 51822;

 private:
  struct Machine {
    NodeSecret identity;
    NodeId id;
    TunnelKey tunnel_key;
    std::string name;
    Address address;
    Options options;
    Underlay::HostId host = 0;
    std::unique_ptr<FakeKernel> kernel;
    std::optional<Node> node;
    std::optional<Tunnel> desired;
    Bytes disk;                          // encode_stored; empty before the first write
    std::optional<StoredState> first;    // the founder's before its first write
    std::vector<Event> raised;
    bool left = false;
    bool paused = false;
    std::vector<Input> held;             // what came while paused
    std::int64_t clock_error_s = 0;
    std::uint64_t life = 0;
    Instant wakeup = never;
    std::uint64_t pings_received = 0;
  };

  bool run_until(Instant end, const std::function<bool()>& done);
  std::size_t make_machine(const Options& options, std::string name);
  void receive(std::size_t machine, const Packet& packet);
  void carry_out(std::size_t machine, Outputs outputs);
  void schedule_wakeup(std::size_t machine);
  void snapshot(std::size_t machine);
  void poll(std::size_t machine, std::uint64_t life);
  Now now_of(const Machine& machine) const;
  void trace(const Output& output, std::size_t machine);

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
  std::vector<std::unique_ptr<Machine>> machines_;
  Hash32 trace_;
};

}  // namespace wigwag::sim
