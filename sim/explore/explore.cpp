#include "sim/explore/explore.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "gossip/base/check.hpp"
#include "gossip/trust/crypto.hpp"
#include "sim/explore/shrink.hpp"
#include "sim/run/run.hpp"

namespace wigwag::sim {
namespace {

// Threads take the next seed until there is none; what they found is put in order at the end.
class Search {
 public:
  explicit Search(const Exploration& exploration) : exploration_(exploration) {}

  Explored run() {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < exploration_.threads; ++i) others.emplace_back([this] { work(); });
    work();
    for (auto& other : others) other.join();
    return gather();
  }

 private:
  struct One {
    Hash32 trace;
    double node_hours = 0;
  };

  bool stopped() const { return exploration_.stop && exploration_.stop(); }

  void work() {
    for (;;) {
      const auto index = next_.fetch_add(1);
      if (index >= exploration_.runs || stopped()) return;
      try_seed(exploration_.first_seed + index);
    }
  }

  RunOutcome play(const Scenario& scenario, std::uint64_t seed) const {
    RunControl control;
    control.moments = false;
    control.stop = [this] { return stopped(); };
    return sim::run(scenario, seed, control);
  }

  void try_seed(std::uint64_t seed) {
    const Scenario scenario = random_scenario(seed, exploration_.bounds);
    const RunOutcome outcome = play(scenario, seed);
    if (outcome.interrupted) return;
    std::optional<Found> found;
    if (!outcome.broken.empty()) found = look_closer(scenario, seed, outcome.broken);
    const std::lock_guard lock(mutex_);
    runs_[seed] = {outcome.trace, outcome.node_hours};
    if (found) found_.emplace(seed, std::move(*found));
    if (exploration_.progress) exploration_.progress(runs_.size(), found_.size());
  }

  Found look_closer(const Scenario& scenario, std::uint64_t seed, std::vector<Broken> broken) const {
    // Another promise that breaks in a smaller scenario is another fault, perhaps.
    const std::string invariant = broken.front().invariant;
    Broken left = broken.front();
    const auto breaks = [&](const Scenario& smaller) {
      if (stopped()) return false;
      const RunOutcome outcome = play(smaller, seed);
      const auto same = std::find_if(outcome.broken.begin(), outcome.broken.end(), [&](const Broken& b) { return b.invariant == invariant; });
      if (outcome.interrupted || same == outcome.broken.end()) return false;
      left = *same;
      return true;
    };
    Shrunk shrunk = shrink(scenario, breaks, exploration_.shrink_tries);
    return {seed, std::move(broken), std::move(shrunk.scenario), std::move(left), shrunk.tries};
  }

  Explored gather() {
    Explored explored;
    explored.runs = runs_.size();
    Bytes traces;
    for (const auto& [seed, one] : runs_) {
      explored.node_hours += one.node_hours;
      traces.insert(traces.end(), one.trace.bytes.begin(), one.trace.bytes.end());
    }
    explored.trace = blake2b(traces);
    for (auto& [seed, found] : found_) explored.found.push_back(std::move(found));
    return explored;
  }

  const Exploration& exploration_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::map<std::uint64_t, One> runs_;
  std::map<std::uint64_t, Found> found_;
};

}  // namespace

Explored explore(const Exploration& exploration) {
  check(start_crypto(), "libsodium starts");
  return Search(exploration).run();
}

}  // namespace wigwag::sim
