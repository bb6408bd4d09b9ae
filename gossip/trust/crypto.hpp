#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "gossip/base/bytes.hpp"
#include "gossip/base/key.hpp"
#include "gossip/base/secret.hpp"

// The one door to libsodium. Nothing here draws randomness of its own: secrets come
// from an Entropy that the shell seeds from the operating system.
namespace wigwag {

// Call once before anything else here; false when libsodium cannot start.
bool start_crypto();

// Thirty-two bytes from the operating system, for the shell to seed an Entropy with.
Secret<struct EntropySeedRole> system_entropy();

// An endless stream of secret bytes out of one seed: BLAKE2b keyed with the seed
// over a counter. The same seed gives the same stream, which is what replaying needs.
class Entropy {
 public:
  explicit Entropy(Secret<struct EntropySeedRole> seed) : seed_(std::move(seed)) {}
  void fill(std::uint8_t* to, std::size_t size);
  template <class S>
  S secret() {
    std::array<std::uint8_t, S::size> raw{};
    fill(raw.data(), raw.size());
    S made(raw);
    wipe(raw.data(), raw.size());
    return made;
  }

 private:
  Secret<struct EntropySeedRole> seed_;
  std::uint64_t counter_ = 0;
};

// BLAKE2b-256 and -512 (RFC 7693), optionally keyed (key of at most 64 bytes).
Hash32 blake2b(ByteView data, ByteView key = {});
std::array<std::uint8_t, 64> blake2b_512(ByteView data, ByteView key = {});

// SipHash-2-4: a 64-bit authenticator under a 16-byte key.
struct MacKey {
  std::array<std::uint8_t, 16> bytes{};
};
std::uint64_t siphash(ByteView data, const MacKey& key);

// Ed25519 (RFC 8032): public keys of seeds, signatures.
NodeId public_key(const NodeSecret& secret);
GrantId public_key(const GrantSecret& secret);
AdminId public_key(const AdminSecret& secret);
NetworkId public_key(const RootSecret& secret);
TunnelKey public_key(const TunnelSecret& secret);  // X25519
HelloKey public_key(const HelloSecret& secret);    // X25519

// A fresh WireGuard private key, clamped as `wg genkey` does.
TunnelSecret make_tunnel_secret(Entropy& entropy);

// What a signature is about. The signed bytes are: the domain's name, a zero byte,
// the network id, then the body.
enum class Domain : std::uint8_t { bundle, grant, certificate, redemption, revocation, record, accusation, hello };
Signature sign(Domain domain, const NetworkId& network, ByteView body, const std::array<std::uint8_t, 32>& seed);

// The two keys of the short MAC on gossip datagrams between a node and another.
struct GossipKeys {
  MacKey out, in;
};

// What a signature holds for, in one hash: the domain, the network and the body.
Hash32 signed_hash(Domain domain, const NetworkId& network, ByteView body);

// Whoever can sign in a node's name.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual Signature sign(Domain domain, const NetworkId& network, ByteView body) = 0;
};

// Checks signatures and remembers those that held, by a hash over all that was
// checked, so that a record seen again costs a hash instead of curve work. Holds at
// most `remembered_max` entries and starts afresh when full. One instance may serve
// many simulated nodes; made for `many`, it also remembers what two of them have agreed on,
// so that only the first of them computes it, and holds what all of them hold once.
class Verifier {
 public:
  explicit Verifier(std::size_t remembered_max = 16384, bool many = false) : remembered_max_(remembered_max), many_(many) {}
  bool verify(Domain domain, const NetworkId& network, ByteView body, const Signature& signature,
              const std::array<std::uint8_t, 32>& key);

  // What gossip_keys() comes to, for `own` and its id.
  std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeSecret& own, const NodeId& own_id, const NodeId& other);

  // The one copy of a value for all who share this verifier, as long as any of them holds it.
  // `made_from`: a hash over all that it follows from, and over what it is.
  template <class Value>
  std::shared_ptr<const Value> share(const Hash32& made_from, Value value) {
    if (!many_) return std::make_shared<const Value>(std::move(value));
    if (shared_.size() >= sweep_at_) sweep();
    auto& held = shared_[made_from];
    if (auto known = held.lock()) return std::static_pointer_cast<const Value>(std::move(known));
    auto made = std::make_shared<const Value>(std::move(value));
    held = made;
    return made;
  }

 private:
  void sweep();

  std::size_t remembered_max_;
  bool many_;
  std::unordered_set<Hash32, KeyHash> remembered_;
  std::map<std::pair<NodeId, NodeId>, GossipKeys> agreed_;  // the lower id first; as that one uses them
  std::map<Hash32, std::weak_ptr<const void>> shared_;       // those that nobody holds any more go when there are too many
  std::size_t sweep_at_ = 1024;
};

// The keys of the short MAC on gossip datagrams: both ends derive them from their Ed25519
// identities (converted to X25519), the network and the direction. nullopt when the other's
// identity is not a valid curve point.
std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeSecret& own, const NodeId& own_id, const NodeId& other);
// That for datagrams from `from` to `to`, one of which is `own`.
std::optional<MacKey> gossip_mac_key(const NetworkId& network, const NodeSecret& own, const NodeId& from, const NodeId& to);

// X25519; nullopt for a low-order point.
std::optional<Secret<struct SharedSecretRole>> agree(const HelloSecret& own, const HelloKey& other);

// XChaCha20-Poly1305 (IETF draft-irtf-cfrg-xchacha) under a key used for one message only.
using BoxKey = Secret<struct BoxKeyRole>;
Bytes seal_box(const BoxKey& key, ByteView plain, ByteView associated);
std::optional<Bytes> open_box(const BoxKey& key, ByteView sealed, ByteView associated);

// Compares in a time that does not depend on where the first difference is.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace wigwag
