#include <array>

#include "gossip/trust/hello.hpp"
#include "gossip/trust/statements.hpp"
#include "sim/hostile/member.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

// A machine that is in two networks and mixes them up: it tells members of this one about members of the
// other, who are said to be where members of this one are; it speaks to them under the other's keys; and it
// calls them as if they were the other's. The other network is in order, with a root, an admin and members of
// its own, all of whom this one could believe.
class Mingler final : public HostileMember {
 public:
  explicit Mingler(const HostileFacts& facts)
      : HostileMember(facts),
        entropy_(seed_of(facts)),
        root_(entropy_.secret<RootSecret>()),
        admin_(entropy_.secret<AdminSecret>()),
        other_(public_key(root_)) {
    for (std::size_t i = 0; i < strangers; ++i) strangers_.push_back(entropy_.secret<NodeSecret>());
  }

 private:
  static constexpr std::size_t strangers = 4;
  static constexpr std::size_t ears = 3;

  static Secret<EntropySeedRole> seed_of(const HostileFacts& facts) {
    std::array<std::uint8_t, 32> raw{};
    store_be64(raw.data(), facts.seed);
    return Secret<EntropySeedRole>(raw);
  }

  void act(Now now) override {
    const auto own = own_record(now);
    if (!own) return;
    for (const auto ear : some_honest(ears)) {
      const NodeSecret& stranger = rng().pick(strangers_);
      // As it is in the other network, and signed for this one.
      push(ear, introduce(stranger, own->record.body, other_));
      push(ear, introduce(stranger, own->record.body, seat().network()));
      whisper(ear, stranger);
      call(ear);
      gang().deeds.mingled += 4;
    }
  }

  // A member of the other network that is where this machine is, signed in the one that is named.
  Item introduce(const NodeSecret& stranger, const Record& own, const NetworkId& network) {
    Certificate certificate;
    certificate.node = public_key(stranger);
    certificate.issuer = Issuer::admin;
    certificate.issuer_key = public_key(admin_).bytes;
    certificate.name = "stranger";
    const auto admitted = make_certificate(certificate, network, admin_);
    Record record = own;
    record.node = certificate.node;
    record.certificate = blake2b(admitted.wire);
    return {ItemKind::member, make_record(record, network, stranger).wire, admitted.wire, {}, {}};
  }

  // What members of the other network say to each other: in its name, and in a stranger's.
  void whisper(std::size_t ear, const NodeSecret& stranger) {
    Compare compare;
    compare.confirm = true;
    compare.ranges = {Range{}};
    const auto hello = encode_message(compare);
    if (const auto key = gossip_mac_key(other_, seat().identity(), seat().id(), id(ear))) seat().say(ear, protect(hello, *key));
    if (const auto key = gossip_mac_key(other_, stranger, public_key(stranger), id(ear))) seat().say(ear, protect(hello, *key));
  }

  void call(std::size_t ear) {
    const HelloCaller caller(other_, entropy_);
    seat().say_hello({seat().world().address(ear), World::hello_port}, caller.outgoing());
  }

  Entropy entropy_;
  RootSecret root_;
  AdminSecret admin_;
  NetworkId other_;
  std::vector<NodeSecret> strangers_;
};

}  // namespace

std::unique_ptr<Meddler> make_mingler(const HostileFacts& facts) { return std::make_unique<Mingler>(facts); }

}  // namespace wigwag::sim
