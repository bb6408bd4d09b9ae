#include "gossip/trace.hpp"

#include <algorithm>

#include "gossip/membership/message.hpp"
#include "gossip/trace_parts.hpp"

namespace wigwag {
namespace {

constexpr std::size_t header_bytes = 8;                  // length, and the beginning of a hash
constexpr std::size_t input_values = 4'000'000;
constexpr std::size_t entry_values = trace_limits::notes + 16;
constexpr std::size_t local_with_networks = 3;
constexpr std::string_view magic_word = "wigwag-trace ";

Bytes framed(const Bytes& content) {
  if (content.size() > trace_limits::entry_bytes) return {};
  Bytes frame(header_bytes);
  store_be64(frame.data(), static_cast<std::uint64_t>(content.size()) << 32 | short_hash(content));
  frame.insert(frame.end(), content.begin(), content.end());
  return frame;
}

template <class List, class Pack>
void pack_list(Packer& out, const List& list, Pack pack) {
  const auto size = std::min(list.size(), trace_limits::addresses);
  out.array(size);
  for (std::size_t i = 0; i < size; ++i) pack(list[i]);
}

void pack_endpoints(Packer& out, const std::vector<Endpoint>& endpoints) {
  pack_list(out, endpoints, [&](const Endpoint& endpoint) { out.endpoint(endpoint); });
}

std::vector<Endpoint> read_endpoints(Unpacker& in) {
  std::vector<Endpoint> endpoints(in.array(0, trace_limits::addresses));
  for (auto& endpoint : endpoints) endpoint = in.endpoint();
  return endpoints;
}

Packer packed_as(InputKind kind, std::size_t fields) {
  Packer out;
  out.array(1 + fields).number(static_cast<std::uint64_t>(kind));
  return out;
}

Bytes pack(const TunnelDatagram& datagram, bool proven) {
  Packer out = packed_as(InputKind::tunnel, 4);
  out.address(datagram.from).number(static_cast<std::uint64_t>(datagram.plane)).boolean(proven);
  if (proven) out.binary(datagram.bytes);
  else out.number(std::min(datagram.bytes.size(), trace_limits::datagram_bytes));
  return out.take();
}
Bytes pack(const HelloDatagram& datagram) {
  Packer out = packed_as(InputKind::hello, 2);
  return out.endpoint(datagram.from).number(std::min(datagram.bytes.size(), trace_limits::datagram_bytes)).take();
}
Bytes pack(const Wakeup&) { return packed_as(InputKind::wakeup, 0).take(); }
Bytes pack(const LocalAddresses& local) {
  Packer out = packed_as(InputKind::local, 2);
  pack_list(out, local.addresses, [&](const Address& address) { out.address(address); });
  pack_list(out, local.networks, [&](const Prefix& network) { out.prefix(network); });
  return out.take();
}
Bytes pack(const Resolved& resolved) {
  Packer out = packed_as(InputKind::resolved, 2);
  pack_endpoints(out, resolved.seeds);
  pack_endpoints(out, resolved.endpoints);
  return out.take();
}
Bytes pack(const LeaveCommand&) { return packed_as(InputKind::leave, 0).take(); }
Bytes pack(const RevokeCommand& command) {
  Packer out = packed_as(InputKind::revoke, 1);
  return out.binary(ByteView(command.revocation).first(std::min(command.revocation.size(), trace_limits::datagram_bytes))).take();
}

Bytes zeros(Unpacker& in) { return Bytes(in.number(trace_limits::datagram_bytes)); }

}  // namespace

const char* to_string(TraceError error) {
  switch (error) {
    case TraceError::not_a_trace: return "it is no trace of a wigwag node: `wigwagd --record FILE` writes one";
    case TraceError::newer_format: return "it was written by a newer wigwag: use that version's wigwag-sim";
    case TraceError::cut_off: return "it ends in the middle of an entry: the daemon was killed, or the file was copied while it grew";
    case TraceError::damaged: return "an entry is damaged: copy the file anew";
  }
  return "";
}

Bytes TraceEncoder::frame(const TraceEntry& entry) {
  return framed(std::visit([this](const auto& one) { return content(one); }, entry));
}

Bytes TraceEncoder::content(const TraceStart& start) { return pack_start(start); }

Bytes TraceEncoder::content(const TraceEnd& end) {
  Packer out;
  return out.array(2).number(static_cast<std::uint64_t>(EntryKind::end)).boolean(end.full).take();
}

Bytes TraceEncoder::content(const TraceStep& step) {
  Bytes input;
  if (const auto* snapshot = std::get_if<KernelSnapshot>(&step.input)) input = pack(*snapshot);
  else if (const auto* datagram = std::get_if<TunnelDatagram>(&step.input)) input = wigwag::pack(*datagram, step.proven);
  else if (const auto* hello = std::get_if<HelloDatagram>(&step.input)) input = wigwag::pack(*hello);
  else if (const auto* local = std::get_if<LocalAddresses>(&step.input)) input = wigwag::pack(*local);
  else if (const auto* resolved = std::get_if<Resolved>(&step.input)) input = wigwag::pack(*resolved);
  else if (const auto* leave = std::get_if<LeaveCommand>(&step.input)) input = wigwag::pack(*leave);
  else if (const auto* revoke = std::get_if<RevokeCommand>(&step.input)) input = wigwag::pack(*revoke);
  else input = wigwag::pack(Wakeup{});
  Packer out;
  out.array(7).number(static_cast<std::uint64_t>(EntryKind::step)).number(zigzag((step.now.at - last_.at).count()));
  out.number(zigzag(step.now.wall.seconds - last_.wall.seconds)).binary(input);
  const auto notes = std::min(step.notes.size(), trace_limits::notes);
  out.array(notes);
  for (std::size_t i = 0; i < notes; ++i) out.binary(pack_note(step.notes[i]));
  out.binary(pack_digest(step.did));
  if (step.did.next_wakeup == never) out.nil();
  else out.number(zigzag((step.did.next_wakeup - step.now.at).count()));
  last_ = step.now;
  return out.take();
}

// Most peers are as they were: only the others are written.
Bytes TraceEncoder::pack(const KernelSnapshot& snapshot) {
  std::map<TunnelKey, TunnelPeerState> fresh;
  if (snapshot.changes_only) {
    fresh = peers_;
    for (const auto& key : snapshot.gone) fresh.erase(key);
    for (const auto& peer : snapshot.peers) fresh.erase(peer.key);
  }
  for (const auto& peer : snapshot.peers) {
    if (fresh.size() < trace_limits::kernel_peers) fresh.emplace(peer.key, peer);
  }
  std::vector<const TunnelPeerState*> changed;
  for (const auto& [key, peer] : fresh) {
    const auto held = peers_.find(key);
    if (held == peers_.end() || held->second != peer) changed.push_back(&peer);
  }
  std::vector<TunnelKey> gone;
  for (const auto& [key, peer] : peers_) {
    if (!fresh.contains(key)) gone.push_back(key);
  }
  Packer out = packed_as(InputKind::kernel, 3);
  out.boolean(snapshot.settled).array(changed.size());
  for (const auto* peer : changed) pack_peer(*peer, out);
  out.array(gone.size());
  for (const auto& key : gone) out.key(key);
  peers_ = std::move(fresh);
  return out.take();
}

TraceDecoder::TraceDecoder(ByteView file) : file_(file) {
  const auto starts_with = [&](std::string_view text) {
    const auto wanted = view_of(text);
    return file.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), file.begin());
  };
  if (starts_with(trace_magic)) offset_ = trace_magic.size();
  else error_ = starts_with(magic_word) ? TraceError::newer_format : TraceError::not_a_trace;
}

