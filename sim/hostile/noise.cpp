#include <algorithm>

#include "gossip/trust/overlay.hpp"
#include "sim/hostile/member.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// Keeps every statement and some datagrams that it ever heard and says them again, the old ones first.
class Replayer final : public HostileMember {
 public:
  using HostileMember::HostileMember;

  bool incoming(const Input& input) override {
    if (const auto* datagram = std::get_if<TunnelDatagram>(&input)) {
      keep(datagram->bytes, datagrams_);
      const auto heard = understand(*datagram);
      if (const auto* heard_push = heard ? std::get_if<Push>(&heard->message) : nullptr) {
        for (const auto& item : heard_push->items) gang().remember(item);
      }
    } else if (const auto* hello = std::get_if<HelloDatagram>(&input)) {
      keep(hello->bytes, hellos_);
    }
    return true;
  }

 private:
  static constexpr std::size_t kept_max = 256;
  static constexpr std::size_t a_beat = 8;

  static void keep(const Bytes& bytes, std::vector<Bytes>& kept) {
    if (kept.size() < kept_max) kept.push_back(bytes);
  }

  void act(Now now) override {
    // What everybody said before it began to listen, too: its own disk knows.
    if (gang().loot().empty()) {
      for (const auto& one : known(now)) gang().remember({ItemKind::member, one.record.wire, one.certificate, one.grant, one.redemption});
    }
    const auto ears = some_honest(a_beat);
    for (const auto ear : ears) {
      if (!gang().loot().empty()) push(ear, gang().loot()[next_++ % gang().loot().size()]);
      if (!datagrams_.empty()) seat().say(ear, rng().pick(datagrams_));  // as it came: for another receiver
      if (!hellos_.empty()) seat().say_hello({seat().world().address(ear), World::hello_port}, rng().pick(hellos_));
      gang().deeds.replays += 3;
    }
  }

  std::vector<Bytes> datagrams_, hellos_;
  std::size_t next_ = 0;
};

// Every kind of message, well formed or not, as many as it may: half of them to one victim. It asks for
// what costs others most to answer.
class Flooder final : public HostileMember {
 public:
  explicit Flooder(const HostileFacts& facts) : HostileMember(facts), a_second_(facts.datagrams_per_second) {}

 private:
  static constexpr std::size_t kinds = 12;

  Duration beat() const override { return milliseconds(50); }
  void act(Now now) override {
    if (flooding_since_ == Instant{}) flooding_since_ = now.at;
    const auto owed = static_cast<std::uint64_t>(to_seconds(now.at - flooding_since_) * a_second_);
    constexpr std::uint64_t at_once = 100;
    sent_ = std::max(sent_, owed - std::min(owed, at_once));  // what it slept through is not made up for
    for (; sent_ < owed; ++sent_) {
      const auto victim = gang().first_honest(machines());
      const auto any = some_honest(1);
      if (!victim || any.empty()) return;
      flood(sent_ % kinds, sent_ / kinds % 2 == 0 ? *victim : any.front(), now);
      ++gang().deeds.floods;
    }
  }

  std::vector<std::uint64_t> numbers(std::size_t count) {
    std::vector<std::uint64_t> made(count);
    for (auto& number : made) number = rng().next();
    return made;
  }
  std::vector<std::uint64_t> keys(std::size_t count) {
    std::vector<std::uint64_t> made(count);
    for (auto& key : made) key = load_be64(id(rng().below(machines())).bytes.data());
    return made;
  }

  void flood(std::uint64_t kind, std::size_t to, Now now) {
    const auto number = static_cast<std::uint32_t>(rng().below(1U << 16));
    switch (kind) {
      case 0: return say(to, Ping{number});
      case 1: return say(to, Ack{number, static_cast<std::uint16_t>(rng().below(1U << 16))});
      case 2: return say(to, PingRequest{number, id(rng().below(machines()))});
      case 3: return say(to, IndirectAck{number});
      case 4: return say(to, Push{stale_accusations(now)});
      case 5: return say(to, Push{old_members(now)});
      case 6: return say(to, Have{numbers(message_limits::ids)});
      case 7: return say(to, Want{numbers(message_limits::ids)});
      case 8: return say(to, Need{keys(message_limits::ids)});
      case 9: return say(to, Compare{now.wall, std::nullopt, true, {{.first = 0, .last = UINT64_MAX, .listed = false, .fingerprint = rng().next(), .count = 1}}});
      case 10: {
        Bytes noise(1 + rng().below(1100));
        for (auto& byte : noise) byte = static_cast<std::uint8_t>(rng().next());
        return say_raw(to, std::move(noise));
      }
      default: {
        Bytes hello(1200);
        for (auto& byte : hello) byte = static_cast<std::uint8_t>(rng().next());
        hello[0] = 'w', hello[1] = 'h', hello[2] = 1, hello[3] = static_cast<std::uint8_t>(1 + rng().below(5));
        return seat().say_hello({seat().world().address(to), World::hello_port}, std::move(hello));
      }
    }
  }

  // Against versions that were answered long ago: each asks for a record in return.
  std::vector<Item> stale_accusations(Now now) {
    if (accusations_.empty()) {
      for (const auto& one : known(now)) {
        if (!honest(one.machine) || accusations_.size() >= 5) continue;
        Accusation body{one.record.body.node, one.record.body.version, seat().id()};
        body.version.sequence = 0;
        accusations_.push_back({ItemKind::accusation, make_accusation(body, seat().network(), seat().identity()).wire, {}, {}, {}});
      }
    }
    return accusations_;
  }
  std::vector<Item> old_members(Now now) {
    const auto& all = known(now);
    std::vector<Item> items;
    std::size_t size = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& one = all[(next_ + i) % all.size()];
      Item item{ItemKind::record, one.record.wire, {}, {}, {}};
      size += item.packed_size();
      if (size > message_limits::items_bytes) break;
      items.push_back(std::move(item));
    }
    next_ += items.size();
    return items;
  }

  std::uint32_t a_second_;
  Instant flooding_since_{};
  std::uint64_t sent_ = 0;
  std::vector<Item> accusations_;
  std::size_t next_ = 0;
};

// Says that it is there, and nothing else: what others want passed on ends here.
class Silent final : public HostileMember {
 public:
  using HostileMember::HostileMember;

  void outgoing(Outputs& outputs) override {
    const auto swallowed = std::erase_if(outputs, [this](const Output& output) {
      const auto* sent = std::get_if<SendTunnel>(&output);
      const auto message = sent != nullptr ? understand_own(*sent) : std::nullopt;
      return message && !std::holds_alternative<Ping>(*message) && !std::holds_alternative<Ack>(*message);
    });
    gang().deeds.swallowed += swallowed;
  }
  std::optional<Duration> wants(Now) override { return std::nullopt; }

 private:
  void act(Now) override {}
};

}  // namespace

std::unique_ptr<Meddler> make_replayer(const HostileFacts& facts) { return std::make_unique<Replayer>(facts); }
std::unique_ptr<Meddler> make_flooder(const HostileFacts& facts) { return std::make_unique<Flooder>(facts); }
std::unique_ptr<Meddler> make_silent(const HostileFacts& facts) { return std::make_unique<Silent>(facts); }

}  // namespace wigwag::sim
