#include "gossip/trace_parts.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/trust/hello_messages.hpp"

namespace wigwag {
namespace {

constexpr std::size_t program_bytes = 64;
constexpr std::size_t statement_max = 600;
constexpr std::size_t hello_part_max = limits::hello_bytes;
constexpr std::size_t digest_bytes = 5;
constexpr std::uint64_t seconds_max = UINT32_MAX;

enum class NoteKind : std::uint8_t { signature, progress, reaction, verdict };

Bytes packed(const NotedSignature& note) {
  Packer out;
  out.array(3).number(static_cast<std::uint64_t>(NoteKind::signature)).key(note.about).signature(note.signature);
  return out.take();
}

Bytes packed(const NotedProgress& note) {
  Packer out;
  out.array(5).number(static_cast<std::uint64_t>(NoteKind::progress));
  out.number(note.failure ? static_cast<std::uint64_t>(*note.failure) + 1 : 0).boolean(note.send_now);
  out.binary(note.answer ? pack_answer(*note.answer) : Bytes{}).binary(note.host ? pack_chain(*note.host) : Bytes{});
  return out.take();
}

Bytes packed(const NotedReaction& note) {
  Packer out;
  out.array(3).number(static_cast<std::uint64_t>(NoteKind::reaction)).boolean(note.sent);
  out.binary(note.proven ? pack_offer(*note.proven) : Bytes{});
  return out.take();
}

Bytes packed(const NotedVerdict& note) {
  Packer out;
  out.array(2).number(static_cast<std::uint64_t>(NoteKind::verdict)).boolean(note.sent);
  return out.take();
}

NotedProgress read_progress(Unpacker& in) {
  NotedProgress note;
  const auto failure = in.number(static_cast<std::uint64_t>(HelloFailure::refused) + 1);
  if (failure > 0) note.failure = static_cast<HelloFailure>(failure - 1);
  note.send_now = in.boolean();
  const ByteView answer = in.binary(0, hello_part_max);
  const ByteView host = in.binary(0, hello_part_max);
  if (!answer.empty()) note.answer = unpack_answer(answer);
  if (!host.empty()) note.host = unpack_chain(host);
  if ((!answer.empty() && !note.answer) || (!host.empty() && !note.host)) in.fail();
  return note;
}

NotedReaction read_reaction(Unpacker& in) {
  NotedReaction note;
  note.sent = in.boolean();
  const ByteView offer = in.binary(0, hello_part_max);
  if (!offer.empty()) note.proven = unpack_offer(offer);
  if (!offer.empty() && !note.proven) in.fail();
  return note;
}

}  // namespace

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ ((value & 1) != 0 ? UINT64_MAX : 0));
}

std::uint32_t short_hash(ByteView content) { return static_cast<std::uint32_t>(load_be64(blake2b(content).bytes.data()) >> 32); }

Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }

Bytes pack_start(const TraceStart& start) {
  const NodeConfig& config = start.config;
  Packer out;
  out.array(start_values).number(static_cast<std::uint64_t>(EntryKind::start)).text(std::string_view(start.program).substr(0, program_bytes));
  out.text(config.name).key(config.network).number(config.listen_port).number(config.hello_port).boolean(config.accept_hello);
  if (config.ipv4) out.address(*config.ipv4);
  else out.nil();
  if (config.keepalive) out.number(static_cast<std::uint64_t>(std::max<std::int64_t>(config.keepalive->count(), 0)));
  else out.nil();
  out.number(config.members_max).number(config.random_seed).key(start.id).key(start.tunnel_key).binary(start.stored);
  const auto invited = start.invited.value_or(TraceStart::Invited{});
  out.binary(invited.grant).binary(invited.certificate).binary(invited.bundle);
  const auto subnets = std::min(config.subnets.size(), limits::subnets_per_node);
  out.array(subnets);
  for (std::size_t i = 0; i < subnets; ++i) out.prefix(config.subnets[i]);
  return out.take();
}

