#include <algorithm>

#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I14. At the end of the calm, packets go from a sample of members to others, each other of one only,
// so that what arrives is known to be its. A cold tunnel takes a handshake, and each that is lost five
// seconds; so it is tried anew for as long as a streak of losses may take.
class Reach final : public Checker {
 public:
  Reach(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I14", world, facts, found) {}

  void calm_ends() override {
    std::vector<std::size_t> members;
    for (std::size_t machine = 0; machine < world().size(); ++machine) {
      if (facts_of(machine).expected && honest(machine) && sound_for(machine, seconds(30))) members.push_back(machine);
    }
    struct Try {
      std::size_t from, to;
      std::uint64_t before;
    };
    std::vector<Try> open;
    for (const auto i : spread_over(members.size(), 96)) {
      const auto from = members[(i + 1 + i % std::max<std::size_t>(1, members.size() - 1)) % members.size()];
      if (from != members[i] && has_path(from, members[i])) open.push_back({from, members[i], world().pings_received(members[i])});
    }
    World& changed = world_to_disturb();
    for (int round = 0; round < rounds && !open.empty(); ++round) {
      for (const auto& one : open) changed.ping(one.from, one.to);
      changed.run_for(milliseconds(5600));
      std::erase_if(open, [&](const Try& one) { return changed.pings_received(one.to) > one.before; });
    }
    for (const auto& one : open) {
      if (sound_for(one.from, {}) && sound_for(one.to, {})) {
        report("what " + named(one.from) + " sends to " + named(one.to) + " does not arrive, though there is a path", one.to);
      }
    }
  }

 private:
  static constexpr int rounds = 8;
};

}  // namespace

std::unique_ptr<Checker> check_reach(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Reach>(world, facts, found);
}

}  // namespace wigwag::sim
