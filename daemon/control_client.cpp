#include "daemon/control_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace wigwag {
namespace {

bool send_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

Result<ControlClient, ControlClient::Error> ControlClient::ask(const std::string& socket, const Json& request) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.empty() || socket.size() >= sizeof address.sun_path) {
    return Unexpected{Error{Fault::broken, "the control socket's path must have 1 to 107 bytes: " + socket}};
  }
  socket.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor link(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!link) return Unexpected{Error{Fault::broken, system_failure("cannot open a socket").what}};
  if (::connect(link.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EACCES || errno == EPERM) {
      return Unexpected{Error{Fault::denied, "no permission for " + socket + ": run as root or as a member of its group"}};
    }
    return Unexpected{Error{Fault::nobody, "no daemon answers on " + socket + ": start one with `wigwag up`, or name its socket with --socket"}};
  }
  // A daemon that refuses at once has closed before it read: its answer is still there.
  send_all(link.get(), json_line(request) + "\n");
  return ControlClient(std::move(link));
}

bool ControlClient::fill(std::chrono::steady_clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd state{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&state, 1, left > 0 ? static_cast<int>(std::min<std::int64_t>(left, INT32_MAX)) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    std::array<char, 65536> more{};
    const ssize_t got = ::recv(socket_.get(), more.data(), more.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ended_ = true;
    buffer_.append(more.data(), static_cast<std::size_t>(got));
    return true;
  }
}

Result<ControlReply, ControlClient::Error> ControlClient::next(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  std::size_t searched = 0;
  while (true) {
    if (const auto end = buffer_.find('\n', searched); end != std::string::npos) {
      auto reply = decode_reply(std::string_view(buffer_).substr(0, end));
      buffer_.erase(0, end + 1);
      if (!reply) return Unexpected{Error{Fault::broken, reply.error().what}};
      return std::move(*reply);
    }
    searched = buffer_.size();
    if (ended_) return Unexpected{Error{Fault::nobody, "the daemon went away before it answered: see its log"}};
    if (buffer_.size() > control_reply_max) return Unexpected{Error{Fault::broken, "the daemon's answer is too long"}};
    if (!fill(deadline)) return Unexpected{Error{Fault::nobody, "the daemon does not answer: is it stopped or very busy? see its log"}};
  }
}

bool ControlClient::wait_for_end(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!ended_ && fill(deadline)) buffer_.clear();
  return ended_;
}

Result<ControlReply, ControlClient::Error> ask_daemon(const std::string& socket, const Json& request, std::chrono::milliseconds at_most) {
  auto client = ControlClient::ask(socket, request);
  if (!client) return Unexpected{client.error()};
  return client->next(at_most);
}

}  // namespace wigwag
