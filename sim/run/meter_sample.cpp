#include <algorithm>

#include "sim/run/meter.hpp"

// What the mesh looks like at a time, and the sum of it.
namespace wigwag::sim {
namespace {

constexpr std::size_t pairs = 6;                     // that ping each other, each second
constexpr std::size_t pings_open_max = 64;
constexpr Duration ping_lost = seconds(6);           // one cold handshake may have to be begun anew, after five
constexpr std::array<Duration, 2> ping_again = {seconds(1), seconds(3)};
constexpr std::size_t members_hashed = 40'000;       // at most, for one sample
constexpr std::size_t views_least = 16;

double per(double sum, double of) { return of > 0 ? sum / of : 0; }

}  // namespace

void Meter::ping_some() {
  if (people_.size() < 2) return;
  for (std::size_t pair = 0; pair < std::min(pairs, people_.size() / 2) && pings_.size() < pings_open_max; ++pair) {
    constexpr int draws = 4;
    for (int draw = 0; draw < draws; ++draw) {
      const auto from = static_cast<std::size_t>(rng_.below(people_.size()));
      const auto to = static_cast<std::size_t>(rng_.below(people_.size()));
      const bool taken = std::any_of(pings_.begin(), pings_.end(), [&](const Ping& ping) { return ping.to == to; });
      if (from == to || taken || !pingable(from, to)) continue;
      pings_.push_back({from, to, world_.pings_received(to), now(), 0});
      world_.ping(from, to);
      break;
    }
  }
}

bool Meter::pingable(std::size_t from, std::size_t to) const {
  return well(people_[from]) && well(people_[to]) && !apart(people_[from], people_[to]) && world_.has_physical_path(from, to);
}

// A single datagram may be lost on the best of days: as real traffic would, it is tried again.
void Meter::read_pings() {
  std::erase_if(pings_, [&](Ping& ping) {
    if (world_.pings_received(ping.to) > ping.received) return ++arrived_, true;
    if (!pingable(ping.from, ping.to)) return true;
    if (now() >= ping.sent + ping_lost) return ++lost_, true;
    if (ping.again < ping_again.size() && now() >= ping.sent + ping_again[ping.again]) {
      ++ping.again;
      world_.ping(ping.from, ping.to);
    }
    return false;
  });
}

Duration Meter::ran_so_far() const {
  Duration ran{};
  for (const auto& one : people_) ran += one.ran + (one.running ? now() - one.started : Duration::zero());
  return ran;
}

const Sample& Meter::sample() {
  tell_doubts();
  Sample sample;
  sample.at = at();
  for (const auto& one : people_) {
    if (one.running) ++sample.running;
    if (one.joined) ++sample.joined;
  }
  const Duration ran = ran_so_far();
  const double node_seconds = to_seconds(ran - ran_before_);
  sample.bytes_per_node_s = per(static_cast<double>(bytes_ - bytes_before_), node_seconds);
  sample.handshakes_per_node_min = per(static_cast<double>(handshakes_ - handshakes_before_), node_seconds / 60);
  ran_before_ = ran;
  bytes_before_ = bytes_;
  handshakes_before_ = handshakes_;
  sample.suspects = suspects_;
  sample.downs = downs_;
  sample.false_downs = count_false_downs();
  // When there is nobody to reach, what was last seen stands.
  sample.reachable = arrived_ + lost_ > 0 ? per(static_cast<double>(arrived_), static_cast<double>(arrived_ + lost_))
                                          : samples_.empty() ? 1 : samples_.back().reachable;
  if (all_joined_ && arrived_ + lost_ > 0) reached_ += sample.reachable, ++reached_of_;
  arrived_ = lost_ = 0;
  look_at_views(sample);
  last_sample_ = now();
  next_sample_ = now() + every_;
  samples_.push_back(sample);
  return samples_.back();
}

// Of very many nodes some are looked at, others each time: hashing a view costs a step for each member.
void Meter::look_at_views(Sample& sample) {
  if (truth_stale_) renew_truth();
  const std::size_t most = std::max(views_least, members_hashed / std::max<std::size_t>(people_.size(), 1));
  std::map<Hash32, std::size_t> held;
  std::size_t looked = 0, right = 0, common = 0, step = 0;
  for (; step < people_.size() && looked < most; ++step) {
    const std::size_t machine = (looked_from_ + step) % people_.size();
    const Person& one = people_[machine];
    if (!one.running || !world_.running(machine)) continue;
    ++looked;
    if (!one.joined) continue;
    const Node& node = world_.node(machine);
    common = std::max(common, ++held[node.view().digest]);
    if (node.live_set() == truth_[one.condition.side]) ++right;
  }
  looked_from_ += step;
  sample.agreeing = per(static_cast<double>(common), static_cast<double>(looked));
  sample.true_views = per(static_cast<double>(right), static_cast<double>(looked));
}

std::size_t Meter::count_false_downs() const {
  std::size_t count = 0;
  for (std::size_t subject = 0; subject < people_.size(); ++subject) {
    const Person& one = people_[subject];
    if (one.downs.count() == 0 || !well(one)) continue;
    one.downs.for_each([&](std::size_t observer) {
      if (is_false(observer, subject)) ++count;
    });
  }
  return count;
}

void Meter::fill(RunOutcome& outcome) {
  tell_doubts();
  give_up_all();
  outcome.simulated_s = at();
  outcome.nodes = people_.size();
  outcome.all_joined = all_joined_;
  outcome.all_agreed = all_agreed_;
  outcome.join = figure_of(join_);
  outcome.convergence = figure_of(convergence_);
  outcome.update = figure_of(update_);
  outcome.detection = figure_of(detection_);
  outcome.detection_half = figure_of(detection_half_);
  outcome.detection_all = figure_of(detection_all_);
  outcome.healing = figure_of(healing_);
  outcome.false_downs = false_downs_;
  outcome.node_hours = to_seconds(ran_so_far()) / 3600;
  std::vector<double> rates;
  double handshakes = 0, node_minutes = 0;
  for (auto& one : people_) {
    stop_counting(one);
    if (one.counted < seconds(1)) continue;
    rates.push_back(static_cast<double>(one.bytes) / to_seconds(one.counted));
    handshakes += static_cast<double>(one.handshakes);
    node_minutes += to_seconds(one.counted) / 60;
  }
  outcome.bytes_per_node_s = figure_of(rates);
  outcome.handshakes_per_node_min = per(handshakes, node_minutes);
  outcome.seed_bytes_per_joiner = per(static_cast<double>(all_joined_ ? first_bytes_at_joined_ : first_bytes_), static_cast<double>(planned_ - 1));
  outcome.reachable = reached_of_ > 0 ? reached_ / static_cast<double>(reached_of_) : 1;
  outcome.samples = std::move(samples_);
  outcome.moments = std::move(moments_);
  outcome.moments_cut = moments_cut_;
}

}  // namespace wigwag::sim
