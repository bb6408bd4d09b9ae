#pragma once

#include <cstdint>
#include <string>

#include "gossip/base/result.hpp"

namespace wigwag {

// Why something with the kernel or with wireguard-go could not be done.
enum class NetFault : std::uint8_t {
  no_backend,      // neither the kernel module nor wireguard-go is there
  no_device,       // the interface does not exist
  foreign_device,  // the interface's name is taken by something that is not ours
  port_in_use,     // the UDP port
  denied,          // a capability or permission is missing
  exists,          // something stands in the place
  missing,         // what was to be changed or removed is not there
  busy,            // try again
  malformed,       // an answer that cannot be understood
  timed_out,
  refused,  // any other error number from the kernel
};

struct NetError {
  NetFault fault = NetFault::refused;
  int code = 0;      // errno, where there is one
  std::string what;  // what was being done, on what: "add route 10.99.0.7/32 metric 100"
};

// One sentence: what failed, why, and what to try.
std::string to_string(const NetError& error);

// The fault that an errno stands for, for an operation described by `what`.
NetError net_error(int code, std::string what);

}  // namespace wigwag
