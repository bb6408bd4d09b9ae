#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gossip/node.hpp"
#include "gossip/recording.hpp"
#include "sim/world/fake_kernel.hpp"
#include "sim/world/meddler.hpp"
#include "sim/world/reconcile.hpp"
#include "sim/world/underlay.hpp"

namespace wigwag::sim {

// How a machine comes into the world.
struct MachineOptions {
  std::uint32_t uses = 0;                // of the invitation that all joiners hold; 0: any number
  bool certify_itself = false;           // holders of an invitation for any number of uses certify themselves
  std::optional<Address> ipv4{};         // claimed
  std::optional<NatKind> nat{};          // behind a router of its own,
  std::optional<std::size_t> beside{};   // or behind that of an earlier machine
  std::uint32_t region = 0;
  std::size_t seeds = 1;                 // so many of the first machines it is told of
};

// One simulated machine: the shipped core, its kernel, its disk, and what ails it.
struct Machine {
  NodeSecret identity;
  NodeId id;
  TunnelKey tunnel_key;
  KeyNumber key_number = 0;
  std::string name;
  MachineOptions options;
  Underlay::HostId host = 0;
  std::unique_ptr<FakeKernel> kernel;
  Reconciler reconciler;
  std::optional<Node> node;
  Recording* to_record = nullptr;        // takes down the life after this one
  Recording* recording = nullptr;        // takes down this one
  bool wishes = false;                   // its daemon has said what it wants the kernel to be
  bool reconciling = false;              // a run is about to begin

  std::optional<StoredState> first;      // what it starts from while its disk is empty
  bool knows_everyone = false;           // and that all others of a converged start stand in it too
  Bytes disk;                            // encode_stored; empty before the first write
  bool disk_behind = false;              // the node's stored() is what was written last: `disk` is made of it when somebody looks
  bool unsaved = false;                  // what is to be written soon was not yet
  Instant saved_at{};
  bool disk_fails = false;
  bool mute = false;                     // what had to be written could not be: nothing is said

  std::vector<Event> raised;
  bool left = false;
  bool paused = false;
  Duration cpu{};                        // for each input
  Instant idle_at{};                     // when the daemon has done what it was given
  bool working = false;                  // an event waits for that
  std::deque<Input> inbox;
  std::size_t datagrams_held = 0;        // of the inbox
  std::int64_t clock_error_s = 0;
  std::uint64_t life = 0;
  Instant wakeup = never;
  std::uint64_t pings_received = 0;
  std::unique_ptr<Seat> seat;
  std::unique_ptr<Meddler> meddler;
  std::uint64_t meddling = 0;            // ticks asked for by a former one find out
};

}  // namespace wigwag::sim
