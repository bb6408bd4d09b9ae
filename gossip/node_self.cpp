#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr std::int64_t record_refresh_s = 24 * 3600;      // renewed this long after it was made
constexpr Duration announce_pause = seconds(1);           // between changes that only we think important
constexpr Duration refute_pause_least = milliseconds(200);
constexpr Duration refute_pause_most = milliseconds(800);    // well within the grace that comes before a verdict
constexpr Duration refuted_recently = seconds(5);
constexpr Duration outbid_pause_least = milliseconds(200);
constexpr Duration outbid_pause_most = minutes(1);
constexpr Duration settle_pause = milliseconds(200);      // claims are compared at most this often
constexpr int address_tries = 4096;                       // of a /24 with one free address all but one node in ten million find it
constexpr int goodbyes = 3;
constexpr Duration goodbye_pause = milliseconds(150);

}  // namespace

Record Node::Impl::describe_self() const {
  Record record;
  record.node = id_;
  if (chain_) record.certificate = blake2b(chain_->certificate.wire);
  record.tunnel_key = tunnel_key_;
  record.endpoints = own_endpoints_.announce(config_.listen_port, mesh_prefixes());
  record.listen_port = config_.listen_port;
  record.hello_port = config_.hello_port;
  if (const auto& bundle = roster_.bundle()) {
    const bool as_configured = config_.ipv4 && ipv4_attempt_ == 0 && bundle->body.ipv4.contains(*config_.ipv4);
    record.ipv4 = as_configured ? *config_.ipv4 : overlay_ipv4_candidate(bundle->body.ipv4, id_, ipv4_attempt_);
  }
  record.subnets = own_subnets().announced;
  leave_room_for_subnets(record);
  return record;
}

// Publishes our record when it says something new, or when it is time to renew it.
void Node::Impl::announce(bool even_if_same) {
  if (!even_if_same && !self_stale_) return;
  const Member* own = self();
  Record fresh = describe_self();
  const bool aging = own != nullptr && network_time().seconds > own->record->body.expires.seconds - record_lifetime_s + record_refresh_s;
  const bool same = own != nullptr && says_the_same(fresh, own->record->body) && !aging;
  if (same && !even_if_same) {
    self_stale_ = false;
    return;
  }
  if (!even_if_same && own != nullptr && now_.at < announced_at_ + announce_pause) return;
  publish(std::move(fresh));
}

void Node::Impl::publish(Record record) {
  announced_at_ = now_.at;
  self_stale_ = false;
  note_own_subnets();
  version_ = next_version(version_);
  record.version = version_;
  dated_ = network_time();
  record.expires = UnixTime{dated_.seconds + record_lifetime_s};
  auto made = make_record(record, config_.network, *identity_);
  while (made.wire.size() > limits::record_bytes && !record.endpoints.empty()) {
    record.endpoints.pop_back();
    made = make_record(record, config_.network, *identity_);
  }
  const Member* before = self();
  const bool same_chain = before != nullptr && before->chain->certificate.wire == chain_->certificate.wire &&
                          before->chain->redemption.has_value() == chain_->redemption.has_value();
  Item item{ItemKind::member, made.wire, chain_->certificate.wire, {}, {}};
  if (chain_->grant) item.grant = chain_->grant->wire;
  if (chain_->redemption) item.redemption = chain_->redemption->wire;
  const auto outcome = roster_.apply_record(item, std::nullopt, now_.wall, true);
  if (!outcome.changed()) {
    // An address that cannot be had must not keep us from being heard.
    if (record.ipv4 && config_.ipv4 == record.ipv4 && ipv4_attempt_ == 0) {
      ipv4_attempt_ = 1;
      raise(EventKind::address_moved, id_, "the configured " + to_string(*record.ipv4) + " cannot be a member's: taking another");
      return publish(describe_self());
    }
    raise(EventKind::record_refused, id_, std::string("our own record: ") + to_string(outcome.reason) + ". " + advice(outcome.reason));
    return;
  }
  if (same_chain) item = Item{ItemKind::record, item.statement, {}, {}, {}};
  spread_.add(std::move(item), record.left ? Urgency::liveness : Urgency::records, std::nullopt);
  dirty_ = true;
}

// Our own goodbye, from an earlier life: it is final.
void Node::Impl::end_membership() {
  joined_ = false;
  chain_.reset();
  waiting_for_ = "this identity has said goodbye to the network: run wigwag leave, then join with a new invitation";
  raise(EventKind::join_failed, id_, waiting_for_);
  dirty_ = true;
}

// Somebody holds a newer record of ours than we do: this machine's state is older than its
// last life. We go on above it, on disk before anybody hears. Where it happens again and again
// two machines live with one identity, and outbid each other ever more slowly.
void Node::Impl::outbid(const Record& record) {
  if (now_.at < outbid_at_ + outbid_pause_) return;
  const bool again = outbid_pause_ != Duration::zero() && now_.at < outbid_at_ + 2 * outbid_pause_most;
  outbid_pause_ = again ? std::min(2 * outbid_pause_, outbid_pause_most) : outbid_pause_least;
  outbid_at_ = now_.at;
  outdone_ = false;
  if (version_ < record.version) {
    version_ = record.version;
    out_.push_back(Persist{true});
    raise_rarely(EventKind::version_adopted, id_, "another life's state was newer; going on above version " +
                                                      std::to_string(record.version.epoch) + "." + std::to_string(record.version.sequence) +
                                                      (again ? ". Is this node's state copied to two machines?" : ""));
  }
  announce(true);
}

