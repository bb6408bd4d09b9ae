#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "gossip/base/rng.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/record.hpp"
#include "sim/hostile/hostile.hpp"

namespace wigwag::sim {

// What every hostile member can do: hear what its core hears, and say what its core would not.
class HostileMember : public Meddler {
 public:
  explicit HostileMember(const HostileFacts& facts) : gang_(facts.gang), rng_(facts.seed) {}

  void take_seat(const Seat& seat) override;
  std::optional<Duration> wants(Now) override;
  void tick(Now now) final;

 protected:
  // Once a beat, while it is a member.
  virtual void act(Now now) = 0;
  virtual Duration beat() const { return milliseconds(500); }

  const Seat& seat() const { return *seat_; }
  Gang& gang() const { return *gang_; }
  Rng& rng() { return rng_; }
  bool honest(std::size_t machine) const { return !gang_->holds(machine); }
  std::size_t machines() const;
  const NodeId& id(std::size_t machine) const;
  Version version(std::size_t machine) const;  // as its core holds it; zero for who is not known

  // Honest machines, each at most once; all when there are not more.
  std::vector<std::size_t> some_honest(std::size_t most);
  void say(std::size_t to, const Message& message);
  void say_raw(std::size_t to, Bytes payload);    // with the right MAC, whatever it is
  void push(std::size_t to, Item item);
  // What a datagram to this machine's core says; nullopt for what its core would not read either.
  struct Heard {
    std::size_t from;
    Message message;
  };
  std::optional<Heard> understand(const TunnelDatagram& datagram);
  // And one of its core's own.
  std::optional<Message> understand_own(const SendTunnel& sent);

  struct Known {
    std::size_t machine;
    Signed<Record> record;
    Bytes certificate, grant, redemption;
  };
  // All records that its core holds, decoded: at most once in five seconds, as it is much work.
  const std::vector<Known>& known(Now now);
  std::optional<Known> own_record(Now now);

 private:
  const MacKey* key_to(std::size_t machine);
  const MacKey* key_from(std::size_t machine);
  std::optional<std::size_t> machine_at(const Address& overlay);

  const Seat* seat_ = nullptr;
  std::shared_ptr<Gang> gang_;
  Rng rng_;
  std::map<std::size_t, std::optional<MacKey>> to_, from_;
  std::map<Address, std::size_t> addresses_;
  std::vector<Known> known_;
  Instant known_at_{};
};

// Each behaviour, in files of what they have in common.
using MakeHostile = std::unique_ptr<Meddler>(const HostileFacts&);
MakeHostile make_accuser_of_everyone, make_accuser_of_one, make_accuser_beyond;   // accusers.cpp
MakeHostile make_forger, make_equivocator;                   // liars.cpp
MakeHostile make_replayer, make_flooder, make_silent;        // noise.cpp
MakeHostile make_mingler;                                    // mingler.cpp

}  // namespace wigwag::sim
