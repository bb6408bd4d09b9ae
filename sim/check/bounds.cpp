#include <utility>

#include "gossip/base/limits.hpp"
#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// What one step may put out: the bursts of all budgets at once, and as much again for answers that have none.
constexpr std::size_t step_bytes_max = 2'000'000;
constexpr std::size_t step_outputs_max = 8192;
constexpr std::size_t stored_bytes_max = 16U << 20;  // what a daemon reads back

enum HelloKind : std::uint8_t { call = 1, introduction = 2, cookie = 5 };
constexpr std::size_t hello_kind_at = 3;

// I8. Introductions and cookies are all that a host says before a proof: they are weighed against the
// calls that came from the same address and port. A node's life ends its scales.
class Bounds final : public Checker {
 public:
  Bounds(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I8", world, facts, found) {}

  void started(std::size_t machine) override { forget(machine); }
  void stopped(std::size_t machine) override { forget(machine); }
  // A step's answers are said before the step is told as done: weighed once both are known.
  void stepped(std::size_t machine, const Input& input) override {
    const auto* datagram = std::get_if<HelloDatagram>(&input);
    if (datagram != nullptr && kind_of(datagram->bytes) == call) scales_[{machine, datagram->from}].in += datagram->bytes.size();
    for (const auto& to : std::exchange(answered_, {})) {
      const auto& scale = scales_[{machine, to}];
      if (scale.out <= scale.in) continue;
      report(named(machine) + " answered " + to_string(to) + " with " + std::to_string(scale.out) + " bytes before it was proven, having heard " +
                 std::to_string(scale.in),
             machine);
    }
  }
  void said(std::size_t machine, const Outputs& outputs) override {
    if (!honest(machine)) return;
    std::size_t bytes = 0;
    for (const auto& output : outputs) {
      if (const auto* tunnel = std::get_if<SendTunnel>(&output)) {
        bytes += tunnel->bytes.size();
        if (tunnel->bytes.size() > limits::datagram_payload) too_large(machine, tunnel->bytes.size(), limits::datagram_payload);
      } else if (const auto* hello = std::get_if<SendHello>(&output)) {
        bytes += hello->bytes.size();
        weigh_out(machine, *hello);
      }
    }
    if (bytes > step_bytes_max || outputs.size() > step_outputs_max) {
      report(named(machine) + " put out " + std::to_string(outputs.size()) + " things with " + std::to_string(bytes) + " bytes in one step", machine);
    }
  }

  void look() override {
    if (!turn_.comes(world().size())) return;
    const auto machine = next_++ % world().size();
    if (!world().running(machine)) return;
    const auto size = world().node(machine).stored().size();
    if (size > stored_bytes_max) report(named(machine) + " would store " + std::to_string(size) + " bytes", machine);
  }

 private:
  struct Scale {
    std::size_t in = 0, out = 0;
  };

  static std::uint8_t kind_of(const Bytes& hello) { return hello.size() > hello_kind_at ? hello[hello_kind_at] : std::uint8_t{0}; }
  void forget(std::size_t machine) { scales_.erase(scales_.lower_bound({machine, Endpoint{}}), scales_.lower_bound({machine + 1, Endpoint{}})); }
  void weigh_out(std::size_t machine, const SendHello& hello) {
    const auto kind = kind_of(hello.bytes);
    const auto most = kind == call || kind == introduction ? limits::datagram_payload : limits::hello_bytes;
    if (hello.bytes.size() > most) too_large(machine, hello.bytes.size(), most);
    if (kind != introduction && kind != cookie) return;
    scales_[{machine, hello.to}].out += hello.bytes.size();
    answered_.push_back(hello.to);
  }
  void too_large(std::size_t machine, std::size_t size, std::size_t most) {
    report(named(machine) + " sent a datagram of " + std::to_string(size) + " bytes where " + std::to_string(most) + " are the most", machine);
  }
  std::map<std::pair<std::size_t, Endpoint>, Scale> scales_;
  std::vector<Endpoint> answered_;  // in the step that goes on
  Turn turn_{50};
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Checker> check_bounds(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Bounds>(world, facts, found);
}

}  // namespace wigwag::sim
