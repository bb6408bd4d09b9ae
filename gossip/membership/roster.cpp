#include "gossip/membership/roster.hpp"

#include <algorithm>
#include <tuple>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"

namespace wigwag {
namespace {

constexpr RangeEntry no_entry{};

// The finishing steps of splitmix64: spreads ids before they are summed, so that
// statements do not cancel each other out.
std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::uint64_t id_of_chain(const Chain& chain) {
  const auto redemption = chain.redemption ? statement_id(chain.redemption->wire) : 0;
  return mixed(statement_id(chain.certificate.wire)) + mixed(redemption + 1);
}

// Of two sponsors' words for one certificate all members keep the same: the earlier; ties go to
// the smaller bytes. Which certificate counts is for its node to say, in its record.
bool better_chain(const Chain& fresh, const Chain& held) {
  if (!fresh.redemption || !held.redemption) return fresh.redemption.has_value() && !held.redemption;
  if (fresh.redemption->body.at != held.redemption->body.at) return fresh.redemption->body.at < held.redemption->body.at;
  return fresh.redemption->wire < held.redemption->wire;
}

bool has_run_out(const Member& member, UnixTime now) {
  return expired(member.record->body.expires, now) || expired(member.chain->certificate.body.expires, now);
}

// Of two revocations of one target, all members keep the same.
bool earlier(const Signed<Revocation>& a, const Signed<Revocation>& b) {
  return std::tie(a.body.at, a.wire) < std::tie(b.body.at, b.wire);
}

Outcome refused(const NodeId& node, TrustError reason) { return {Applied::refused, reason, node}; }

// Also with a sponsor's word, which may be added at any time.
bool can_be_told(const Signed<Record>& record, const Chain& chain) {
  const auto grant = chain.grant ? chain.grant->wire.size() + limits::redemption_bytes : 0;
  return record.wire.size() + chain.certificate.wire.size() + grant <= limits::member_bytes;
}

bool subnets_within(const std::vector<Prefix>& subnets, const Rights& rights) {
  Rights claimed;
  claimed.subnets = subnets;
  return rights.covers(claimed);
}

}  // namespace

std::uint64_t key_of(const NodeId& id) { return load_be64(id.bytes.data()); }

const Member* Roster::by_overlay(const Address& ipv6) const {
  const Member* member = ipv6.family == Family::ipv6 ? by_key(load_be64(ipv6.bytes.data() + 8)) : nullptr;
  return member != nullptr && member->place->ipv6 == ipv6 ? member : nullptr;
}

// Only what the record names: whoever holds an invitation's secret can certify any id.
Result<Chain, TrustError> Roster::accept_chain(const Item& item, const Record& record, const Judgement& by) const {
  auto chain = decode_chain(item.certificate, item.grant, item.redemption);
  if (!chain) return chain;
  if (chain->certificate.body.node != record.node || blake2b(item.certificate) != record.certificate) {
    return Unexpected{TrustError::malformed};
  }
  ChainContext context{bundle_->body, rules_.network, by.judged_at, false, false, {}};
  context.sponsor_known = by.vouched || (chain->redemption && find(chain->redemption->body.sponsor) != nullptr);
  if (chain->grant && !is_self(record.node)) {
    const auto withdrawal = revocations_.find(NodeId{chain->grant->body.id.bytes});
    context.grant_withdrawn = withdrawal != revocations_.end() && withdrawal->second.body.kind == RevokedKind::grant;
    if (context.grant_withdrawn) context.withdrawn_at = withdrawal->second.body.at;
  }
  if (const auto verified = verify_chain(*chain, context, *verifier_); !verified) return Unexpected{verified.error()};
  return chain;
}

std::optional<TrustError> Roster::refusal(const Record& record, const Certificate& certificate, const Judgement& by) const {
  const auto most_ahead = std::chrono::duration_cast<seconds>(limits::epoch_ahead).count();
  if (record.version.epoch > by.wall.seconds + most_ahead && by.judged_at) return TrustError::exceeds_rights;
  if (record.relay && !certificate.may.relay) return TrustError::exceeds_rights;
  if (!subnets_within(record.subnets, certificate.may)) return TrustError::exceeds_rights;
  if (record.ipv4) {
    const Prefix& prefix = bundle_->body.ipv4;
    const auto host = record.ipv4->family == Family::ipv4 ? record.ipv4->ipv4_number() - prefix.address.ipv4_number() : 0;
    const auto size = std::uint64_t{1} << (32 - prefix.length);
    if (!prefix.contains(*record.ipv4) || host == 0 || host + std::uint64_t{1} >= size) return TrustError::exceeds_rights;
  }
  return std::nullopt;
}

Outcome Roster::apply_record(const Item& item, std::optional<UnixTime> judged_at, UnixTime wall, bool vouched) {
  auto record = decode_record(item.statement);
  if (!record) return refused({}, record.error());
  const NodeId node = record->body.node;
  const Judgement by{judged_at, wall, vouched};
  Member* held = find(node);
  const auto id = statement_id(record->wire);
  if (held != nullptr && item.kind == ItemKind::record && held->record_id == id) return {Applied::held, {}, node};
  if (held == nullptr && item.kind == ItemKind::record) return {Applied::needs_chain, {}, node};
  if (!bundle_) return refused(node, TrustError::wrong_network);

  std::optional<Chain> chain;
  if (item.kind == ItemKind::member) {
    auto accepted = accept_chain(item, record->body, by);
    // An admission that we hold may have become too old to be taken anew, and stands all the same.
    const bool stands = held != nullptr && held->chain->certificate.wire == item.certificate;
    if (!accepted && !stands) return refused(node, accepted.error());
    if (accepted) chain = std::move(*accepted);
  }
  if (!verify_record(*record, rules_.network, *verifier_)) return refused(node, TrustError::bad_signature);
  if (held != nullptr) return update(*held, std::move(chain), std::move(*record), id, by);
  if (!can_be_told(*record, *chain)) return refused(node, TrustError::malformed);
  if (const auto reason = refusal(record->body, chain->certificate.body, by)) return refused(node, *reason);
  return insert(std::move(*chain), std::move(*record), id, judged_at);
}

// A newer record brings the chain it names; to the one we hold a sponsor's word may be added at any time.
Outcome Roster::update(Member& held, std::optional<Chain> chain, Signed<Record> record, std::uint64_t record_id, const Judgement& by) {
  const NodeId node = held.id();
  const Record& old = held.record->body;
  const bool same_certificate = record.body.certificate == old.certificate;
  const bool completes = chain && same_certificate && better_chain(*chain, *held.chain) && can_be_told(*held.record, *chain);
  if (completes) adopt_chain(held, *chain);
  if (held.record_id == record_id) return {completes ? Applied::updated : Applied::held, {}, node};
  const bool newer = supersedes(record.body.left, record.body.version, old.left, old.version);
  const bool tie = record.body.left == old.left && record.body.version == old.version;
  if (!newer && !tie) return {completes ? Applied::updated : Applied::stale, {}, node};
  const bool taken = newer || blake2b(record.wire) < blake2b(held.record->wire);
  if (!same_certificate && !chain) return {taken ? Applied::needs_chain : Applied::equivocation, {}, node};
  const Chain& admission = same_certificate ? *held.chain : *chain;
  if (!can_be_told(record, admission)) return refused(node, TrustError::malformed);
  if (const auto reason = refusal(record.body, admission.certificate.body, by)) return refused(node, *reason);
  if (taken) {
    if (!same_certificate) adopt_chain(held, std::move(*chain));
    adopt_record(held, std::move(record), record_id, by.judged_at);
  }
  return {newer ? Applied::updated : Applied::equivocation, {}, node};
}

Outcome Roster::insert(Chain chain, Signed<Record> record, std::uint64_t record_id, std::optional<UnixTime> judged_at) {
  const NodeId node = record.body.node;
  if (members_.size() >= rules_.members_max) return {Applied::full, {}, node};
  // Sharing the first eight bytes takes 2^64 tries; whoever made them gains nothing by it.
  if (by_key(key_of(node)) != nullptr) return refused(node, TrustError::exceeds_rights);
  if (const auto grave = graves_.find(node); grave != graves_.end()) {
    const auto& was = grave->second;
    const auto why = was.left ? TrustError::revoked : TrustError::certificate_expired;
    if (!supersedes(record.body.left, record.body.version, was.left, was.version)) return {Applied::stale, why, node};
    graves_.erase(grave);
  }
  if (!make_place(chain, node)) return refused(node, TrustError::grant_spent);
  Member member;
  member.chain_id = id_of_chain(chain);
  member.chain = shared(std::move(chain));
  member.record_id = record_id;
  member.key_since = revision_;
  const auto made_from = blake2b(node.view(), blake2b(rules_.network.view(), view_of("place")).view());
  member.place = verifier_->share(made_from, Place{overlay_ipv6(rules_.network, node), {node, ring_positions(rules_.network, node)}});
  member.health = record.body.left ? Health::left : Health::alive;
  // What has run out is kept, because others' admission may rest on it, and counts for nothing.
  const auto hash = blake2b(record.wire);
  member.record = verifier_->share(hash, std::move(record));
  member.expired = judged_at && has_run_out(member, *judged_at);
  auto& placed = *members_.emplace(node, std::move(member)).first;
  index_id(placed);
  Member& held = placed.second;
  count_in(held);
  index(held);
  touch_contested();
  reseat(held);
  note_claim(held);
  ++revision_;
  return {Applied::added, {}, node};
}

Shared<Chain> Roster::shared(Chain chain) const {
  Bytes parts;
  for (const Bytes* wire : {&chain.certificate.wire, chain.grant ? &chain.grant->wire : nullptr, chain.redemption ? &chain.redemption->wire : nullptr}) {
    const Hash32 part = wire == nullptr ? Hash32{} : blake2b(*wire);
    parts.insert(parts.end(), part.bytes.begin(), part.bytes.end());
  }
  return verifier_->share(blake2b(parts, view_of("chain")), std::move(chain));
}

void Roster::adopt_chain(Member& member, Chain chain) {
  const auto before = member.chain->certificate.body;
  count_out(member);
  member.chain_id = id_of_chain(chain);
  member.chain = shared(std::move(chain));
  count_in(member);
  touch(member);
  note_claim(member);
  if (before.issuer == Issuer::grant && before.issuer_key != member.chain->certificate.body.issuer_key) {
    redeemers_.erase({before.grant(), member.id()});
    limited_.erase({before.grant(), member.id()});
    settle_uses(before.grant());
  }
  reseat(member);
  ++revision_;
}

// A newer record refutes what was said against the older one, and so brings the dead back. Of
// two with one version neither answers the other's accusers.
void Roster::adopt_record(Member& member, Signed<Record> record, std::uint64_t record_id, std::optional<UnixTime> judged_at) {
  if (record.body.tunnel_key != member.record->body.tunnel_key) member.key_since = revision_;
  const bool refutes = record.body.version != member.record->body.version || record.body.left != member.record->body.left;
  count_out(member);
  unindex(member);
  const auto hash = blake2b(record.wire);
  member.record = verifier_->share(hash, std::move(record));
  member.record_id = record_id;
  member.expired = judged_at && has_run_out(member, *judged_at);
  if (refutes) {
    accused_.erase(member.id());
    member.refuted.clear();
    for (const auto& accusation : member.accusations) member.refuted.push_back(accusation.statement.body.accuser);
    member.accusations.clear();
    member.accused_since.reset();
    member.quorum_since.reset();
    member.health = member.record->body.left ? Health::left : Health::alive;
  }
  count_in(member);
  index(member);
  reseat(member);
  ++revision_;
}

Outcome Roster::apply_accusation(const Item& item, Instant at) {
  auto accusation = decode_accusation(item.statement);
  if (!accusation) return refused({}, accusation.error());
  const NodeId subject = accusation->body.subject;
  Member* member = find(subject);
  if (member == nullptr) return {Applied::needs_chain, {}, subject};
  if (member->record->body.left || accusation->body.version < member->record->body.version) return {Applied::stale, {}, subject};
  // Against a version that its owner never showed us: we first need that record.
  if (accusation->body.version > member->record->body.version) return {Applied::needs_chain, {}, subject};
  const Member* accuser = find(accusation->body.accuser);
  if (accuser == nullptr) return {Applied::needs_chain, {}, accusation->body.accuser};
  auto& held = member->accusations;
  const auto place = std::lower_bound(held.begin(), held.end(), accusation->body.accuser,
                                      [](const HeldAccusation& h, const NodeId& id) { return h.statement.body.accuser < id; });
  if (place != held.end() && place->statement.body.accuser == accusation->body.accuser) return {Applied::held, {}, subject};
  HeldAccusation entry;
  entry.legal = rings_.may_accuse(accuser->place->seat, member->place->seat);
  // Not the legal ones first: whose are legal depends on when they came, and all are to keep the same.
  const bool full = held.size() >= limits::accusations_per_subject;
  if (full && place == held.end()) return {Applied::full, {}, subject};
  entry.statement = std::move(*accusation);
  if (!verify_accusation(entry.statement, rules_.network, *verifier_)) return refused(subject, TrustError::bad_signature);
  entry.id = statement_id(entry.statement.wire);
  count_out(*member);
  held.insert(place, std::move(entry));
  if (full) held.pop_back();
  count_in(*member);
  accused_.insert(subject);
  if (!member->accused_since) member->accused_since = at;
  if (member->health == Health::alive) member->health = Health::suspect;
  ++revision_;
  return {Applied::updated, {}, subject};
}

Outcome Roster::apply_revocation(const Item& item) {
  auto revocation = decode_revocation(item.statement);
  if (!revocation) return refused({}, revocation.error());
  const NodeId target{revocation->body.target};
  const auto held = revocations_.find(target);
  if (held != revocations_.end() && held->second.wire == revocation->wire) return {Applied::held, {}, target};
  if (held != revocations_.end() && !earlier(*revocation, held->second)) return {Applied::stale, {}, target};
  if (!bundle_) return refused(target, TrustError::wrong_network);
  if (held == revocations_.end() && revocations_.size() >= limits::revocations) return {Applied::full, {}, target};
  if (const auto verified = verify_revocation(*revocation, bundle_->body, rules_.network, *verifier_); !verified) {
    return refused(target, verified.error());
  }
  if (held != revocations_.end()) fingerprint_ -= mixed(statement_id(held->second.wire));
  fingerprint_ += mixed(statement_id(revocation->wire));
  revocations_.insert_or_assign(target, std::move(*revocation));
  ++revision_;
  return {Applied::updated, {}, target};
}

std::vector<NodeId> Roster::expire(std::optional<UnixTime> now) {
  std::vector<NodeId> turned;
  for (auto& [id, member] : members_) {
    const bool out = now && has_run_out(member, *now);
    if (out == member.expired) continue;
    member.expired = out;
    turned.push_back(id);
    touch(member);
    reseat(member);
  }
  if (!turned.empty()) ++seating_;
  return turned;
}

UnixTime Roster::admitted(const Member& member) const {
  const Chain& chain = *member.chain;
  if (chain.certificate.body.issuer == Issuer::admin) return chain.certificate.body.issued;
  if (!chain.redemption || find(chain.redemption->body.sponsor) == nullptr) return far_future;
  return chain.redemption->body.at;
}

RangeEntry Roster::entry(const Member& member) const {
  RangeEntry entry{key_of(member.id()), member.record->body.version.epoch, member.record->body.version.sequence, 0};
  entry.fingerprint = mixed(member.record_id) + member.chain_id;
  for (const auto& accusation : member.accusations) entry.fingerprint += mixed(accusation.id);
  return entry;
}

std::vector<RangeEntry> Roster::entries(std::uint64_t first, std::uint64_t last) const {
  std::vector<RangeEntry> found;
  NodeId least;
  store_be64(least.bytes.data(), first);
  auto revocation = revocations_.lower_bound(least);
  const auto revoked_below = [&](std::uint64_t key, bool inclusive) {
    return revocation != revocations_.end() &&
           (key_of(revocation->first) < key || (inclusive && key_of(revocation->first) == key));
  };
  const auto fold = [&](RangeEntry into) {
    into.key = key_of(revocation->first);
    into.fingerprint += mixed(statement_id(revocation->second.wire));
    ++revocation;
    return into;
  };
  for (auto at = members_.lower_bound(least); at != members_.end() && key_of(at->first) <= last; ++at) {
    while (revoked_below(key_of(at->first), false)) found.push_back(fold(no_entry));
    RangeEntry own = entry(at->second);
    while (revoked_below(own.key, true)) own = fold(own);
    found.push_back(own);
  }
  while (revoked_below(last, true)) found.push_back(fold(no_entry));
  return found;
}

// A revocation whose target is a member is counted with it.
Roster::Whole Roster::whole() const {
  const auto apart = std::count_if(revocations_.begin(), revocations_.end(), [this](const auto& held) { return by_key(key_of(held.first)) == nullptr; });
  return {fingerprint_, static_cast<std::uint32_t>(members_.size() + static_cast<std::size_t>(apart))};
}

Hash32 Roster::digest() const {
  Bytes all;
  all.reserve(members_.size() * 40);
  for (const auto& [id, member] : members_) {
    if (!member.live()) continue;
    all.insert(all.end(), id.bytes.begin(), id.bytes.end());
    std::array<std::uint8_t, 8> version{};
    store_be64(version.data(), std::uint64_t{member.record->body.version.epoch} << 32 | member.record->body.version.sequence);
    all.insert(all.end(), version.begin(), version.end());
  }
  return blake2b(all);
}

Item Roster::item_of(const Member& member, bool with_chain) const {
  Item item{with_chain ? ItemKind::member : ItemKind::record, member.record->wire, {}, {}, {}};
  if (with_chain) {
    item.certificate = member.chain->certificate.wire;
    if (member.chain->grant) item.grant = member.chain->grant->wire;
    if (member.chain->redemption) item.redemption = member.chain->redemption->wire;
  }
  return item;
}

}  // namespace wigwag
