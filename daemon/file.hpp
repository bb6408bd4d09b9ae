#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "daemon/failure.hpp"
#include "gossip/base/bytes.hpp"

namespace wigwag {

// An open file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release();

 private:
  int number_ = -1;
};

// The whole file; nullopt when there is none. More than `most` bytes is a failure, and so
// is anything but a regular file.
Outcome<std::optional<Bytes>> read_file(const std::string& path, std::size_t most);

struct WriteTerms {
  mode_t mode = 0600;
  std::optional<std::string> keep_previous;  // a path that the replaced file stays readable under
};

// Replaces a file such that a kill or a power cut at any instant leaves either the old
// content or the new: a temporary in the same directory, synced, renamed over, and the
// directory synced. The new file belongs to whoever owns the directory.
Outcome<void> replace_file(const std::string& path, ByteView content, const WriteTerms& terms = {});

// Removes a file and syncs its directory; a missing one is fine.
Outcome<void> remove_file(const std::string& path);

}  // namespace wigwag
