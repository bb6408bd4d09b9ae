#pragma once

#include <string>

#include "netlink/task.hpp"

namespace wigwag {

// Starts wireguard-go for an interface, in a session of its own so that it outlives us,
// and returns once its first process has ended: by then it has made the interface and
// left the work to a second process, which the system adopts and reaps. None of our
// descriptors is inherited.
Task<void> spawn_wireguard_go(std::string interface);

// Where wireguard-go takes commands for an interface: fixed in it, and not scoped by network namespace.
inline std::string wireguard_go_socket(const std::string& interface) { return "/var/run/wireguard/" + interface + ".sock"; }

}  // namespace wigwag
