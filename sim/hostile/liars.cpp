#include <algorithm>

#include "gossip/trust/statements.hpp"
#include "sim/hostile/member.hpp"

namespace wigwag::sim {
namespace {

// Puts words into others' mouths: with its own signature under their names, and with theirs spoilt.
class Forger final : public HostileMember {
 public:
  using HostileMember::HostileMember;

 private:
  static constexpr std::size_t kinds = 7;

  void act(Now now) override {
    const auto& all = known(now);
    std::vector<const Known*> victims;
    for (const auto& one : all) {
      if (honest(one.machine)) victims.push_back(&one);
    }
    if (victims.empty()) return;
    const Known& victim = *rng().pick(victims);
    const Known& other = *rng().pick(victims);
    const auto own = own_record(now);
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      const auto item = forge(kind, victim, other, own);
      for (const auto ear : some_honest(3)) push(ear, item);
      ++gang().deeds.forgeries;
    }
  }

  Item forge(std::size_t kind, const Known& victim, const Known& other, const std::optional<Known>& own) {
    const auto& network = seat().network();
    Record record = victim.record.body;
    record.version = next_version(record.version);
    switch (kind) {
      case 0:  // a goodbye
        record.left = true;
        return {ItemKind::record, make_record(record, network, seat().identity()).wire, {}, {}, {}};
      case 1:  // its traffic, to us
        if (own) record.tunnel_key = own->record.body.tunnel_key, record.endpoints = own->record.body.endpoints;
        return {ItemKind::record, make_record(record, network, seat().identity()).wire, {}, {}, {}};
      case 2: {  // its own record with a signature that was hit on the way
        Item spoilt{ItemKind::record, victim.record.wire, {}, {}, {}};
        spoilt.statement.back() ^= 1;
        return spoilt;
      }
      case 3: {  // an accusation by somebody else
        const Accusation body{victim.record.body.node, victim.record.body.version, other.record.body.node};
        return {ItemKind::accusation, make_accusation(body, network, seat().identity()).wire, {}, {}, {}};
      }
      case 4: {  // an admin's revocation of it
        Revocation body;
        body.kind = RevokedKind::node;
        body.target = victim.record.body.node.bytes;
        body.admin = AdminId{seat().id().bytes};
        body.at = UnixTime{victim.record.body.expires.seconds - 1};
        return {ItemKind::revocation, make_revocation(body, network, as_admin()).wire, {}, {}, {}};
      }
      case 5: {  // its record under our chain
        if (!own) break;
        record.certificate = blake2b(own->certificate);
        return {ItemKind::member, make_record(record, network, seat().identity()).wire, own->certificate, own->grant, own->redemption};
      }
      default: break;
    }
    // A member that nobody invited: our own key as an invitation's.
    Certificate certificate;
    certificate.node = NodeId{blake2b(record.node.view()).bytes};
    certificate.issuer = Issuer::admin;
    certificate.issuer_key = seat().id().bytes;
    certificate.name = "nobody";
    const auto signed_certificate = make_certificate(certificate, network, as_admin());
    record.node = certificate.node;
    record.certificate = blake2b(signed_certificate.wire);
    return {ItemKind::member, make_record(record, network, seat().identity()).wire, signed_certificate.wire, {}, {}};
  }

  // Its own identity's key, in the place of an admin's.
  AdminSecret as_admin() const { return AdminSecret(seat().identity().open()); }
};

// Tells one half of the network one thing and the other half another, under one version.
class Equivocator final : public HostileMember {
 public:
  using HostileMember::HostileMember;

 private:
  Duration beat() const override { return seconds(6); }
  void act(Now now) override {
    const auto own = own_record(now);
    if (!own) return;
    Record record = own->record.body;
    record.version = next_version(std::max(record.version, version(seat().machine())));
    const auto one = make_record(record, seat().network(), seat().identity());
    // The second also claims to be where an honest member is.
    for (const auto& other : known(now)) {
      if (honest(other.machine) && !other.record.body.endpoints.empty()) record.endpoints = other.record.body.endpoints;
    }
    record.expires.seconds -= 1;
    const auto another = make_record(record, seat().network(), seat().identity());
    ++gang().deeds.equivocations;
    for (const auto ear : some_honest(machines())) push(ear, {ItemKind::record, ear % 2 == 0 ? one.wire : another.wire, {}, {}, {}});
  }
};

}  // namespace

std::unique_ptr<Meddler> make_forger(const HostileFacts& facts) { return std::make_unique<Forger>(facts); }
std::unique_ptr<Meddler> make_equivocator(const HostileFacts& facts) { return std::make_unique<Equivocator>(facts); }

}  // namespace wigwag::sim
