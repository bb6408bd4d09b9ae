#include <algorithm>

#include "sim/check/bounds_of_time.hpp"
#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I4, and I12 where hostile members are about. A verdict of an honest node against an honest member is
// watched until it is taken back. While either is not sound or no path joins them, its time stands still
// at zero, and so it does while the subject is adrift and nobody can call it. Watches at most `watched_max` verdicts, as many as `visits` a look, in turn.
class Refutations final : public Checker {
 public:
  Refutations(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I4", world, facts, found) {}

  void stopped(std::size_t machine) override { watched_.erase(watched_.lower_bound({machine, 0}), watched_.lower_bound({machine + 1, 0})); }
  void raised(std::size_t machine, const Event& event) override {
    if (event.kind == EventKind::member_down) {
      const auto subject = machine_of(event.subject);
      if (subject && honest(machine) && honest(*subject) && watched_.size() < watched_max) watched_.try_emplace({machine, *subject}, now());
    } else if (event.kind == EventKind::member_alive || event.kind == EventKind::member_left || event.kind == EventKind::member_forgotten) {
      const auto subject = machine_of(event.subject);
      if (subject) watched_.erase({machine, *subject});
    }
  }

  void look() override {
    auto at = watched_.upper_bound(last_);
    for (std::size_t left = std::min(visits, watched_.size()); left > 0 && !watched_.empty(); --left) {
      if (at == watched_.end()) at = watched_.begin();
      last_ = at->first;
      at = visit(at->first.first, at->first.second, at->second) ? std::next(at) : watched_.erase(at);
    }
  }
  // Of what could not be visited within the calm, too.
  void calm_ends() override {
    for (auto& [pair, since] : watched_) visit(pair.first, pair.second, since);
  }

 private:
  using Watched = std::map<std::pair<std::size_t, std::size_t>, Instant>;  // (observer, subject): Down for no excuse since
  static constexpr std::size_t watched_max = 200'000;
  static constexpr std::size_t visits = 10'000;

  bool some_hostile() const {
    return std::any_of(facts().machines.begin(), facts().machines.end(), [](const auto& machine) { return machine.hostile; });
  }

  // It knows no honest member that it could reach, nor such a seed: whom it could tell of itself.
  bool adrift(std::size_t subject) const {
    for (std::size_t other = 0; other < world().size(); ++other) {
      if (other == subject || !honest(other) || !has_path(subject, other)) continue;
      const bool known = world().node(subject).health_of(world().id(other)).has_value();
      if (known || other < world().options(subject).seeds) return false;
    }
    return true;
  }
  // The observer knows an address at which a call to the subject arrives: no router of its own turns it away.
  bool can_call(std::size_t observer, std::size_t subject) const {
    const auto& options = world().options(subject);
    if (options.nat || options.beside) return false;
    const auto stored = decode_stored(world().node(observer).stored());
    return stored && std::any_of(stored->members.begin(), stored->members.end(), [&](const StoredState::Member& member) {
      const auto record = decode_record(member.record);
      return record && record->body.node == world().id(subject) &&
             std::any_of(record->body.endpoints.begin(), record->body.endpoints.end(), [&](const Endpoint& at) { return at.address == world().address(subject); });
    });
  }
  bool out_of_reach(std::size_t observer, std::size_t subject) const {
    return !has_path(observer, subject) || (adrift(subject) && !can_call(observer, subject));
  }

  // False when there is no more to watch.
  bool visit(std::size_t observer, std::size_t subject, Instant& since) {
    if (!honest(subject) || !honest(observer) || facts_of(subject).removed) return false;
    if (!sound_for(observer, {}) || !sound_for(subject, {}) || !world().node(subject).joined() || out_of_reach(observer, subject)) {
      since = now();
      return true;
    }
    since = std::max({since, facts_of(observer).sound_since, facts_of(subject).sound_since});
    if (now() - since <= refutation_bound(facts().loss)) return true;
    if (!world().sees_down(observer, subject)) return false;
    report_as(some_hostile() ? "I12" : "I4", named(observer) + " has held " + named(subject) + " for Down for " + std::to_string(static_cast<int>(to_seconds(now() - since))) +
               " s, while both were sound and a path joined them",
           subject);
    return false;
  }

  Watched watched_;
  Watched::key_type last_{};
};

}  // namespace

std::unique_ptr<Checker> check_refutations(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Refutations>(world, facts, found);
}

}  // namespace wigwag::sim
