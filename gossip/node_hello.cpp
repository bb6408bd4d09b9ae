#include <algorithm>
#include <cstdlib>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr Duration call_pause_least = seconds(1);
constexpr Duration call_pause_most = seconds(15);
constexpr Duration call_pause_refused = seconds(30);
constexpr Duration island_pause_most = minutes(5);   // seeds are asked for ever, against islands
constexpr std::size_t hints_max = 1024;
constexpr std::int64_t offered_lifetime_s = 24 * 3600;

}  // namespace

// Before the first record is published, what we offer still has a version of its own whenever
// it differs from what was offered before: no two records may share one.
HelloOffer Node::Impl::offer() {
  if (const Member* own = self()) return {*chain_, own->record->wire};
  Record record = describe_self();
  if (!offered_ || !says_the_same(record, offered_->body)) {
    version_ = next_version(version_);
    record.version = version_;
    record.expires = UnixTime{network_time().seconds + offered_lifetime_s};
    offered_ = make_record(record, config_.network, *identity_);
  }
  return {*chain_, offered_->wire};
}

void Node::Impl::seek_tick() {
  for (const auto& silent : hello_client_.tick(now_.at, out_)) {
    if (!joined_ || alone()) waiting_for_ = "no answer from " + to_string(silent) + ". Check that wigwag runs there and that UDP gets through.";
  }
  if (now_.at < next_call_ || leaving_since_) return;
  call_somebody();
}

// Before the first join: one seed after the other, with growing pauses, and so while nobody answers us or
// has given its word for us. Afterwards one that none of the living is, with pauses that grow to minutes.
void Node::Impl::call_somebody() {
  const bool unsponsored = !alone() && lacks_sponsor();
  const bool among_others = joined_ && !alone();
  const Duration pause = among_others && !unsponsored ? island_pause_ : call_pause_;
  next_call_ = now_.at + pause * 3 / 4 + rng_.below(pause / 2);
  if (!chain_ || (seeds_.empty() && !unsponsored)) return;
  call_pause_ = std::min(call_pause_ * 5 / 4, call_pause_most);
  if (unsponsored) call_for_sponsor();
  for (std::size_t tries = 0; tries < seeds_.size(); ++tries) {
    const Endpoint seed = seeds_[next_seed_++ % seeds_.size()];
    if (is_own_hello(seed) || (among_others && is_living_seed(seed))) continue;
    if (among_others && !unsponsored) island_pause_ = std::min(2 * island_pause_, island_pause_most);
    hello_client_.call(seed, now_.at, entropy_, out_);
    return;
  }
  // Should one of them be missing at the next look, it is called with short pauses first.
  if (!among_others || unsponsored) return;
  island_pause_ = island_pause_least;
  next_call_ = now_.at + island_pause_most * 3 / 4 + rng_.below(island_pause_most / 2);
}

// Whoever calls this very host would only answer itself.
bool Node::Impl::is_own_hello(const Endpoint& at) const {
  const auto& local = own_endpoints_.local();
  return at.port == config_.hello_port && (at.address.is_loopback() || std::find(local.begin(), local.end(), at.address) != local.end());
}

bool Node::Impl::is_living_seed(const Endpoint& seed) const {
  return std::any_of(roster_.live().begin(), roster_.live().end(), [&](const Member* member) {
    const auto& endpoints = member->record->body.endpoints;
    return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& e) { return e.address == seed.address; });
  });
}

// Whether we certified ourselves and nobody has said when: good only until the invitation ends.
bool Node::Impl::lacks_sponsor() {
  if (!joined_ || !chain_ || !chain_->grant || chain_->redemption) return false;
  const Member* own = self();
  if (own != nullptr && own->chain->redemption && own->chain->certificate.wire == chain_->certificate.wire) {
    chain_->redemption = own->chain->redemption;  // a host's answer was lost, its word was not
    note_admission("by a member's word");
    dirty_ = true;
    return false;
  }
  const Grant& grant = chain_->grant->body;
  return !expired(grant.expires, network_time()) && !roster_.is_revoked(NodeId{grant.id.bytes});
}

void Node::Impl::call_for_sponsor() {
  std::vector<const Record*> hosts;
  for (const Member* member : roster_.live()) {
    const Record& record = member->record->body;
    if (member->id() != id_ && !record.endpoints.empty() && record.hello_port != 0) hosts.push_back(&record);
  }
  if (hosts.empty()) return;
  const Record& host = *rng_.pick(hosts);
  const Endpoint target{rng_.pick(host.endpoints).address, host.hello_port};
  if (usable_endpoint(target, mesh_prefixes()) && !is_own_hello(target)) hello_client_.call(target, now_.at, entropy_, out_);
}

std::optional<NodeId> Node::Impl::own_sponsor() const {
  return chain_ && chain_->redemption ? std::optional(chain_->redemption->body.sponsor) : std::nullopt;
}

