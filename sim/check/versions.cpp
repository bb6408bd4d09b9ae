#include <algorithm>

#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

std::string text_of(const Version& version) { return std::to_string(version.epoch) + "." + std::to_string(version.sequence); }

// I1. Looks at a panel of nodes that stays the same, at most `panel_max` of them spread over all, and
// at those only that learned something since. What an observer knows lasts as long as its daemon;
// what an owner has used lasts as long as its disk. A goodbye may bear any version: it is final anyway.
class Versions final : public Checker {
 public:
  Versions(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I1", world, facts, found) {}

  void started(std::size_t machine) override { seen_.erase(machine); }
  void stopped(std::size_t machine) override { seen_.erase(machine); }

  void look() override {
    for (const auto machine : panel()) {
      if (!world().running(machine)) continue;
      auto& seen = seen_[machine];
      const auto revision = world().node(machine).view().revision;
      if (seen.revision == revision && !seen.held.empty()) continue;
      seen.revision = revision;
      look_at(machine, seen.held);
    }
  }

 private:
  static constexpr std::size_t panel_max = 24;
  struct Seen {
    std::uint64_t revision = 0;
    std::vector<Version> held;  // by subject
  };
  struct Own {
    Version version;
    std::uint32_t disks = 0;
  };

  std::vector<std::size_t> panel() {
    if (panel_.size() < panel_max) {
      for (std::size_t next = panel_.size(); next < std::min(world().size(), panel_max); ++next) panel_.push_back(next);
    } else if (panel_of_ < world().size() / 2) {  // it has grown since: spread again, once for each doubling
      panel_of_ = world().size();
      for (std::size_t i = 0; i < panel_max; ++i) panel_[i] = i * panel_of_ / panel_max;
    }
    return panel_;
  }

  void look_at(std::size_t observer, std::vector<Version>& held) {
    const Node& node = world().node(observer);
    held.resize(world().size());
    for (std::size_t subject = 0; subject < held.size(); ++subject) {
      const auto version = node.version_of(world().id(subject));
      if (version == Version{}) continue;
      const bool left = node.health_of(world().id(subject)) == Health::left;
      if (version < held[subject] && !left) {
        report(named(observer) + " went back from version " + text_of(held[subject]) + " of " + named(subject) + " to " + text_of(version), observer);
      }
      held[subject] = version;
      if (subject == observer && !left && !world().mute(observer)) look_at_own(observer, version);
    }
  }

  void look_at_own(std::size_t owner, Version version) {
    auto& own = own_[owner];
    const auto disks = facts_of(owner).disks;
    if (own.disks == disks && version < own.version && honest(owner)) {
      report(named(owner) + " speaks with version " + text_of(version) + " after it had used " + text_of(own.version) + ", and its disk was kept", owner);
    }
    own = {version, disks};
  }

  std::vector<std::size_t> panel_;
  std::size_t panel_of_ = 0;
  std::map<std::size_t, Seen> seen_;
  std::map<std::size_t, Own> own_;
};

}  // namespace

std::unique_ptr<Checker> check_versions(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Versions>(world, facts, found);
}

}  // namespace wigwag::sim
