#pragma once

#include <cstddef>
#include <cstdint>

#include "gossip/event.hpp"
#include "gossip/input.hpp"

namespace wigwag::sim {

// Watches the world as things happen: meters and checkers do. A call must not change the world.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(std::size_t /*machine*/) {}             // a daemon's new life begins
  virtual void stopped(std::size_t /*machine*/) {}             // and ends
  virtual void said(std::size_t /*machine*/, const Outputs&) {}   // all that one step put out, if anything, before it is carried out
  virtual void stepped(std::size_t /*machine*/, const Input&) {}  // its outputs have been carried out
  virtual void raised(std::size_t /*machine*/, const Event&) {}
  virtual void applied(std::size_t /*machine*/) {}             // the kernel equals the last wish
  virtual void sent(std::size_t /*machine*/, std::size_t /*bytes, with IP and UDP headers*/, bool /*hello*/) {}
  virtual void shook_hands(std::size_t /*machine*/) {}         // a WireGuard handshake that it began was completed
};

}  // namespace wigwag::sim