void Node::Impl::on(const HelloDatagram& datagram) {
  if (chain_) {
    const Bundle* known = roster_.bundle() ? &roster_.bundle()->body : nullptr;
    const auto finished = hello_client_.receive(datagram, now_.at, offer(), *identity_, *verifier_, known, out_);
    if (finished) {
      on_hello_finished(*finished);
      return;
    }
  }
  if (!joined_ || !config_.accept_hello || leaving_since_) {
    ++counters_.hello_dropped;
    return;
  }
  auto reaction = identity_->hear(hello_host_, now_, datagram.from, datagram.bytes, *chain_, *verifier_);
  if (reaction.send) out_.push_back(SendHello{datagram.from, std::move(*reaction.send)});
  if (reaction.call) on_call(*reaction.call);
  counters_.hello_dropped = hello_host_.dropped();
}

void Node::Impl::on_hello_finished(const HelloClient::Finished& finished) {
  if (finished.answer && finished.answer->verdict == Verdict::welcome) {
    accept_welcome(finished);
    return;
  }
  std::string reason = to_string(finished.host) + " cannot prove that it belongs to the network: check the seed's address and the invitation";
  if (finished.answer) {
    const auto ahead = finished.answer->host_time.seconds - now_.wall.seconds;
    reason = to_string(finished.host) + " refused: " + to_string(finished.answer->reason) + ". " + advice(finished.answer->reason);
    const bool clocks_differ = std::abs(ahead) > PeerClock::tolerance_s;
    const bool may_know_better = clocks_differ || finished.answer->reason == TrustError::sponsor_unknown;
    if (!joined_ && !may_know_better && refused_by_.size() < limits::seeds) refused_by_.insert(finished.host);
    if (clocks_differ) {
      reason += " Its clock differs from ours by " + std::to_string(ahead) + " s.";
      // Not proven, but if true, a record dated by our clock would be refused for ever.
      if (!joined_) {
        peer_clock_.heard(NodeId{}, finished.answer->host_time, now_.wall);
        offered_.reset();
      }
    }
  }
  if (!joined_ || alone()) waiting_for_ = reason;
  if (!joined_) {
    next_call_ = std::max(next_call_, now_.at + (seeds_.size() > 1 ? call_pause_least : call_pause_refused));
  }
  raise_rarely(EventKind::join_failed, {}, reason);
}

// An invitation has served once a member has let us in, also where we certified ourselves.
void Node::Impl::note_admission(const std::string& how) {
  waiting_for_.clear();
  if (!invitation_) return;
  invitation_.reset();
  raise(EventKind::network_joined, id_, how);
}

// The host has proven itself; HelloClient checked the bundle against the network's root.
void Node::Impl::accept_welcome(const HelloClient::Finished& finished) {
  const HelloAnswer& answer = *finished.answer;
  auto bundle = decode_bundle(answer.bundle);
  if (bundle && verify_bundle(*bundle, config_.network, *verifier_) &&
      (!roster_.bundle() || bundle->body.epoch > roster_.bundle()->body.epoch)) {
    roster_.set_bundle(std::move(*bundle));
  }
  if (!roster_.bundle() || !finished.chain) return;
  if (!chain_->redemption && !answer.redemption.empty()) {
    auto redemption = decode_redemption(answer.redemption);
    Chain complete = *chain_;
    if (redemption) complete.redemption = std::move(*redemption);
    // One that others will refuse is worse than none.
    const ChainContext context{roster_.bundle()->body, config_.network, std::nullopt, true, false, {}};
    if (verify_chain(complete, context, *verifier_)) chain_ = std::move(complete);
  }
  Item host{ItemKind::member, answer.record, finished.chain->certificate.wire, {}, {}};
  if (finished.chain->grant) host.grant = finished.chain->grant->wire;
  if (finished.chain->redemption) host.redemption = finished.chain->redemption->wire;
  const auto record = decode_record(answer.record);
  const NodeId host_id = finished.chain->certificate.body.node;
  if (!record || record->body.node != host_id) return;
  const Member* held = roster_.find(host_id);
  const Health before = held != nullptr ? held->health : Health::alive;
  peer_clock_.forget(NodeId{});
  heard_clock(host_id, answer.host_time);
  roster_.drop_grave(host_id);
  const auto outcome = roster_.apply_record(host, judged_at(), now_.wall, true);
  note_hint(host_id, {finished.host.address, record->body.listen_port});
  peer_endpoints_.retry(host_id);
  const bool vouched_for = joined_ && self() != nullptr && chain_->redemption && !self()->chain->redemption;
  if (!joined_) become_member();
  else if (vouched_for) announce(true);  // our record now travels with a sponsor's word
  note_admission("through " + to_string(finished.host));
  member_news(host_id, host, outcome, before, std::nullopt);
  call_pause_ = call_pause_least;
  next_call_ = now_.at + island_pause_;
  dirty_ = true;
  if (roster_.find(host_id) != nullptr) compare_with(host_id, true);
}

