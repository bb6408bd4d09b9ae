#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace wigwag {

// Tells the service manager how we are (sd_notify(3)); does nothing where none listens.
class ServiceManager {
 public:
  ServiceManager();  // reads NOTIFY_SOCKET and WATCHDOG_USEC
  void tell(const std::string& message) const;
  // How often it wants to hear WATCHDOG=1; half the time after which it would kill us.
  std::optional<std::chrono::milliseconds> watchdog() const { return watchdog_; }

 private:
  std::string socket_;
  std::optional<std::chrono::milliseconds> watchdog_;
};

}  // namespace wigwag
