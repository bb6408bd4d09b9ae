#pragma once

#include "gossip/base/packed.hpp"
#include "gossip/trace.hpp"

// The packed parts of a trace that need no memory of earlier entries. An entry is a packed array
// whose first number is its EntryKind; parts that nest deeper than packed values may are binaries within.
namespace wigwag {

enum class EntryKind : std::uint8_t { start, step, end };
enum class InputKind : std::uint8_t { tunnel, hello, wakeup, kernel, local, resolved, leave, revoke };

// Signed numbers, small ones short.
std::uint64_t zigzag(std::int64_t value);
std::int64_t unzigzag(std::uint64_t value);

Bytes bytes_of(ByteView view);

Bytes pack_start(const TraceStart& start);
// `values`: of the entry, with its kind. Traces of before networks were noted have one less.
inline constexpr std::size_t start_values = 18;
std::optional<TraceStart> read_start(Unpacker& in, std::size_t values);
Bytes pack_note(const TraceNote& note);
std::optional<TraceNote> read_note(ByteView packed);
Bytes pack_digest(const StepDigest& digest);
std::optional<std::vector<StepDigest::One>> read_digest(ByteView packed);
void pack_peer(const TunnelPeerState& peer, Packer& out);
TunnelPeerState read_peer(Unpacker& in);

// What tells damage, and one output from another, in four bytes.
std::uint32_t short_hash(ByteView content);

}  // namespace wigwag
