#include <algorithm>

#include "gossip/membership/record.hpp"
#include "gossip/trust/chain.hpp"
#include "sim/check/checkers.hpp"
#include "sim/check/samples.hpp"
#include "sim/world/world.hpp"

namespace wigwag::sim {
namespace {

std::optional<std::string> fault_of_member(const StoredState::Member& member, const NetworkId& network, const Bundle& bundle, Verifier& verifier) {
  const auto record = decode_record(member.record);
  if (!record || !verify_record(*record, network, verifier)) return "a record that its owner did not sign";
  const auto chain = decode_chain(member.certificate, member.grant, member.redemption);
  if (!chain) return "a broken chain";
  if (chain->certificate.body.node != record->body.node || blake2b(member.certificate) != record->body.certificate) {
    return "a certificate that its record does not name";
  }
  // When it expires, and whether the sponsor is known, changes with time; that it was signed does not.
  const ChainContext context{.bundle = bundle, .network = network, .now = std::nullopt, .sponsor_known = true, .grant_withdrawn = false, .withdrawn_at = {}};
  if (!verify_chain(*chain, context, verifier)) return "a chain that does not hold";
  for (const auto& wire : member.accusations) {
    const auto accusation = decode_accusation(wire);
    if (!accusation || !verify_accusation(*accusation, network, verifier)) return "an accusation that its accuser did not sign";
    if (accusation->body.subject != record->body.node || accusation->body.version != record->body.version) return "an accusation against another version";
    if (accusation->body.accuser == accusation->body.subject) return "an accusation of itself by itself";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of(const StoredState& stored, Verifier& verifier) {
  if (stored.bundle.empty()) return std::nullopt;  // not joined yet
  const auto bundle = decode_bundle(stored.bundle);
  if (!bundle || !verify_bundle(*bundle, stored.network, verifier)) return "holds a bundle that the root did not sign";
  for (const auto& member : stored.members) {
    if (const auto fault = fault_of_member(member, stored.network, bundle->body, verifier)) {
      const auto record = decode_record(member.record);
      return "holds " + *fault + ", of " + (record ? to_hex(record->body.node).substr(0, 16) : "nobody");
    }
  }
  for (const auto& wire : stored.revocations) {
    const auto revocation = decode_revocation(wire);
    if (!revocation || !verify_revocation(*revocation, bundle->body, stored.network, verifier)) return "holds a revocation that no admin signed";
  }
  return std::nullopt;
}

namespace {

// I2. Takes what a node would write to disk and verifies all of it, with a verifier of its own and
// nothing of the roster's: one node after the other, in large networks more rarely, as it is O(N).
class Signatures final : public Checker {
 public:
  Signatures(World& world, const CheckFacts& facts, std::vector<Broken>& found) : Checker("I2", world, facts, found) {}

  void look() override {
    if (!turn_.comes(world().size())) return;
    const auto machine = next_++ % world().size();
    if (world().running(machine) && honest(machine)) look_at(machine);
  }
  void calm_ends() override {
    for (const auto machine : spread_over(world().size(), 8)) {
      if (world().running(machine) && honest(machine)) look_at(machine);
    }
  }

 private:
  void look_at(std::size_t machine) {
    const auto stored = decode_stored(world().node(machine).stored());
    const auto fault = stored ? fault_of(*stored, verifier_) : std::optional<std::string>("would store what cannot be read back");
    if (fault) report(named(machine) + " " + *fault, machine);
  }

  Verifier verifier_{1 << 18};
  Turn turn_{50};
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Checker> check_signatures(World& world, const CheckFacts& facts, std::vector<Broken>& found) {
  return std::make_unique<Signatures>(world, facts, found);
}

}  // namespace wigwag::sim
