#pragma once

#include <cstdint>
#include <string>

#include "daemon/control_protocol.hpp"
#include "gossip/base/time.hpp"
#include "gossip/status.hpp"

namespace wigwag {

// What the shell knows and the core does not.
struct HostStatus {
  std::string interface;
  std::string backend;
  std::uint16_t listen_port = 0;
  std::uint16_t hello_port = 0;
  bool kernel_settled = false;
};

// The document of `status --json`. Its fields are a promise; new ones may be added.
Json status_json(const NodeStatus& status, const HostStatus& host, UnixTime now);

// A record's version as one number that only grows: epoch * 2^20 + sequence. Epochs are
// Unix seconds, so that it stays below 2^53, which JSON's readers can count to. A run that
// outgrows the twenty bits stands still there until the next epoch.
std::uint64_t version_number(std::uint32_t epoch, std::uint32_t sequence);

}  // namespace wigwag
