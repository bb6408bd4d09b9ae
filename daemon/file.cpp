#include "daemon/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wigwag {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int to, ByteView content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t written = ::write(to, content.data() + done, content.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

// Root writes on behalf of the daemon's own user: what lies in its directory is its own.
bool give_to_owner_of(int folder, int file) {
  struct stat owner {};
  if (::geteuid() != 0 || ::fstat(folder, &owner) != 0 || owner.st_uid == 0) return true;
  return ::fchown(file, owner.st_uid, owner.st_gid) == 0;
}

// By way of a third name, so that there is no moment without a previous generation.
bool keep_previous(const std::string& path, const std::string& previous) {
  const std::string next = previous + ".tmp";
  if (::unlink(next.c_str()) != 0 && errno != ENOENT) return false;
  if (::link(path.c_str(), next.c_str()) != 0) return errno == ENOENT;
  // A rename between two names of one file, left by a kill in between, does nothing and leaves both.
  return ::rename(next.c_str(), previous.c_str()) == 0 && (::unlink(next.c_str()) == 0 || errno == ENOENT);
}

}  // namespace

Failure system_failure(const std::string& doing) {
  return {doing + ": " + std::strerror(errno)};
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

int Descriptor::release() {
  const int number = number_;
  number_ = -1;
  return number;
}

Outcome<std::optional<Bytes>> read_file(const std::string& path, std::size_t most) {
  // Not blocking, because somebody may have put a FIFO in the file's place.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file && errno == ENOENT) return std::optional<Bytes>();
  if (!file) return Unexpected{system_failure("cannot read " + path)};
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return Unexpected{system_failure("cannot read " + path)};
  if (!S_ISREG(about.st_mode)) return Unexpected{Failure{"cannot read " + path + ": it is not a regular file"}};
  const std::string too_large = "cannot read " + path + ": it is larger than the " + std::to_string(most) + " bytes it may have";
  if (about.st_size > static_cast<off_t>(most)) return Unexpected{Failure{too_large}};
  Bytes content(static_cast<std::size_t>(about.st_size) + 1);
  std::size_t done = 0;
  while (true) {
    const ssize_t got = ::read(file.get(), content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unexpected{system_failure("cannot read " + path)};
    done += static_cast<std::size_t>(got);
    if (got == 0) break;
    if (done == content.size()) content.resize(content.size() * 2);
    if (done > most) return Unexpected{Failure{too_large}};
  }
  content.resize(done);
  return std::optional<Bytes>(std::move(content));
}

Outcome<void> replace_file(const std::string& path, ByteView content, const WriteTerms& terms) {
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Unexpected{system_failure("cannot write " + path)};
  const std::string temporary = path + ".tmp";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) return Unexpected{system_failure("cannot replace " + temporary)};
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, terms.mode));
    if (!file) return Unexpected{system_failure("cannot write " + temporary)};
    // The mode again, because open() applied the umask.
    const bool written = ::fchmod(file.get(), terms.mode) == 0 && give_to_owner_of(folder.get(), file.get()) &&
                         write_all(file.get(), content) && ::fsync(file.get()) == 0;
    if (!written) {
      const Failure failure = system_failure("cannot write " + temporary);
      ::unlink(temporary.c_str());
      return Unexpected{failure};
    }
  }
  if (terms.keep_previous && !keep_previous(path, *terms.keep_previous)) {
    return Unexpected{system_failure("cannot keep " + path + " as " + *terms.keep_previous)};
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return Unexpected{system_failure("cannot replace " + path)};
  if (::fsync(folder.get()) != 0) return Unexpected{system_failure("cannot sync the directory of " + path)};
  return {};
}

Outcome<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return Unexpected{system_failure("cannot remove " + path)};
  }
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  return {};
}

}  // namespace wigwag
