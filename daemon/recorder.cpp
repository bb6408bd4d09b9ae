#include "daemon/recorder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace wigwag {
namespace {

constexpr auto pace = std::chrono::milliseconds(500);
constexpr std::string_view trace_word = "wigwag-trace ";

// Makes room for a new trace: an earlier one of that name is kept, what is no trace is not touched.
Outcome<void> make_way(const std::string& path) {
  const Descriptor held(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!held && errno == ENOENT) return {};
  if (!held) return Unexpected{system_failure("cannot record to " + path)};
  struct stat about {};
  std::array<char, trace_word.size()> beginning{};
  const bool regular = ::fstat(held.get(), &about) == 0 && S_ISREG(about.st_mode);
  const ssize_t got = regular ? ::read(held.get(), beginning.data(), beginning.size()) : -1;
  const bool trace = got == static_cast<ssize_t>(beginning.size()) && std::string_view(beginning.data(), beginning.size()) == trace_word;
  if (!trace && got != 0) return Unexpected{Failure{"cannot record to " + path + ": it is there already and is no trace; give another name"}};
  if (::rename(path.c_str(), (path + ".old").c_str()) != 0) return Unexpected{system_failure("cannot keep the earlier trace as " + path + ".old")};
  return {};
}

bool write_whole(int to, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = ::write(to, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Outcome<std::unique_ptr<Recorder>> Recorder::open(std::string path, std::size_t bytes_max) {
  if (const auto way = make_way(path); !way) return Unexpected{way.error()};
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  // The mode again, because open() applied the umask.
  if (!file || ::fchmod(file.get(), 0600) != 0) return Unexpected{system_failure("cannot record to " + path)};
  return std::unique_ptr<Recorder>(new Recorder(std::move(path), std::move(file), bytes_max));
}

Recorder::Recorder(std::string path, Descriptor file, std::size_t bytes_max)
    : path_(std::move(path)),
      file_(std::move(file)),
      recording_(bytes_max, [this](const Bytes& part) { take(part); }),
      writer_([this] { write_all_along(); }) {}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  gathered_.notify_one();
  writer_.join();
}

void Recorder::take(const Bytes& part) {
  bool much = false;
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) return;
    if (pending_.size() + part.size() > backlog_max && !pending_.empty()) {
      failure_ = "the disk is too slow";
      return;
    }
    pending_.insert(pending_.end(), part.begin(), part.end());
    much = pending_.size() >= batch;
  }
  if (much) gathered_.notify_one();
}

void Recorder::write_all_along() {
  std::unique_lock lock(mutex_);
  while (true) {
    gathered_.wait_for(lock, pace, [this] { return ending_ || pending_.size() >= batch; });
    const bool last = ending_;
    const Bytes batch_now = std::exchange(pending_, {});
    lock.unlock();
    const bool written = write_whole(file_.get(), batch_now);
    const std::string why = written ? "" : system_failure("writing failed").what;
    lock.lock();
    if (!written && failure_.empty()) failure_ = why;
    if (last || !written) return;
  }
}

std::optional<std::string> Recorder::remark() {
  const std::lock_guard lock(mutex_);
  if (remarked_ || (failure_.empty() && !recording_.full())) return std::nullopt;
  remarked_ = true;
  if (failure_.empty()) return path_ + " is full and ends here; the node goes on";
  return path_ + " ends here: " + failure_ + "; the node goes on";
}

}  // namespace wigwag
