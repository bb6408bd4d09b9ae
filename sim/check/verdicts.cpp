#include <algorithm>
#include <set>

#include "gossip/membership/record.hpp"
#include "gossip/membership/rings.hpp"
#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// I3. At a verdict, the evidence that the node holds is taken from what it would write to disk and
// counted anew: enough accusers who may speak, or after ten seconds enough of any, with those of the
// subject's observers that are silent themselves. Who was live is looked up after the step, when those who
// fell with the subject are out already: so the fewest votes that can have been needed are asked for, and
// positions may have shifted by as much again as the protocol allows. At most `budget` verdicts a look.
class EvidenceOfVerdicts final : public Checker {
 public:
  EvidenceOfVerdicts(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I3", world, facts, found) {}

  void stopped(std::size_t machine) override {
    suspect_since_.erase(suspect_since_.lower_bound({machine, NodeId{}}), suspect_since_.lower_bound({machine + 1, NodeId{}}));
  }
  void raised(std::size_t machine, const Event& event) override {
    if (!honest(machine)) return;
    if (event.kind == EventKind::member_suspect) suspect_since_[{machine, event.subject}] = now();
    if (event.kind == EventKind::member_alive || event.kind == EventKind::member_left) suspect_since_.erase({machine, event.subject});
    if (event.kind != EventKind::member_down) return;
    const auto since = suspect_since_.find({machine, event.subject});
    const auto accused_for = since == suspect_since_.end() ? std::nullopt : std::optional(now() - since->second);
    if (since != suspect_since_.end()) suspect_since_.erase(since);
    if (spent_ >= budget()) return;
    ++spent_;
    judge(machine, event.subject, accused_for);
  }
  void look() override { spent_ = 0; }

 private:
  static constexpr Duration lonely_grace = seconds(10);
  static constexpr Duration refutation_grace = milliseconds(1500);

  std::size_t budget() const { return std::max<std::size_t>(1, 2000 / std::max<std::size_t>(world().size(), 1)); }

  struct Evidence {
    std::set<NodeId> accusers;
    bool genuine = true;
  };
  Evidence evidence(std::size_t machine, const NodeId& subject) {
    Evidence evidence;
    const auto stored = decode_stored(world().node(machine).stored());
    if (!stored) return evidence;
    network_ = stored->network;
    for (const auto& member : stored->members) {
      const auto record = decode_record(member.record);
      if (!record || record->body.node != subject) continue;
      for (const auto& wire : member.accusations) {
        const auto accusation = decode_accusation(wire);
        const bool holds = accusation && accusation->body.subject == subject && accusation->body.version == record->body.version &&
                           accusation->body.accuser != subject && verify_accusation(*accusation, stored->network, verifier_);
        if (!holds) evidence.genuine = false;
        else if (world().node(machine).health_of(accusation->body.accuser)) evidence.accusers.insert(accusation->body.accuser);
      }
    }
    return evidence;
  }

  const RingPositions& positions(const NodeId& id) {
    const auto [found, fresh] = positions_.try_emplace(id);
    if (fresh) found->second = ring_positions(network_, id);
    return found->second;
  }

  // In some ring at most `seats` of the live stand between them.
  bool within(const NodeId& accuser, const NodeId& subject, std::size_t seats, const std::vector<NodeId>& live) {
    const auto& from = positions(accuser);
    const auto& to = positions(subject);
    for (std::size_t ring = 0; ring < rings_max; ++ring) {
      const auto between = std::count_if(live.begin(), live.end(), [&](const NodeId& id) {
        return id != accuser && id != subject && positions(id)[ring] - from[ring] < to[ring] - from[ring];
      });
      if (static_cast<std::size_t>(between) <= seats) return true;
    }
    return false;
  }

  void judge(std::size_t machine, const NodeId& subject, std::optional<Duration> accused_for) {
    const auto found = evidence(machine, subject);
    if (!found.genuine) report(named(machine) + " took an accusation for evidence that does not hold", machine);
    const Node& node = world().node(machine);
    std::vector<NodeId> live, silent;
    for (std::size_t other = 0; other < world().size(); ++other) {
      const auto& id = world().id(other);
      const auto health = node.health_of(id);
      if (health == Health::alive || health == Health::suspect) live.push_back(id);
      if ((health == Health::suspect || health == Health::dead) && id != subject) silent.push_back(id);
    }
    const auto needed = quorum(live.size() + 1);
    const auto legal = static_cast<std::size_t>(std::count_if(found.accusers.begin(), found.accusers.end(), [&](const NodeId& accuser) {
      return within(accuser, subject, 2 * observer_slack, live);
    }));
    const auto who = machine_of(subject);
    const auto against = (who ? named(*who) : std::string("somebody")) + " for Down";
    if (accused_for && *accused_for < refutation_grace) {
      report(named(machine) + " took " + against + " " + std::to_string(to_seconds(*accused_for)) + " s after the first accusation", machine);
    }
    if (legal >= needed) return;
    if (accused_for && *accused_for < lonely_grace) {
      report(named(machine) + " took " + against + " on " + std::to_string(legal) + " legal accusations where " + std::to_string(needed) + " are needed", machine);
      return;
    }
    const auto quiet = static_cast<std::size_t>(std::count_if(silent.begin(), silent.end(), [&](const NodeId& id) {
      return !found.accusers.contains(id) && within(id, subject, 2 * observer_slack, live);
    }));
    // Of those who may watch the subject, whoever counts for nothing here need not have spoken.
    const auto abstaining = static_cast<std::size_t>(std::count_if(live.begin(), live.end(), [&](const NodeId& id) {
      return node.ignores(id, subject, now()) && within(id, subject, observer_slack, live);
    }));
    if (found.accusers.empty() || found.accusers.size() + quiet < quorum(live.size() + 1, abstaining)) {
      report(named(machine) + " took " + against + " on " + std::to_string(found.accusers.size()) + " accusations and " + std::to_string(quiet) +
                 " silent observers where " + std::to_string(needed) + " are needed", machine);
    }
  }

  Verifier verifier_{1 << 16};
  std::map<std::pair<std::size_t, NodeId>, Instant> suspect_since_;
  NetworkId network_;
  std::map<NodeId, RingPositions> positions_;
  std::size_t spent_ = 0;
};

}  // namespace

std::unique_ptr<Checker> check_verdicts(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<EvidenceOfVerdicts>(world, facts, found);
}

}  // namespace wigwag::sim
