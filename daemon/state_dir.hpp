#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/failure.hpp"
#include "daemon/file.hpp"
#include "gossip/base/bytes.hpp"
#include "gossip/base/secret.hpp"

namespace wigwag {

// The files of one node, in a directory that belongs to one daemon at a time:
//   identity.key, wireguard.key          this node's secrets
//   root.key, admin.key                  a founder's
//   token                                an invitation, until it has been used
//   state, state.old, membership         what the core knows, the generation before, and
//                                        our own admission alone, so that a damaged
//                                        member list never costs the membership
//   applied                              what is ours in the kernel
//   invites                              the invitations made here
// Secrets are refused when others can read them. Every write replaces a file whole.
// Holds a lock on the directory as long as it lives.
class StateDir {
 public:
  enum class Missing : std::uint8_t { create, refuse };
  // `refuse`: the directory must be there already.
  static Outcome<StateDir> open(const std::string& path, Missing missing);

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  bool has(std::string_view name) const;

  // One of the key files; nullopt when there is none.
  template <class S>
  Outcome<std::optional<S>> load_secret(std::string_view name) const {
    auto raw = load_key(name);
    if (!raw) return Unexpected{raw.error()};
    if (!raw->has_value()) return std::optional<S>();
    auto secret = S::from(raw->value());
    wipe(raw->value().data(), raw->value().size());
    return std::optional<S>(std::move(secret));
  }
  template <class S>
  Outcome<void> save_secret(std::string_view name, const S& secret) const {
    return save_key(name, secret.open());
  }

  // Text that is secret, such as a token.
  Outcome<std::optional<std::string>> load_text(std::string_view name) const;
  Outcome<void> save_text(std::string_view name, std::string_view text) const;

  Outcome<std::optional<Bytes>> load(std::string_view name) const;
  Outcome<void> save(std::string_view name, ByteView content) const;
  // As save(), the previous content staying behind as NAME.old.
  Outcome<void> save_generation(std::string_view name, ByteView content) const;
  Outcome<void> remove(std::string_view name) const;

  // The first of the files that `refuse` has nothing against (it answers with the reason
  // otherwise); a refused one is set aside as NAME.broken-TIME. `remarks`: what was done.
  struct Found {
    std::optional<Bytes> content;
    std::vector<std::string> remarks;
  };
  using Refuse = std::function<std::optional<std::string>(ByteView)>;
  Found load_first(const std::vector<std::string>& names, const Refuse& refuse, std::int64_t unix_now) const;

  // Forgets the node: every file of ours but logs and what was set aside. A founder's keys
  // are kept as NAME.left-TIME, and `applied` and `forwarding` while something of ours is in the kernel.
  enum class Kernel : std::uint8_t { clean, littered };
  Outcome<void> forget(std::int64_t unix_now, Kernel kernel) const;

 private:
  StateDir(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  Outcome<std::optional<Bytes>> load_key(std::string_view name) const;
  Outcome<void> save_key(std::string_view name, ByteView secret) const;

  std::string path_;
  Descriptor lock_;
};

inline constexpr std::size_t state_bytes_max = 16 << 20;  // a larger state file is refused

// A secret outside the state directory: warns, in words, when others can read it.
std::optional<std::string> loose_permissions(const std::string& path);

}  // namespace wigwag
