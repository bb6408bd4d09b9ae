#include "sim/check/checkers.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// Not a promise of the protocol but of the simulator: no datagram comes from nowhere or goes there. What
// is counted here as sent, from outside, must be what the network counts.
class Conservation final : public Checker {
 public:
  Conservation(World& world, const CheckFacts& facts, std::vector<Broken>& found)
      : Checker("conservation", world, facts, found), sent_before_(world.counts().sent) {}

  void sent(std::size_t, std::size_t, bool) override { ++sent_; }
  void look() override {
    const auto& counts = world().counts();
    if (counts.sent + counts.duplicated != counts.delivered + counts.dropped + counts.in_flight) {
      report(std::to_string(counts.sent) + " sent and " + std::to_string(counts.duplicated) + " duplicated are not " + std::to_string(counts.delivered) +
             " delivered, " + std::to_string(counts.dropped) + " dropped and " + std::to_string(counts.in_flight) + " in flight");
    }
    if (counts.sent - sent_before_ != sent_) {
      report(std::to_string(sent_) + " datagrams were seen being sent, and the network counts " + std::to_string(counts.sent - sent_before_));
    }
  }
  void calm_ends() override { look(); }

 private:
  std::uint64_t sent_before_, sent_ = 0;
};

}  // namespace

std::unique_ptr<Checker> check_conservation(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Conservation>(world, facts, found);
}

}  // namespace wigwag::sim
