#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/file.hpp"
#include "gossip/recording.hpp"

namespace wigwag {

inline constexpr std::size_t trace_bytes_max = 64U << 20;

// The file behind `wigwagd --record FILE`. A thread of its own writes, twice a second or when much has
// gathered, so that a slow disk delays nobody; where it is so slow that backlog_max waits, or fails, the
// trace ends there.
class Recorder {
 public:
  // A new file, mode 600. A trace that lies there already becomes FILE.old; anything else is left alone
  // and a failure.
  static Outcome<std::unique_ptr<Recorder>> open(std::string path, std::size_t bytes_max = trace_bytes_max);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  // Writes the rest.
  ~Recorder();

  Recording& recording() { return recording_; }
  // Why nothing is recorded any more, said once; nullopt while it is.
  std::optional<std::string> remark();

 private:
  static constexpr std::size_t backlog_max = 8U << 20;
  static constexpr std::size_t batch = 256U << 10;

  Recorder(std::string path, Descriptor file, std::size_t bytes_max);
  void take(const Bytes& part);
  void write_all_along();

  std::string path_;
  Descriptor file_;
  std::mutex mutex_;                 // guards what follows
  std::condition_variable gathered_;
  Bytes pending_;
  std::string failure_;              // nothing is written behind it
  bool ending_ = false;
  bool remarked_ = false;
  Recording recording_;
  std::thread writer_;
};

}  // namespace wigwag
