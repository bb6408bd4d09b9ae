#include <utility>

#include "gossip/membership/repair_budget.hpp"
#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// What a node may send in a window, by where it comes from. News: what Spread's two buckets let pass,
// with their bursts (membership/spread.hpp). Repairs: the budget of answers. The rest is probing and
// hellos: so many small datagrams a second. Beyond that a node may send no more than it was sent:
// answers that have no budget must not be larger than their questions.
constexpr double window_s = 10;
constexpr double news_rate = 16'000 + 48'000, news_burst = 64'000 + 256'000;
constexpr double rest_rate = 32'000;
// An item counts as what it takes in a datagram; headers, WireGuard's and those of smaller datagrams, come on top.
constexpr double wrapping = 1.25;

// I10. Counts what each machine puts on the wire, handshakes and all, in windows of ten seconds.
class Traffic final : public Checker {
 public:
  Traffic(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I10", world, facts, found) {}

  void sent(std::size_t machine, std::size_t bytes, bool) override {
    if (machine >= count_.size()) count_.resize(machine + 1);
    count_[machine].out += static_cast<double>(bytes);
  }
  void stepped(std::size_t machine, const Input& input) override {
    std::size_t bytes = 0;
    if (const auto* tunnel = std::get_if<TunnelDatagram>(&input)) bytes = tunnel->bytes.size() + overhead;
    if (const auto* hello = std::get_if<HelloDatagram>(&input)) bytes = hello->bytes.size() + overhead;
    if (bytes == 0) return;
    if (machine >= count_.size()) count_.resize(machine + 1);
    count_[machine].in += static_cast<double>(bytes);
  }
  void look() override {
    if (now() < next_) return;
    next_ = now() + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(window_s));
    for (std::size_t machine = 0; machine < count_.size(); ++machine) {
      const auto count = std::exchange(count_[machine], {});
      const double budget = ((news_rate + RepairBudget::rate + rest_rate) * window_s + news_burst + RepairBudget::burst) * wrapping;
      if (count.out <= budget + count.in || !honest(machine)) continue;
      report(named(machine) + " sent " + std::to_string(static_cast<std::size_t>(count.out)) + " bytes in ten seconds where " +
                 std::to_string(static_cast<std::size_t>(budget)) + " and the " + std::to_string(static_cast<std::size_t>(count.in)) +
                 " that it was sent are the most",
             machine);
    }
  }

 private:
  static constexpr std::size_t overhead = 28 + 32 + 48;
  struct Count {
    double out = 0, in = 0;
  };
  std::vector<Count> count_;
  Instant next_{};
};

}  // namespace

std::unique_ptr<Checker> check_traffic(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Traffic>(world, facts, found);
}

}  // namespace wigwag::sim
