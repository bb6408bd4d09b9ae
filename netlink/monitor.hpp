#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gossip/base/ip.hpp"
#include "netlink/error.hpp"

namespace wigwag {

// Listens to the kernel's link, address and route events. Events only say that
// something may have changed, never what: many of them are folded into one call, and
// whoever is called reads the state again. Losing events (ENOBUFS) counts as one.
//
// Must be destroyed on the executor's thread; no call is made after that.
class Monitor {
 public:
  struct Calls {
    // Some link, address or route changed, or events were lost.
    std::function<void()> dirty;
    // The host's own usable addresses, once at the start and when they have changed:
    // without loopback, link-local, multicast, tentative and deprecated ones and
    // without those of the interfaces named in `own`; and the networks that its interfaces are in.
    std::function<void(std::vector<Address>, std::vector<Prefix>)> addresses;
    std::function<void(const NetError&)> failed;  // listening goes on
  };

  static Result<std::unique_ptr<Monitor>, NetError> open(boost::asio::any_io_executor executor, std::vector<std::string> own,
                                                         Calls calls);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

 private:
  class Impl;
  explicit Monitor(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace wigwag
