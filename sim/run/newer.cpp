#include "sim/run/newer.hpp"

#include <optional>

#include "gossip/base/packed.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/trust/crypto.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration pause = seconds(1);
constexpr std::uint64_t kinds = std::variant_size_v<Message>;

// The first number of a message is its kind; what follows is what a later version might add.
Bytes message_of_later(std::uint64_t kind, std::uint64_t round) {
  Packer out;
  out.array(4).number(kind).number(round).text("of a later version").boolean(true);
  return out.take();
}

class Newer : public Meddler {
 public:
  void take_seat(const Seat& seat) override { seat_ = &seat; }
  std::optional<Duration> wants(Now) override { return pause; }

  void tick(Now) override {
    const World& world = seat_->world();
    if (world.size() < 2) return;
    next_ = (next_ + 1) % world.size();
    if (next_ == seat_->machine()) next_ = (next_ + 1) % world.size();
    const auto key = gossip_mac_key(seat_->network(), seat_->identity(), seat_->id(), world.id(next_));
    if (!key) return;
    const std::uint64_t kind = round_ % 2 == 0 ? kinds + round_ / 2 % 3 : round_ / 2 % kinds;
    seat_->say(next_, protect(message_of_later(kind, round_), *key));
    ++round_;
  }

 private:
  const Seat* seat_ = nullptr;
  std::size_t next_ = 0;
  std::uint64_t round_ = 0;
};

}  // namespace

std::unique_ptr<Meddler> make_newer() { return std::make_unique<Newer>(); }

}  // namespace wigwag::sim
