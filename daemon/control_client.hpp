#pragma once

#include <chrono>
#include <string>

#include "daemon/control_protocol.hpp"
#include "daemon/file.hpp"

namespace wigwag {

// The calling end of the control socket: blocking, one request per object.
class ControlClient {
 public:
  enum class Fault : std::uint8_t { nobody, denied, broken };
  struct Error {
    Fault fault = Fault::nobody;
    std::string what;
  };

  static Result<ControlClient, Error> ask(const std::string& socket, const Json& request);

  // The next line of the answer; waits at most so long.
  Result<ControlReply, Error> next(std::chrono::milliseconds at_most);
  // Waits until the daemon has closed its end.
  bool wait_for_end(std::chrono::milliseconds at_most);

 private:
  explicit ControlClient(Descriptor socket) : socket_(std::move(socket)) {}
  // True when something arrived or the end was reached before `deadline`.
  bool fill(std::chrono::steady_clock::time_point deadline);

  Descriptor socket_;
  std::string buffer_;
  bool ended_ = false;
};

// One request, one answer.
Result<ControlReply, ControlClient::Error> ask_daemon(const std::string& socket, const Json& request,
                                                      std::chrono::milliseconds at_most = std::chrono::seconds(30));

}  // namespace wigwag