// Accusations against us are refuted by a newer record; one from an earlier life is adopted.
void Node::Impl::watch_own_record() {
  const Member* own = self();
  if (own == nullptr) return;
  if (own->record->body.left && !leaving_since_) return end_membership();
  if (outdone_ || version_ < own->record->body.version) outbid(own->record->body);
  refute_due_ = never;
  if (own->record->body.left) stranger_.reset();
  if (own->accusations.empty() && !stranger_) return;
  std::vector<NodeId> accusers;
  if (stranger_) accusers.push_back(*stranger_);
  for (const auto& accusation : own->accusations) accusers.push_back(accusation.statement.body.accuser);
  // Where accusations keep coming, ours is not the only machine that is too busy for more.
  refute_due_ = refuted_at_ + refute_pause_;
  if (now_.at < refute_due_) return;
  const bool again = now_.at < refuted_at_ + refuted_recently;
  refute_pause_ = again ? std::clamp(2 * refute_pause_, refute_pause_least, refute_pause_most) : refute_pause_least;
  refuted_at_ = now_.at;
  refute_due_ = never;
  stranger_.reset();
  verdicts_.note_refuted(id_, accusers, now_.at);
  const Member* who = roster_.find(accusers.front());
  raise_rarely(EventKind::accused, id_, "by " + (who != nullptr ? who->name() : to_hex(accusers.front()).substr(0, 16)));
  health_.missed();
  ++counters_.refutations_made;
  announce(true);
}

void Node::Impl::report_losers(const Address& address) {
  const auto holder = holder_of(roster_, address);
  if (!holder) return;
  for (const Member* member : roster_.claiming(address)) {
    if (member->id() == *holder || member->record->body.left || member->excluded || member->expired || member->dormant) continue;
    if (!reported_.insert(member->record_id).second) continue;
    const Member* keeper = roster_.find(*holder);
    raise(EventKind::address_conflict, member->id(), to_string(address) + " stays with " + (keeper != nullptr ? keeper->name() : "another"));
  }
}

// Where two claim one address the loser moves to its next candidate that nobody claims.
void Node::Impl::settle_own_ipv4() {
  if (settled_revision_ == roster_.revision() || now_.at < next_settlement_) return;
  settled_revision_ = roster_.revision();
  next_settlement_ = now_.at + settle_pause;
  for (const auto& address : roster_.contested()) report_losers(address);
  if (reported_.size() > limits::members) reported_.clear();
  const Member* own = self();
  if (own == nullptr || !own->record->body.ipv4) return;
  const auto holder = holder_of(roster_, *own->record->body.ipv4);
  if (!holder || *holder == id_) return;
  const auto& prefix = roster_.bundle()->body.ipv4;
  std::uint32_t attempt = ipv4_attempt_;
  bool taken = true;
  for (int tries = 0; taken && tries < address_tries; ++tries) taken = holder_of(roster_, overlay_ipv4_candidate(prefix, id_, ++attempt)).has_value();
  if (taken) {
    // What we claim stands, unheld: to claim another that is taken would be news for everyone, for nothing.
    raise_rarely(EventKind::address_conflict, id_, "no address of " + to_string(prefix) + " is free for this node; it has IPv6 only");
    return;
  }
  ipv4_attempt_ = attempt;
  announce(true);
  if (const Member* moved = self(); moved->record->body.ipv4) raise(EventKind::address_moved, id_, "to " + to_string(*moved->record->body.ipv4));
}

void Node::Impl::on(const LeaveCommand&) {
  if (leaving_since_) return;
  leaving_since_ = now_.at;
  if (!joined_ || self() == nullptr) {
    left_told_ = true;
    out_.push_back(Left{});
    return;
  }
  Record last = self()->record->body;
  last.left = true;
  publish(std::move(last));
}

// Tells everyone within reach a few times, then ends: whoever hears it takes us out of its
// kernel, so no answer could come.
void Node::Impl::leave_tick() {
  if (left_told_ || now_.at < *leaving_since_ + goodbye_pause * goodbyes_sent_) return;
  if (goodbyes_sent_ == goodbyes) {
    left_told_ = true;
    out_.push_back(Left{});
    return;
  }
  ++goodbyes_sent_;
  const Item goodbye = roster_.item_of(*self(), false);
  constexpr std::size_t told_max = 64;
  std::vector<NodeId> audience(edges_.begin(), edges_.end());
  for (const Member* member : roster_.live()) {
    if (audience.size() >= told_max) break;
    if (member->id() != id_ && !edges_.contains(member->id())) audience.push_back(member->id());
  }
  for (const auto& id : audience) push_items(id, {goodbye}, mail_);
}

}  // namespace wigwag
