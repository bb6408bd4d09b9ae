#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/control_protocol.hpp"

namespace boost::asio {
class io_context;
}

namespace wigwag {

// One request that is being answered. Copies speak of the same caller; when the caller
// has gone, speaking does nothing.
class ControlCall {
 public:
  // One line of many. A caller that does not read fast enough is dropped.
  void line(std::string text) const;
  // The last line; the connection closes behind it.
  void end(std::string text) const;
  bool open() const;

 private:
  friend class ControlServer;
  class Connection;
  explicit ControlCall(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {}
  std::weak_ptr<Connection> connection_;
};

// The control socket: a unix stream socket of mode 0660, one request per connection.
// Bounded: 32 connections (further ones are told so and closed), 64 KiB and five
// seconds for a request, 32 MiB of unread answers and ten seconds for reading them.
class ControlServer {
 public:
  using Handler = std::function<void(const ControlRequest&, ControlCall)>;

  // Takes the place of a dead daemon's socket; a living one's is left alone.
  static Outcome<std::unique_ptr<ControlServer>> open(boost::asio::io_context& context, const std::string& path, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  static constexpr std::size_t connections_max = 32;

 private:
  class Impl;
  explicit ControlServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace wigwag
