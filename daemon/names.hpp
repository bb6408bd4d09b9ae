#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "daemon/config.hpp"
#include "gossip/base/ip.hpp"

namespace boost::asio {
class io_context;
}

namespace wigwag {

// Turns the hosts of the configuration into endpoints and keeps them current: numbers at
// once, names by asking the system's resolver off the loop. Asks again every five minutes,
// after 15 s while a name has no answer, and whenever told to. A name that stops
// resolving keeps the addresses it had.
class Names {
 public:
  using Changed = std::function<void(std::vector<Endpoint> seeds, std::vector<Endpoint> endpoints)>;
  using Failed = std::function<void(const std::string& host, const std::string& why)>;
  Names(boost::asio::io_context& context, Changed changed, Failed failed);
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // Calls back at once with what is numeric, later with what names turned out to mean.
  void resolve(std::vector<HostPort> seeds, std::vector<HostPort> endpoints);
  // Something suggests that the answers are stale: asks again soon, at most once in 15 s.
  void refresh();

  static constexpr std::size_t endpoints_per_name = 8;  // further addresses of a name are left out

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace wigwag
