#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {

Node::Impl::Impl(NodeConfig config, NodeSecrets secrets, StoredState stored, std::optional<Invitation> invitation, Verifier& verifier)
    : config_(std::move(config)),
      identity_(secrets.in_its_place ? std::move(secrets.in_its_place) : std::make_unique<HeldIdentity>(std::move(secrets.identity))),
      tunnel_key_(secrets.tunnel_key),
      id_(identity_->id()),
      entropy_(std::move(secrets.entropy_seed)),
      verifier_(&verifier),
      rng_(config_.random_seed),
      roster_({config_.network, config_.members_max, id_}, verifier),
      prober_(id_, rng_.next()),
      anti_entropy_(rng_.next()),
      hello_client_(config_.network, rng_.next()),
      hello_host_(config_.network, entropy_),
      invitation_(std::move(invitation)) {
  load(std::move(stored));
  if (!joined_ && invitation_) certify(*invitation_);
  if (!joined_ && waiting_for_.empty()) {
    waiting_for_ = invitation_ ? "no seed has answered yet" : "no invitation: ask a member for one with wigwag invite";
  }
}

// Everything on disk is verified as if a stranger had sent it, but for what only the passing of
// time could have made invalid: that its sponsor is still known, and that it has not run out.
void Node::Impl::load(StoredState stored) {
  version_.epoch = stored.epoch;
  ipv4_attempt_ = stored.ipv4_attempt;
  if (stored.bundle.empty()) return;
  auto bundle = decode_bundle(stored.bundle);
  if (!bundle || !verify_bundle(*bundle, config_.network, *verifier_)) {
    waiting_for_ = "the stored trust bundle does not hold for this network: join again with an invitation";
    return;
  }
  roster_.set_bundle(std::move(*bundle));
  if (!stored.certificate.empty()) {
    auto chain = decode_chain(stored.certificate, stored.grant, stored.redemption);
    if (chain && chain->certificate.body.node == id_) chain_ = std::move(*chain);
  }
  for (const auto& member : stored.members) {
    const Item item{ItemKind::member, member.record, member.certificate, member.grant, member.redemption};
    const auto record = decode_record(member.record);
    if (!record) continue;
    // Our own record is made anew.
    if (record->body.node == id_) dated_ = UnixTime{record->body.expires.seconds - record_lifetime_s};
    else roster_.apply_record(item, std::nullopt, UnixTime{}, true);
  }
  for (const auto& member : stored.members) {
    for (const auto& accusation : member.accusations) roster_.apply_accusation({ItemKind::accusation, accusation, {}, {}, {}}, Instant{});
  }
  // Behind the members: whose invitation was withdrawn after it was let in stays.
  for (const auto& revocation : stored.revocations) roster_.apply_revocation({ItemKind::revocation, revocation, {}, {}, {}});
  roster_.take_aftermath();  // told in an earlier life
  joined_ = chain_.has_value();
  if (chain_) dated_ = std::max(dated_, chain_->redemption ? chain_->redemption->body.at : chain_->certificate.body.issued);
  if (!joined_) waiting_for_ = "the stored membership does not hold: join again with an invitation";
}

// Signs our own certificate with the invitation's key, asking for all that it may confer.
void Node::Impl::certify(const Invitation& invitation) {
  const Grant& grant = invitation.grant.body;
  if (!name_matches(grant.name_pattern, config_.name)) {
    waiting_for_ = "the invitation admits only names like " + grant.name_pattern + ", and this node is called " + config_.name;
    return;
  }
  const Certificate body = certificate_under(grant, id_, config_.name);
  if (!leave_room_for_record(body, grant)) {
    const bool any_name = leave_room_for_record(certificate_under(grant, id_, "n"), grant);
    waiting_for_ = any_name ? "the name " + config_.name + " is too long beside the " + std::to_string(grant.may.subnets.size()) +
                                  " subnets that the invitation confers: give this node a shorter name, or ask for a token with fewer subnets"
                            : "the invitation confers too many subnets to be told to other members: ask for a token with fewer";
    return;
  }
  dated_ = grant.issued;
  chain_ = Chain{invitation.certificate ? *invitation.certificate : make_certificate(body, config_.network, invitation.secret), invitation.grant, std::nullopt};
  // With a secret for any number of uses nobody's leave is needed: we are a member, if so far
  // the only one, and go on calling seeds to find the others.
  if (grant.uses == 0 && invitation.bundle && verify_bundle(*invitation.bundle, config_.network, *verifier_)) {
    roster_.set_bundle(*invitation.bundle);
    joined_ = true;
  }
}

// We hold a chain and a bundle: speak, if only to ourselves so far.
void Node::Impl::become_member() {
  joined_ = true;
  waiting_for_.clear();
  refused_by_.clear();
  heard_at_ = now_.at;
  next_compare_ = now_.at;
  next_rejoin_ = now_.at + seconds(1);
  next_rejoin_hello_ = now_.at + seconds(2);
  next_sweep_ = now_.at + minutes(1);
  verdicts_.restart_graces(now_.at, roster_);
  announce(true);
  if (roster_.live_count() <= 1 && seeds_.empty() && chain_->certificate.body.issuer == Issuer::admin) raise(EventKind::network_founded, id_);
  out_.push_back(Persist{true});
}

}  // namespace wigwag
