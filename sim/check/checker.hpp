#pragma once

#include <functional>
#include <map>
#include <optional>
#include <memory>
#include <string>
#include <vector>

#include "sim/check/broken.hpp"
#include "sim/world/observer.hpp"
#include "sim/world/weather.hpp"

namespace wigwag::sim {

class World;

// What whoever plays a run knows of its machines and no node can show. It is kept up to date while the
// run goes on, before the world is told to do what it says; checkers look things up in it.
struct CheckFacts {
  struct Machine {
    bool hostile = false;      // meddles, or ever did: what is promised is promised to the others
    bool expected = true;      // is to be a live member when the calm ends: false for who left or is gone for good
    bool sound = true;         // now: its daemon up, awake and quick, its clock right, its disk and its cable fine
    Instant sound_since{};
    std::uint32_t disks = 0;   // how often its disk was lost, put back as it once was, or began to fail
    bool removed = false;      // said goodbye, was revoked or has expired: never to be live again
  };
  std::vector<Machine> machines;         // by number; the run adds to it as it adds machines
  Instant began{};                       // of the run: times in Broken count from here
  Instant disturbed{};                   // when a fault of any kind last began or ended, churn included
  Ppm loss = 0;                          // the heaviest that is set for any link now; in bursts, while they last
  // Whether datagrams can pass between the two now, in both directions. Empty: as the world says.
  std::function<bool(std::size_t, std::size_t)> path;
};

// Watches one promise of DESIGN section 8 in a running world: safety at all times, liveness when the
// calm ends. What does not hold goes to the list that it was given, each thing once and at most
// `reports_max` of them, because a broken promise is often broken everywhere.
class Checker : public Observer {
 public:
  static constexpr std::size_t reports_max = 16;

  Checker(std::string name, World& world, const CheckFacts& facts, std::vector<Broken>& found)
      : name_(std::move(name)), world_(world), facts_(facts), found_(found) {}
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  const std::string& name() const { return name_; }  // "I1"
  // Called about once a simulated second.
  virtual void look() {}
  // Called once, at the end of the calm at a run's end, before anything is torn down. This alone may let
  // the world go on for a few seconds: whoever wants a run's hash takes it before.
  virtual void calm_ends() {}

 protected:
  void report(std::string text, std::optional<std::size_t> node = std::nullopt);
  // Where a checker watches two promises of one kind.
  void report_as(const std::string& invariant, std::string text, std::optional<std::size_t> node = std::nullopt);
  bool full() const { return reports_ >= reports_max; }
  // A member as texts name it: "node 7".
  static std::string named(std::size_t machine) { return "node " + std::to_string(machine); }
  const CheckFacts::Machine& facts_of(std::size_t machine) const;
  bool honest(std::size_t machine) const { return !facts_of(machine).hostile; }
  bool has_path(std::size_t a, std::size_t b) const;
  // Sound for at least `span`.
  bool sound_for(std::size_t machine, Duration span) const;

  const World& world() const { return world_; }
  World& world_to_disturb() { return world_; }   // for calm_ends()
  std::optional<std::size_t> machine_of(const NodeId& id) const;
  const CheckFacts& facts() const { return facts_; }
  Instant now() const;

 private:
  std::string name_;
  World& world_;
  const CheckFacts& facts_;
  std::vector<Broken>& found_;
  std::size_t reports_ = 0;
};

// One for each invariant that can be seen in a world. All three outlive the checkers. They are to be
// added to the world's observers, and looked with once a simulated second.
std::vector<std::unique_ptr<Checker>> all_checkers(World& world, const CheckFacts& facts, std::vector<Broken>& found);

}  // namespace wigwag::sim
