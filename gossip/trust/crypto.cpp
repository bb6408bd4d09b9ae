#include "gossip/trust/crypto.hpp"

#include <sodium.h>

#include <algorithm>

#include "gossip/base/check.hpp"

namespace wigwag {
namespace {

std::string_view name_of(Domain domain) {
  switch (domain) {
    case Domain::bundle: return "wigwag.bundle";
    case Domain::grant: return "wigwag.grant";
    case Domain::certificate: return "wigwag.certificate";
    case Domain::redemption: return "wigwag.redemption";
    case Domain::revocation: return "wigwag.revocation";
    case Domain::record: return "wigwag.record";
    case Domain::accusation: return "wigwag.accusation";
    case Domain::hello: return "wigwag.hello";
  }
  check(false, "every signature has a domain");
  return {};
}

// What is signed in place of a body, so that a signature holds for one purpose in one network.
Bytes signed_message(Domain domain, const NetworkId& network, ByteView body) {
  const auto name = view_of(name_of(domain));
  Bytes message;
  message.reserve(name.size() + 1 + network.bytes.size() + body.size());
  message.insert(message.end(), name.begin(), name.end());
  message.push_back(0);
  message.insert(message.end(), network.bytes.begin(), network.bytes.end());
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

// libsodium's expanded secret key, seed and public key side by side; wiped when it ends.
struct SigningKey {
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> public_key{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret_key{};

  explicit SigningKey(const std::array<std::uint8_t, 32>& seed) {
    check(crypto_sign_seed_keypair(public_key.data(), secret_key.data(), seed.data()) == 0, "an Ed25519 seed has a key pair");
  }
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey() { wipe(secret_key.data(), secret_key.size()); }
};

template <class Public>
Public exchange_key(const std::array<std::uint8_t, 32>& secret) {
  Public key;
  check(crypto_scalarmult_base(key.bytes.data(), secret.data()) == 0, "an X25519 secret has a public key");
  return key;
}

void hash_into(std::uint8_t* to, std::size_t size, ByteView data, ByteView key) {
  check(key.size() <= crypto_generichash_KEYBYTES_MAX, "a BLAKE2b key has at most 64 bytes");
  check(crypto_generichash(to, size, data.data(), data.size(), key.data(), key.size()) == 0, "BLAKE2b takes any data");
}

using Nonce = std::array<std::uint8_t, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES>;

}  // namespace

bool start_crypto() { return sodium_init() >= 0; }

Secret<struct EntropySeedRole> system_entropy() {
  std::array<std::uint8_t, 32> raw{};
  randombytes_buf(raw.data(), raw.size());
  Secret<struct EntropySeedRole> seed(raw);
  wipe(raw.data(), raw.size());
  return seed;
}

void Entropy::fill(std::uint8_t* to, std::size_t size) {
  while (size > 0) {
    std::array<std::uint8_t, 8> position{};
    store_be64(position.data(), counter_++);
    auto block = blake2b_512(position, seed_.open());
    const std::size_t taken = std::min(size, block.size());
    std::copy_n(block.begin(), taken, to);
    wipe(block.data(), block.size());
    to += taken;
    size -= taken;
  }
}

Hash32 blake2b(ByteView data, ByteView key) {
  Hash32 hash;
  hash_into(hash.bytes.data(), hash.bytes.size(), data, key);
  return hash;
}

std::array<std::uint8_t, 64> blake2b_512(ByteView data, ByteView key) {
  std::array<std::uint8_t, 64> hash{};
  hash_into(hash.data(), hash.size(), data, key);
  return hash;
}

std::uint64_t siphash(ByteView data, const MacKey& key) {
  static_assert(crypto_shorthash_BYTES == 8 && crypto_shorthash_KEYBYTES == sizeof key.bytes);
  std::array<std::uint8_t, 8> mac{};
  crypto_shorthash(mac.data(), data.data(), data.size(), key.bytes.data());
  return load_be64(mac.data());
}

NodeId public_key(const NodeSecret& secret) { return NodeId{SigningKey(secret.open()).public_key}; }
GrantId public_key(const GrantSecret& secret) { return GrantId{SigningKey(secret.open()).public_key}; }
AdminId public_key(const AdminSecret& secret) { return AdminId{SigningKey(secret.open()).public_key}; }
NetworkId public_key(const RootSecret& secret) { return NetworkId{SigningKey(secret.open()).public_key}; }
TunnelKey public_key(const TunnelSecret& secret) { return exchange_key<TunnelKey>(secret.open()); }
HelloKey public_key(const HelloSecret& secret) { return exchange_key<HelloKey>(secret.open()); }

TunnelSecret make_tunnel_secret(Entropy& entropy) {
  std::array<std::uint8_t, 32> raw{};
  entropy.fill(raw.data(), raw.size());
  raw[0] = static_cast<std::uint8_t>(raw[0] & 248);
  raw[31] = static_cast<std::uint8_t>((raw[31] & 127) | 64);
  TunnelSecret secret(raw);
  wipe(raw.data(), raw.size());
  return secret;
}

Signature sign(Domain domain, const NetworkId& network, ByteView body, const std::array<std::uint8_t, 32>& seed) {
  const SigningKey key(seed);
  const Bytes message = signed_message(domain, network, body);
  Signature signature;
  check(crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(), key.secret_key.data()) == 0,
        "Ed25519 signs any message");
  return signature;
}

Hash32 signed_hash(Domain domain, const NetworkId& network, ByteView body) { return blake2b(signed_message(domain, network, body)); }

bool Verifier::verify(Domain domain, const NetworkId& network, ByteView body, const Signature& signature,
                      const std::array<std::uint8_t, 32>& key) {
  const Bytes message = signed_message(domain, network, body);
  // Unambiguous: the fields of fixed size stand first, and the message says itself where its domain ends.
  Bytes checked(key.begin(), key.end());
  checked.reserve(key.size() + signature.bytes.size() + message.size());
  checked.insert(checked.end(), signature.bytes.begin(), signature.bytes.end());
  checked.insert(checked.end(), message.begin(), message.end());
  const Hash32 what = blake2b(checked);
  if (remembered_.contains(what)) return true;
  if (crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(), key.data()) != 0) return false;
  if (remembered_.size() >= remembered_max_) remembered_.clear();
  if (remembered_max_ > 0) remembered_.insert(what);
  return true;
}

namespace {

// What both ends come to by their identities; wiped when it ends.
using PairSecret = Secret<struct PairSecretRole>;

std::optional<PairSecret> pair_secret(const NodeSecret& own, const NodeId& other) {
  std::array<std::uint8_t, 32> other_exchange{};
  if (crypto_sign_ed25519_pk_to_curve25519(other_exchange.data(), other.bytes.data()) != 0) return std::nullopt;
  // Only the seed's half of a libsodium secret key goes into its X25519 form.
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> identity{};
  std::copy_n(own.open().begin(), own.open().size(), identity.begin());
  std::array<std::uint8_t, 32> own_exchange{}, shared{};
  const bool converted = crypto_sign_ed25519_sk_to_curve25519(own_exchange.data(), identity.data()) == 0;
  wipe(identity.data(), identity.size());
  check(converted, "an identity has an X25519 form");
  const bool agreed = crypto_scalarmult(shared.data(), own_exchange.data(), other_exchange.data()) == 0;
  wipe(own_exchange.data(), own_exchange.size());
  std::optional<PairSecret> secret;
  if (agreed) secret.emplace(shared);
  wipe(shared.data(), shared.size());
  return secret;
}

MacKey key_towards(const NetworkId& network, const PairSecret& secret, const NodeId& from, const NodeId& to) {
  const auto name = view_of("wigwag.gossip");
  Bytes about(name.begin(), name.end());
  about.push_back(0);
  for (const auto& part : {network.view(), from.view(), to.view()}) about.insert(about.end(), part.begin(), part.end());
  Hash32 derived = blake2b(about, secret.open());
  MacKey key;
  std::copy_n(derived.bytes.begin(), key.bytes.size(), key.bytes.begin());
  wipe(derived.bytes.data(), derived.bytes.size());
  return key;
}

}  // namespace

std::optional<GossipKeys> gossip_keys(const NetworkId& network, const NodeSecret& own, const NodeId& own_id, const NodeId& other) {
  const auto secret = pair_secret(own, other);
  if (!secret) return std::nullopt;
  return GossipKeys{key_towards(network, *secret, own_id, other), key_towards(network, *secret, other, own_id)};
}

std::optional<MacKey> gossip_mac_key(const NetworkId& network, const NodeSecret& own, const NodeId& from, const NodeId& to) {
  const NodeId own_id = public_key(own);
  if (own_id != from && own_id != to) return std::nullopt;
  const auto keys = gossip_keys(network, own, own_id, own_id == from ? to : from);
  if (!keys) return std::nullopt;
  return own_id == from ? keys->out : keys->in;
}

// As often as their number has doubled: a share of the work of each that was added.
void Verifier::sweep() {
  std::erase_if(shared_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(sweep_at_, 2 * shared_.size());
}

std::optional<GossipKeys> Verifier::gossip_keys(const NetworkId& network, const NodeSecret& own, const NodeId& own_id, const NodeId& other) {
  if (!many_) return wigwag::gossip_keys(network, own, own_id, other);
  const bool lower = own_id < other;
  const auto pair = lower ? std::make_pair(own_id, other) : std::make_pair(other, own_id);
  if (const auto known = agreed_.find(pair); known != agreed_.end()) {
    return lower ? known->second : GossipKeys{known->second.in, known->second.out};
  }
  const auto keys = wigwag::gossip_keys(network, own, own_id, other);
  if (!keys) return keys;
  if (agreed_.size() >= remembered_max_) agreed_.clear();
  agreed_.emplace(pair, lower ? *keys : GossipKeys{keys->in, keys->out});
  return keys;
}

std::optional<Secret<struct SharedSecretRole>> agree(const HelloSecret& own, const HelloKey& other) {
  std::array<std::uint8_t, 32> raw{};
  // libsodium refuses the all-zero result that low-order points give.
  if (crypto_scalarmult(raw.data(), own.open().data(), other.bytes.data()) != 0) return std::nullopt;
  Secret<struct SharedSecretRole> shared(raw);
  wipe(raw.data(), raw.size());
  return shared;
}

// A key is used for one message, so the nonce may be zero.
Bytes seal_box(const BoxKey& key, ByteView plain, ByteView associated) {
  Bytes sealed(plain.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  const Nonce nonce{};
  check(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(), associated.data(),
                                                   associated.size(), nullptr, nonce.data(), key.open().data()) == 0,
        "XChaCha20-Poly1305 seals any message");
  return sealed;
}

std::optional<Bytes> open_box(const BoxKey& key, ByteView sealed, ByteView associated) {
  if (sealed.size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) return std::nullopt;
  Bytes plain(sealed.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES);
  const Nonce nonce{};
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated.data(),
                                                 associated.size(), nonce.data(), key.open().data()) != 0) {
    return std::nullopt;
  }
  return plain;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace wigwag