std::nullopt_t TraceDecoder::fail(TraceError error) {
  error_ = error;
  return std::nullopt;
}

std::optional<TraceEntry> TraceDecoder::next() {
  if (error_ || offset_ == file_.size()) return std::nullopt;
  const ByteView rest = file_.subspan(offset_);
  if (rest.size() < header_bytes) return fail(TraceError::cut_off);
  const auto header = load_be64(rest.data());
  const auto size = static_cast<std::size_t>(header >> 32);
  if (size > trace_limits::entry_bytes) return fail(TraceError::damaged);
  if (rest.size() - header_bytes < size) return fail(TraceError::cut_off);
  const ByteView content = rest.subspan(header_bytes, size);
  if (short_hash(content) != static_cast<std::uint32_t>(header)) return fail(TraceError::damaged);
  auto entry = read(content);
  if (!entry) return fail(TraceError::damaged);
  offset_ += header_bytes + size;
  return entry;
}

std::optional<TraceEntry> TraceDecoder::read(ByteView content) {
  Unpacker in(content, entry_values);
  const auto values = in.array(2, start_values);
  const auto kind = in.enumerator(EntryKind::end);
  if (in.failed()) return std::nullopt;
  switch (kind) {
    case EntryKind::start:
      if (auto start = read_start(in, values)) return TraceEntry(std::move(*start));
      return std::nullopt;
    case EntryKind::step:
      if (auto step = read_step(in)) return TraceEntry(std::move(*step));
      return std::nullopt;
    case EntryKind::end: {
      const TraceEnd end{in.boolean()};
      return in.done() ? std::optional<TraceEntry>(end) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<TraceStep> TraceDecoder::read_step(Unpacker& in) {
  TraceStep step;
  const auto span = unzigzag(in.number());
  const auto drift = unzigzag(in.number());
  const ByteView input = in.binary(1, trace_limits::entry_bytes);
  const auto notes = in.array(0, trace_limits::notes);
  for (std::size_t i = 0; i < notes && !in.failed(); ++i) {
    auto note = read_note(in.binary(1, trace_limits::entry_bytes));
    if (!note) return std::nullopt;
    step.notes.push_back(std::move(*note));
  }
  auto outputs = read_digest(in.binary(0, trace_limits::entry_bytes));
  const bool sleeps = in.nil();
  const auto until = sleeps ? 0 : unzigzag(in.number());
  // Times beyond reason would overflow; time does not go back.
  constexpr std::int64_t most = std::int64_t{1} << 61;
  const auto at = last_.at.time_since_epoch().count();
  if (!in.done() || !outputs || span < 0 || span > most - at || drift > most || drift < -most || until > most / 2 || until < -most / 2) return std::nullopt;
  step.now = {last_.at + Duration(span), UnixTime{last_.wall.seconds + drift}};
  if (step.now.wall.seconds > most || step.now.wall.seconds < -most) return std::nullopt;
  auto read = read_input(input, step.proven);
  if (!read) return std::nullopt;
  step.input = std::move(*read);
  step.did.outputs = std::move(*outputs);
  if (!sleeps) step.did.next_wakeup = step.now.at + Duration(until);
  last_ = step.now;
  return step;
}

std::optional<Input> TraceDecoder::read_input(ByteView content, bool& proven) {
  Unpacker in(content, input_values);
  const auto values = in.array(1, 5);
  Input input;
  switch (in.enumerator(InputKind::revoke)) {
    case InputKind::tunnel: {
      TunnelDatagram datagram;
      datagram.from = in.address();
      datagram.plane = in.enumerator(Plane::relayed);
      proven = in.boolean();
      datagram.bytes = proven ? bytes_of(in.binary(0, trace_limits::datagram_bytes)) : zeros(in);
      input = std::move(datagram);
      break;
    }
    case InputKind::hello: {
      const Endpoint from = in.endpoint();
      input = HelloDatagram{from, zeros(in)};
      break;
    }
    case InputKind::wakeup: input = Wakeup{}; break;
    case InputKind::kernel: {
      auto snapshot = read_snapshot(in);
      if (!snapshot) return std::nullopt;
      input = std::move(*snapshot);
      break;
    }
    case InputKind::local: {
      LocalAddresses local;
      local.addresses.resize(in.array(0, trace_limits::addresses));
      for (auto& address : local.addresses) address = in.address();
      // Traces of before networks were noted end here.
      if (values == local_with_networks) local.networks.resize(in.array(0, trace_limits::addresses));
      for (auto& network : local.networks) network = in.prefix();
      input = std::move(local);
      break;
    }
    case InputKind::resolved: {
      Resolved resolved;
      resolved.seeds = read_endpoints(in);
      resolved.endpoints = read_endpoints(in);
      input = std::move(resolved);
      break;
    }
    case InputKind::leave: input = LeaveCommand{}; break;
    case InputKind::revoke: input = RevokeCommand{bytes_of(in.binary(0, trace_limits::datagram_bytes))}; break;
  }
  if (!in.done()) return std::nullopt;
  return input;
}

std::optional<KernelSnapshot> TraceDecoder::read_snapshot(Unpacker& in) {
  KernelSnapshot snapshot;
  snapshot.settled = in.boolean();
  const auto changed = in.array(0, trace_limits::kernel_peers);
  for (std::size_t i = 0; i < changed && !in.failed(); ++i) {
    auto peer = read_peer(in);
    peers_[peer.key] = std::move(peer);
  }
  const auto gone = in.array(0, trace_limits::kernel_peers);
  for (std::size_t i = 0; i < gone && !in.failed(); ++i) peers_.erase(in.key<TunnelKey>());
  if (in.failed() || peers_.size() > trace_limits::kernel_peers) return std::nullopt;
  for (const auto& [key, peer] : peers_) snapshot.peers.push_back(peer);
  return snapshot;
}

}  // namespace wigwag