std::optional<TraceStart> read_start(Unpacker& in, std::size_t values) {
  TraceStart start;
  start.program = in.text(program_bytes);
  start.config.name = in.text(limits::name_bytes);
  start.config.network = in.key<NetworkId>();
  start.config.listen_port = static_cast<std::uint16_t>(in.number(UINT16_MAX));
  start.config.hello_port = static_cast<std::uint16_t>(in.number(UINT16_MAX));
  start.config.accept_hello = in.boolean();
  if (!in.nil()) start.config.ipv4 = in.address();
  if (!in.nil()) start.config.keepalive = std::chrono::seconds(in.number(seconds_max));
  start.config.members_max = in.number(UINT32_MAX);
  start.config.random_seed = in.number();
  start.id = in.key<NodeId>();
  start.tunnel_key = in.key<TunnelKey>();
  start.stored = bytes_of(in.binary(0, trace_limits::entry_bytes));
  TraceStart::Invited invited;
  invited.grant = bytes_of(in.binary(0, statement_max));
  invited.certificate = bytes_of(in.binary(0, statement_max));
  invited.bundle = bytes_of(in.binary(0, statement_max));
  if (!invited.grant.empty()) start.invited = std::move(invited);
  if (values == start_values) start.config.subnets.resize(in.array(0, limits::subnets_per_node));
  for (auto& subnet : start.config.subnets) subnet = in.prefix();
  if (!in.done()) return std::nullopt;
  return start;
}

Bytes pack_note(const TraceNote& note) {
  return std::visit([](const auto& one) { return packed(one); }, note);
}

std::optional<TraceNote> read_note(ByteView content) {
  Unpacker in(content, 8);
  in.array(2, 5);
  TraceNote note;
  switch (in.enumerator(NoteKind::verdict)) {
    case NoteKind::signature: {
      NotedSignature one;
      one.about = in.key<Hash32>();
      one.signature = in.signature();
      note = one;
      break;
    }
    case NoteKind::progress: note = read_progress(in); break;
    case NoteKind::reaction: note = read_reaction(in); break;
    case NoteKind::verdict: note = NotedVerdict{in.boolean()}; break;
  }
  if (!in.done()) return std::nullopt;
  return note;
}

Bytes pack_digest(const StepDigest& digest) {
  Bytes out;
  out.reserve(digest.outputs.size() * digest_bytes);
  for (const auto& one : digest.outputs) {
    out.push_back(one.kind);
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(one.hash >> shift));
  }
  return out;
}

std::optional<std::vector<StepDigest::One>> read_digest(ByteView content) {
  if (content.size() % digest_bytes != 0 || content.size() > digest_max * digest_bytes) return std::nullopt;
  std::vector<StepDigest::One> outputs;
  for (; !content.empty(); content = content.subspan(digest_bytes)) {
    std::uint32_t hash = 0;
    for (const auto byte : content.subspan(1, digest_bytes - 1)) hash = hash << 8 | byte;
    if (content[0] >= std::variant_size_v<Output>) return std::nullopt;
    outputs.push_back({content[0], hash});
  }
  return outputs;
}

void pack_peer(const TunnelPeerState& peer, Packer& out) {
  out.array(7).key(peer.key);
  if (peer.endpoint) out.endpoint(*peer.endpoint);
  else out.nil();
  const auto prefixes = std::min(peer.allowed_ips.size(), trace_limits::prefixes_per_peer);
  out.array(2 * prefixes);
  for (std::size_t i = 0; i < prefixes; ++i) out.address(peer.allowed_ips[i].address).number(peer.allowed_ips[i].length);
  out.number(static_cast<std::uint64_t>(std::clamp<std::int64_t>(peer.keepalive.count(), 0, UINT32_MAX)));
  out.number(zigzag(peer.last_handshake_unix_s)).number(peer.rx_bytes).number(peer.tx_bytes);
}

TunnelPeerState read_peer(Unpacker& in) {
  TunnelPeerState peer;
  in.array(7, 7);
  peer.key = in.key<TunnelKey>();
  if (!in.nil()) peer.endpoint = in.endpoint();
  const auto values = in.array(0, 2 * trace_limits::prefixes_per_peer);
  if (values % 2 != 0) in.fail();
  for (std::size_t i = 0; i < values / 2 && !in.failed(); ++i) {
    const Address address = in.address();
    const auto length = static_cast<std::uint8_t>(in.number(static_cast<std::uint64_t>(address.bits())));
    peer.allowed_ips.push_back({address, length});
  }
  peer.keepalive = std::chrono::seconds(in.number(seconds_max));
  peer.last_handshake_unix_s = unzigzag(in.number());
  peer.rx_bytes = in.number();
  peer.tx_bytes = in.number();
  return peer;
}

}  // namespace wigwag
