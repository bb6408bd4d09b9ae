#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gossip/node.hpp"

// A node's life as a file: where it began, each input with the time it came at, what the
// node's secrets answered meanwhile, and a digest of what it did. Enough for running the core
// over it again, and nothing that lets anybody speak in the node's name: no identity, no
// WireGuard key, no invitation's secret, no seed of entropy, no ephemeral of a hello, and no MAC or its key.
//
// The file begins with the line trace_magic. Then come frames: length (4 bytes, big-endian),
// the first 4 bytes of BLAKE2b-256 over the content, and the content, one packed entry. Times
// and the kernel's peers are noted as differences from the entry before.
namespace wigwag {

inline constexpr std::string_view trace_magic = "wigwag-trace 1\n";

// Where the life began.
struct TraceStart {
  std::string program;              // who recorded: "wigwagd 0.1.0"
  NodeConfig config;
  NodeId id;
  TunnelKey tunnel_key;
  Bytes stored;                     // encode_stored(): public statements only
  struct Invited {
    Bytes grant;
    Bytes certificate;              // as made with the invitation's secret; empty where the name does not suit it
    Bytes bundle;                   // empty where the token held none
    bool operator==(const Invited&) const = default;
  };
  std::optional<Invited> invited;
};

// The answers of a node's identity, in the order in which they were asked for.
struct NotedSignature {
  Hash32 about;                     // signed_hash()
  Signature signature;
};
// What a hello datagram did to a call of ours.
struct NotedProgress {
  std::optional<HelloFailure> failure;
  bool send_now = false;
  std::optional<HelloAnswer> answer{};
  std::optional<Chain> host{};
};
// What one did on our hello port.
struct NotedReaction {
  bool sent = false;
  std::optional<HelloOffer> proven{};  // the caller has proven itself, offering this
};
// Whether a verdict on a caller could be sent.
struct NotedVerdict {
  bool sent = false;
};
using TraceNote = std::variant<NotedSignature, NotedProgress, NotedReaction, NotedVerdict>;

// What a step came to, short enough to be written each time: for each output its kind and a
// hash, and when the node asked to be woken. What no replay can make again is left out of the
// hashes: MACs, and the content of hellos. Of a write that is to be synced, what is written is in the hash.
struct StepDigest {
  struct One {
    std::uint8_t kind = 0;          // the index in Output
    std::uint32_t hash = 0;
    bool operator==(const One&) const = default;
  };
  std::vector<One> outputs;         // outputs beyond digest_max are in the hash of the last
  Instant next_wakeup = never;
  bool operator==(const StepDigest&) const = default;
};
inline constexpr std::size_t digest_max = 4096;
StepDigest digest_of(const Outputs& outputs, const Node& node);

struct TraceStep {
  Now now;
  // A gossip datagram has no MAC here, and is all zeros when it was not proven to be a member's;
  // so is a hello, which nobody can open again.
  Input input;
  bool proven = false;
  std::vector<TraceNote> notes;
  StepDigest did;
};

// The last entry; without one, the daemon was killed, or the file was cut.
struct TraceEnd {
  bool full = false;                // else the daemon stopped
};

using TraceEntry = std::variant<TraceStart, TraceStep, TraceEnd>;

enum class TraceError : std::uint8_t { not_a_trace, newer_format, cut_off, damaged };
const char* to_string(TraceError error);

// Longer lists than these are cut when written, and damage when read.
namespace trace_limits {
inline constexpr std::size_t entry_bytes = 20U << 20;
inline constexpr std::size_t kernel_peers = 100'000;
inline constexpr std::size_t prefixes_per_peer = 4096;
inline constexpr std::size_t addresses = 4096;         // of this host, and of one configured list
inline constexpr std::size_t datagram_bytes = 65'535;
inline constexpr std::size_t notes = 4096;
}  // namespace trace_limits

// Turns entries into frames; one for a file, since entries build on those before.
class TraceEncoder {
 public:
  // Empty when the entry outgrows trace_limits::entry_bytes: the trace cannot go on behind it.
  Bytes frame(const TraceEntry& entry);

 private:
  Bytes content(const TraceStart& start);
  Bytes content(const TraceStep& step);
  Bytes content(const TraceEnd& end);
  Bytes pack(const KernelSnapshot& snapshot);

  Now last_;
  std::map<TunnelKey, TunnelPeerState> peers_;
};

// Reads a whole trace, entry by entry. What stands before damage is good.
class TraceDecoder {
 public:
  explicit TraceDecoder(ByteView file);  // which outlives the decoder

  // nullopt at the end of the file, or of what can be read of it: see error().
  std::optional<TraceEntry> next();
  std::optional<TraceError> error() const { return error_; }
  std::size_t offset() const { return offset_; }  // of what could not be read

 private:
  std::optional<TraceEntry> read(ByteView content);
  std::optional<TraceStep> read_step(class Unpacker& in);
  std::optional<Input> read_input(ByteView packed, bool& proven);
  std::optional<KernelSnapshot> read_snapshot(class Unpacker& in);
  std::nullopt_t fail(TraceError error);

  ByteView file_;
  std::size_t offset_ = 0;
  std::optional<TraceError> error_;
  Now last_;
  std::map<TunnelKey, TunnelPeerState> peers_;
};

}  // namespace wigwag
