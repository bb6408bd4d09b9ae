#include <algorithm>
#include <limits>
#include <tuple>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"
#include "gossip/node_impl.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t stored_format = 1;
constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t statement_max = 600;
constexpr std::size_t members_stored_max = 20'000;
constexpr std::size_t values_max = 4'000'000;   // of a file of at most 16 MiB

Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }

Bytes statement(Unpacker& in) { return bytes_of(in.binary(0, statement_max)); }

std::vector<Bytes> statements(Unpacker& in, std::size_t most) {
  std::vector<Bytes> all(in.array(0, most));
  for (auto& one : all) one = statement(in);
  return all;
}

}  // namespace

const char* to_string(StoredError error) {
  switch (error) {
    case StoredError::not_ours: return "it is no wigwag state";
    case StoredError::newer_format: return "it was written by a newer wigwag";
    case StoredError::damaged: return "it is truncated or damaged";
  }
  return "";
}

Bytes encode_stored(const StoredState& state) {
  Packer out;
  out.array(11).text("wigwag-state").number(stored_format).key(state.network).binary(state.bundle);
  out.binary(state.certificate).binary(state.grant).binary(state.redemption).number(state.epoch).number(state.ipv4_attempt);
  out.array(state.members.size());
  for (const auto& member : state.members) {
    out.array(5).binary(member.record).binary(member.certificate).binary(member.grant).binary(member.redemption);
    out.array(member.accusations.size());
    for (const auto& accusation : member.accusations) out.binary(accusation);
  }
  out.array(state.revocations.size());
  for (const auto& revocation : state.revocations) out.binary(revocation);
  return out.take();
}

Result<StoredState, StoredError> decode_stored(ByteView bytes) {
  Unpacker in(bytes, values_max);
  StoredState state;
  const auto fields = in.array(2, 64);
  const auto magic = in.text(32);
  if (in.failed()) return Unexpected{bytes.empty() || (bytes[0] & 0xf0) != 0x90 ? StoredError::not_ours : StoredError::damaged};
  if (magic != "wigwag-state") return Unexpected{StoredError::not_ours};
  const auto format = in.number();
  if (!in.failed() && format > stored_format) return Unexpected{StoredError::newer_format};
  if (fields != 11) return Unexpected{StoredError::damaged};
  state.network = in.key<NetworkId>();
  state.bundle = statement(in);
  state.certificate = statement(in);
  state.grant = statement(in);
  state.redemption = statement(in);
  state.epoch = static_cast<std::uint32_t>(in.number(most_u32));
  state.ipv4_attempt = static_cast<std::uint32_t>(in.number(most_u32));
  state.members.resize(in.array(0, members_stored_max));
  for (auto& member : state.members) {
    in.array(5, 5);
    member = {statement(in), statement(in), statement(in), statement(in), statements(in, limits::accusations_per_subject)};
  }
  state.revocations = statements(in, limits::revocations);
  if (!in.done()) return Unexpected{StoredError::damaged};
  return state;
}

Bytes Node::Impl::stored() const {
  StoredState state{.network = config_.network, .bundle = {}, .certificate = {}, .grant = {}, .redemption = {}, .members = {}, .revocations = {}};
  if (roster_.bundle()) state.bundle = roster_.bundle()->wire;
  // A membership is only kept once it holds: before that, the invitation is what the shell keeps.
  if (joined_ && chain_) {
    state.certificate = chain_->certificate.wire;
    if (chain_->grant) state.grant = chain_->grant->wire;
    if (chain_->redemption) state.redemption = chain_->redemption->wire;
  }
  state.epoch = version_.epoch;
  state.ipv4_attempt = ipv4_attempt_;
  for (const auto& [id, member] : roster_.members()) {
    StoredState::Member kept{member.record->wire, member.chain->certificate.wire, {}, {}, {}};
    if (member.chain->grant) kept.grant = member.chain->grant->wire;
    if (member.chain->redemption) kept.redemption = member.chain->redemption->wire;
    for (const auto& accusation : member.accusations) kept.accusations.push_back(accusation.statement.wire);
    state.members.push_back(std::move(kept));
  }
  for (const auto& [target, revocation] : roster_.revocations()) state.revocations.push_back(revocation.wire);
  return encode_stored(state);
}

NodeStatus Node::Impl::status(Now now) const {
  NodeStatus status;
  status.network = config_.network;
  status.ipv6_prefix = overlay_ipv6_prefix(config_.network);
  status.joined = joined_;
  if (!joined_ || alone()) status.waiting_for = waiting_for_;
  status.refused = !joined_ && !refused_by_.empty() &&
                   std::all_of(seeds_.begin(), seeds_.end(), [this](const Endpoint& seed) { return refused_by_.contains(seed); });
  status.converged = joined_ && !silent_ && synced() && !spread_.awaiting(now.at);
  status.digest = roster_.digest();
  status.self.id = id_;
  status.self.name = config_.name;
  status.self.tunnel_key = tunnel_key_;
  status.self.ipv6 = overlay_ipv6(config_.network, id_);
  status.self.path = PathKind::self;
  if (roster_.bundle()) {
    status.network_name = roster_.bundle()->body.network_name;
    status.ipv4_prefix = roster_.bundle()->body.ipv4;
  }
  const auto holders = settle_ipv4(roster_);
  for (const auto& [id, member] : roster_.members()) {
    const Record& record = member.record->body;
    MemberStatus shown;
    shown.id = id;
    shown.name = member.name();
    shown.tunnel_key = record.tunnel_key;
    if (record.ipv4 && holders.contains(*record.ipv4) && holders.at(*record.ipv4) == id) shown.ipv4 = record.ipv4;
    shown.ipv6 = member.place->ipv6;
    shown.health = member.excluded || member.expired ? Health::dead : member.health;
    shown.relay = record.relay;
    shown.subnets = record.subnets;
    shown.epoch = record.version.epoch;
    shown.sequence = record.version.sequence;
    shown.rtt = prober_.round_trip(id);
    if (const auto* peer = kernel_peer(member); peer != nullptr && id != id_) {
      shown.path = peer_endpoints_.stands(id, now.at) ? PathKind::direct : PathKind::none;
      shown.endpoint = peer->endpoint;
      shown.last_handshake_unix_s = peer->last_handshake_unix_s;
      shown.rx_bytes = peer->rx_bytes;
      shown.tx_bytes = peer->tx_bytes;
    }
    if (id == id_) {
      shown.path = PathKind::self;
      status.self = shown;
      status.announced = record.endpoints;
    }
    status.members.push_back(std::move(shown));
  }
  status.subnets = subnet_status();
  std::sort(status.members.begin(), status.members.end(),
            [](const MemberStatus& a, const MemberStatus& b) { return std::tie(a.name, a.id) < std::tie(b.name, b.id); });
  return status;
}

Node::GrantUse Node::Impl::grant_use(const GrantId& grant) const {
  return {roster_.redemptions(grant), roster_.is_revoked(NodeId{grant.bytes})};
}

}  // namespace wigwag
