#include "daemon/state_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "daemon/words.hpp"

namespace wigwag {
namespace {

constexpr std::size_t key_text_max = 256;
constexpr std::size_t text_max = 4 << 20;
constexpr std::array<const char*, 2> founder_files = {"root.key", "admin.key"};
constexpr std::array<const char*, 9> own_files = {"identity.key", "wireguard.key", "token", "state", "state.old", "membership", "applied", "forwarding", "invites"};

std::string octal(mode_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

// Creates `path` and what lies above it.
bool create_directories(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    if (::mkdir(path.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) return false;
  }
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

Outcome<void> check_directory(int directory, const std::string& path) {
  struct stat about {};
  if (::fstat(directory, &about) != 0) return Unexpected{system_failure("cannot look at " + path)};
  // Root works for whoever owns the directory: the CLI prepares what the daemon's user then runs.
  if (about.st_uid != ::geteuid() && ::geteuid() != 0) {
    return Unexpected{Failure{path + " belongs to user " + std::to_string(about.st_uid) + " and not to the one this runs as (" +
                              std::to_string(::geteuid()) + "): run as that user, or chown -R it"}};
  }
  if ((about.st_mode & 077) != 0) {
    return Unexpected{Failure{path + " is open to others (mode " + octal(about.st_mode) + ") and holds secrets: run `chmod 700 " + path + "`"}};
  }
  return {};
}

Outcome<void> check_secret(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return {};
    return Unexpected{system_failure("cannot look at " + path)};
  }
  if (!S_ISREG(about.st_mode)) return Unexpected{Failure{path + " is not a regular file: remove it"}};
  if ((about.st_mode & 077) != 0) {
    return Unexpected{Failure{path + " holds a secret and is open to others (mode " + octal(about.st_mode) + "): run `chmod 600 " + path + "`"}};
  }
  if (about.st_uid != ::geteuid() && ::geteuid() != 0) {
    return Unexpected{Failure{path + " belongs to user " + std::to_string(about.st_uid) + ": chown it to the user this runs as"}};
  }
  return {};
}

}  // namespace

Outcome<StateDir> StateDir::open(const std::string& path, Missing missing) {
  if (path.empty() || path.front() != '/') return Unexpected{Failure{"the state directory must be an absolute path, not '" + path + "'"}};
  if (missing == Missing::create && !create_directories(path)) return Unexpected{system_failure("cannot create " + path)};
  Descriptor lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return Unexpected{system_failure("cannot open the state directory " + path)};
  if (const auto checked = check_directory(lock.get(), path); !checked) return Unexpected{checked.error()};
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Unexpected{Failure{"another wigwagd uses the state directory " + path + ": stop it, or give this one another --state-dir"}};
    }
    return Unexpected{system_failure("cannot lock " + path)};
  }
  return StateDir(path, std::move(lock));
}

bool StateDir::has(std::string_view name) const { return ::access(file(name).c_str(), F_OK) == 0; }

Outcome<std::optional<Bytes>> StateDir::load_key(std::string_view name) const {
  auto text = load_text(name);
  if (!text) return Unexpected{text.error()};
  if (!text->has_value()) return std::optional<Bytes>();
  auto raw = text->value().size() <= key_text_max ? from_base64(trimmed(text->value())) : std::nullopt;
  wipe(text->value().data(), text->value().size());
  if (!raw || raw->size() != 32) {
    return Unexpected{Failure{file(name) + " does not hold a key (44 characters of base64): restore it from a backup, or remove it "
                                           "and join again as a new node"}};
  }
  return std::optional<Bytes>(std::move(raw));
}

Outcome<void> StateDir::save_key(std::string_view name, ByteView secret) const {
  std::string text = to_base64(secret) + "\n";
  auto saved = replace_file(file(name), view_of(text));
  wipe(text.data(), text.size());
  return saved;
}

Outcome<std::optional<std::string>> StateDir::load_text(std::string_view name) const {
  if (const auto safe = check_secret(file(name)); !safe) return Unexpected{safe.error()};
  auto content = read_file(file(name), text_max);
  if (!content) return Unexpected{content.error()};
  if (!content->has_value()) return std::optional<std::string>();
  std::string text(content->value().begin(), content->value().end());
  wipe(content->value().data(), content->value().size());
  return std::optional<std::string>(std::move(text));
}

Outcome<void> StateDir::save_text(std::string_view name, std::string_view text) const { return replace_file(file(name), view_of(text)); }

Outcome<std::optional<Bytes>> StateDir::load(std::string_view name) const { return read_file(file(name), state_bytes_max); }

Outcome<void> StateDir::save(std::string_view name, ByteView content) const { return replace_file(file(name), content); }

Outcome<void> StateDir::save_generation(std::string_view name, ByteView content) const {
  return replace_file(file(name), content, {0600, file(name) + ".old"});
}

Outcome<void> StateDir::remove(std::string_view name) const { return remove_file(file(name)); }

StateDir::Found StateDir::load_first(const std::vector<std::string>& names, const Refuse& refuse, std::int64_t unix_now) const {
  Found found;
  for (const auto& name : names) {
    const auto content = load(name);
    std::optional<std::string> fault;
    if (!content) {
      fault = content.error().what;
    } else if (!content->has_value()) {
      continue;
    } else {
      fault = refuse(**content);
    }
    if (!fault) {
      if (name != names.front()) found.remarks.push_back("going on with " + file(name));
      found.content = **content;
      return found;
    }
    const std::string aside = file(name) + ".broken-" + std::to_string(unix_now);
    const bool moved = ::rename(file(name).c_str(), aside.c_str()) == 0;
    found.remarks.push_back(file(name) + " cannot be used (" + *fault + "); " +
                            (moved ? "set aside as " + aside : "and could not be set aside"));
  }
  return found;
}

Outcome<void> StateDir::forget(std::int64_t unix_now, Kernel kernel) const {
  // Without these nobody can invite into the network any more: they are never thrown away.
  for (const char* name : founder_files) {
    const std::string aside = file(name) + ".left-" + std::to_string(unix_now);
    if (::rename(file(name).c_str(), aside.c_str()) != 0 && errno != ENOENT) return Unexpected{system_failure("cannot set aside " + file(name))};
  }
  // A write that was cut short leaves its temporary, secrets and all.
  for (const char* name : founder_files) {
    if (const auto removed = remove(std::string(name) + ".tmp"); !removed) return removed;
  }
  for (const std::string name : own_files) {
    if (const auto removed = remove(name + ".tmp"); !removed) return removed;
    if ((name == "applied" || name == "forwarding") && kernel == Kernel::littered) continue;
    if (const auto removed = remove(name); !removed) return removed;
  }
  return {};
}

std::optional<std::string> loose_permissions(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 || (about.st_mode & 077) == 0) return std::nullopt;
  return path + " holds an invitation and is open to others (mode " + octal(about.st_mode) + "): run `chmod 600 " + path + "`";
}

}  // namespace wigwag
