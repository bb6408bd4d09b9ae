#include "sim/explore/shrink.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace wigwag::sim {
namespace {

// What is smallest so far, and the tries that are left.
class Shrinker {
 public:
  Shrinker(Scenario failing, const std::function<bool(const Scenario&)>& breaks, std::size_t tries_most)
      : best_(std::move(failing)), breaks_(breaks), tries_most_(tries_most) {}

  Shrunk run() {
    for (bool smaller = true; smaller && tries_ < tries_most_;) {
      smaller = drop_happenings();
      smaller = drop_groups() || smaller;
      smaller = calm_weather() || smaller;
      smaller = drop_nodes() || smaller;
      smaller = shorten() || smaller;
      smaller = simplify_happenings() || smaller;
    }
    return {std::move(best_), tries_};
  }

 private:
  // Keeps `candidate` when it is another and breaks, too.
  bool take(Scenario candidate) {
    if (candidate == best_ || tries_ >= tries_most_) return false;
    ++tries_;
    if (!breaks_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }
  template <class Change>
  bool with(const Change& change) {
    Scenario candidate = best_;
    change(candidate);
    return take(std::move(candidate));
  }

  bool drop_happenings() {
    bool dropped = false;
    for (std::size_t size = best_.happenings.size(); size > 0; size /= 2) {
      for (std::size_t first = 0; first < best_.happenings.size();) {
        const auto last = std::min(first + size, best_.happenings.size());
        const bool gone = with([&](Scenario& s) {
          s.happenings.erase(s.happenings.begin() + static_cast<std::ptrdiff_t>(first), s.happenings.begin() + static_cast<std::ptrdiff_t>(last));
        });
        if (gone) dropped = true;
        else first = last;
      }
    }
    return dropped;
  }

  bool drop_groups() {
    bool dropped = false;
    for (std::size_t i = 0; i < best_.groups.size();) {
      const std::string name = best_.groups[i].name;
      // Who was chosen from it is then chosen from all.
      const bool gone = with([&](Scenario& s) {
        s.groups.erase(s.groups.begin() + static_cast<std::ptrdiff_t>(i));
        for (auto& event : s.happenings) {
          for (auto* who : {&event.who, &event.other}) {
            if (who->group == name) who->group.clear();
          }
        }
      });
      if (gone) dropped = true;
      else ++i;
    }
    return dropped;
  }

  bool calm_weather() {
    bool calmer = with([](Scenario& s) { s.weather = {}; });
    calmer = with([](Scenario& s) { s.churn = {}; }) || calmer;
    calmer = with([](Scenario& s) { s.weather.loss = 0; }) || calmer;
    calmer = with([](Scenario& s) { s.weather.bursts = {}; }) || calmer;
    calmer = with([](Scenario& s) { s.weather.duplication = s.weather.reordering = 0; }) || calmer;
    calmer = with([](Scenario& s) { s.weather.bandwidth = 0; }) || calmer;
    calmer = with([](Scenario& s) { s.weather.mtu = 0; }) || calmer;
    calmer = with([](Scenario& s) { s.weather.latency = {}; }) || calmer;
    calmer = with([](Scenario& s) { s.joining.over = {}; }) || calmer;
    calmer = with([](Scenario& s) { s.joining.seeds = 1; }) || calmer;
    calmer = with([](Scenario& s) { s.joining.certify_themselves = false; }) || calmer;
    calmer = with([](Scenario& s) { s.churn.fresh = 0; }) || calmer;
    return with([](Scenario& s) { s.joining = {.pattern = Joining::Pattern::converged}; }) || calmer;
  }

  // The smallest that the happenings and groups leave room for.
  std::size_t nodes_least() const {
    std::size_t least = 2;
    for (const auto& event : best_.happenings) {
      for (const auto* who : {&event.who, &event.other}) {
        for (const auto node : who->nodes) least = std::max(least, node + 1);
      }
    }
    std::size_t taken = 1;
    for (const auto& group : best_.groups) taken += group.count.value_or(1);
    return std::max(least, taken);
  }

  bool drop_nodes() {
    bool dropped = false;
    for (std::size_t step = best_.nodes / 2; step > 0; step /= 2) {
      while (best_.nodes >= nodes_least() + step && with([&](Scenario& s) { s.nodes -= step; })) dropped = true;
    }
    return dropped;
  }

  bool shorten() {
    Duration busy = seconds(10);
    for (const auto& event : best_.happenings) busy = std::max(busy, event.at + event.lasting.value_or(Duration{}) + event.spread);
    bool shorter = with([&](Scenario& s) { s.duration = std::min(s.duration, busy + s.calm); });
    const auto storm = [&] { return best_.duration - best_.calm; };
    while (storm() > seconds(20) && with([&](Scenario& s) { s.duration = s.calm + storm() / 2; })) shorter = true;
    return shorter;
  }

  bool simplify_happenings() {
    bool simpler = false;
    for (std::size_t i = 0; i < best_.happenings.size(); ++i) {
      const auto change = [&](const auto& how) { simpler = with([&](Scenario& s) { how(s.happenings[i]); }) || simpler; };
      change([](Happening& h) { h.spread = {}; });
      change([](Happening& h) { h.disk = DiskFate::kept; });
      change([](Happening& h) {
        if (h.who.share || h.who.count.value_or(0) > 1) h.who.share.reset(), h.who.count = 1;
      });
      change([](Happening& h) {
        if (h.lasting && *h.lasting > seconds(2)) h.lasting = *h.lasting / 2;
      });
    }
    return simpler;
  }

  Scenario best_;
  const std::function<bool(const Scenario&)>& breaks_;
  std::size_t tries_most_;
  std::size_t tries_ = 0;
};

}  // namespace

Shrunk shrink(Scenario failing, const std::function<bool(const Scenario&)>& breaks, std::size_t tries_most) {
  return Shrinker(std::move(failing), breaks, tries_most).run();
}

}  // namespace wigwag::sim