// A table that is full takes nobody new; those in it may still move.
void Node::Impl::note_hint(const NodeId& id, const Endpoint& tunnel) {
  if (hints_.size() < hints_max || hints_.contains(id)) hints_[id] = tunnel;
  peer_endpoints_.facts_changed(id);
}

void Node::Impl::on_call(const HelloHost::Call& call) {
  auto answer = judge_call(call);
  const auto& certificate = call.offer.chain.certificate.body;
  if (answer.verdict == Verdict::refused) {
    raise_rarely(EventKind::caller_refused, certificate.node,
                 to_string(call.from) + " calling itself " + certificate.name + ": " + to_string(answer.reason));
  }
  auto datagram = identity_->answer(hello_host_, now_, call.session, answer);
  if (datagram) out_.push_back(SendHello{call.from, std::move(*datagram)});
}

HelloAnswer Node::Impl::judge_call(const HelloHost::Call& call) {
  HelloAnswer answer;
  answer.host_time = now_.wall;
  answer.observed = call.from;
  const auto refuse = [&](TrustError reason) {
    answer.verdict = Verdict::refused;
    answer.reason = reason;
    return answer;
  };
  if (self() == nullptr) return refuse(TrustError::sponsor_unknown);
  const NodeId caller = call.offer.chain.certificate.body.node;
  const Member* held = roster_.find(caller);
  if (caller == id_ || roster_.is_revoked(caller) || (held != nullptr && held->record->body.left)) return refuse(TrustError::revoked);
  const auto chain = sponsor(call.offer.chain);
  if (!chain) return refuse(chain.error());
  if (judged_at() && expired(chain->certificate.body.expires, now_.wall)) return refuse(TrustError::certificate_expired);

  Item item{ItemKind::member, call.offer.record, chain->certificate.wire, {}, {}};
  if (chain->grant) item.grant = chain->grant->wire;
  if (chain->redemption) item.redemption = chain->redemption->wire;
  const auto record = decode_record(call.offer.record);
  if (!record || record->body.node != caller || record->body.left) return refuse(TrustError::malformed);
  const Health before = held != nullptr ? held->health : Health::alive;
  roster_.drop_grave(caller);
  const auto outcome = roster_.apply_record(item, judged_at(), now_.wall);
  if (outcome.applied == Applied::full) {
    raise_rarely(EventKind::members_full, caller, std::to_string(config_.members_max) + " members are known");
    return refuse(TrustError::grant_spent);
  }
  const bool taken = outcome.applied != Applied::refused && outcome.applied != Applied::needs_chain;
  if (!taken || roster_.find(caller) == nullptr) return refuse(outcome.reason);
  note_hint(caller, {call.from.address, record->body.listen_port});
  peer_endpoints_.retry(caller);
  if (outcome.applied == Applied::added) raise(EventKind::caller_admitted, caller, "from " + to_string(call.from));
  member_news(caller, item, outcome, before, std::nullopt);
  wake(*roster_.find(caller));
  dirty_ = true;
  answer.bundle = roster_.bundle()->wire;  // who speaks for the network is for members to know
  answer.redemption = item.redemption;
  answer.record = self()->record->wire;
  return answer;
}

// The caller's chain with our word added where it has none that we can check.
Result<Chain, TrustError> Node::Impl::sponsor(const Chain& chain) {
  Chain complete = chain;
  const auto& certificate = chain.certificate.body;
  const Member* held = roster_.find(certificate.node);
  const bool known = held != nullptr && held->chain->certificate.wire == chain.certificate.wire;
  if (known && (held->chain->redemption || certificate.issuer == Issuer::admin)) return *held->chain;
  ChainContext context{roster_.bundle()->body, config_.network, judged_at(), false, false, {}};
  const bool vouched = chain.redemption && roster_.find(chain.redemption->body.sponsor) != nullptr;
  if (certificate.issuer == Issuer::grant && chain.grant && !vouched) {
    const Grant& grant = chain.grant->body;
    const bool over = context.now && expired(grant.expires, now_.wall);
    const bool withdrawn = roster_.is_revoked(NodeId{grant.id.bytes});
    if (known && (over || withdrawn)) return *held->chain;  // too late for our word; it is in all the same
    if (over) return Unexpected{TrustError::grant_expired};
    if (withdrawn) return Unexpected{TrustError::grant_withdrawn};
    if (grant.uses != 0 && roster_.redemptions(grant.id) >= grant.uses) return Unexpected{TrustError::grant_spent};
    const UnixTime at = std::max(network_time(), grant.issued);  // whatever our clock says, it was no earlier
    complete.redemption = make_redemption({grant.id, certificate.node, id_, at}, config_.network, *identity_);
  }
  context.sponsor_known = true;
  if (const auto verified = verify_chain(complete, context, *verifier_); !verified) return Unexpected{verified.error()};
  return complete;
}

}  // namespace wigwag
