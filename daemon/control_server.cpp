#include "daemon/control_server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <deque>
#include <list>
#include <set>

#include "daemon/file.hpp"

namespace wigwag {
namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::local::stream_protocol;

namespace {

constexpr auto request_time = std::chrono::seconds(5);
constexpr auto write_time = std::chrono::seconds(10);
constexpr std::size_t unread_max = 32 << 20;

// The text of errno as it stands, for the socket's path.
Failure socket_failure(const std::string& doing, const std::string& path) {
  return {"cannot " + doing + " the control socket " + path + ": " + error_code(errno, boost::system::system_category()).message() +
          "; choose another with --socket"};
}

// Something stands in the place: a dead daemon's socket is removed, anything else stays.
Outcome<void> clear_place(const std::string& path, const sockaddr_un& address) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return {};
  if (!S_ISSOCK(about.st_mode)) {
    return Unexpected{Failure{path + " is in the way: it is no socket; remove it or choose another place with --socket"}};
  }
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Unexpected{socket_failure("try", path)};
  // EAGAIN is a living daemon whose queue is full.
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN) {
    return Unexpected{Failure{"a daemon already listens on " + path + ": stop it, or give this one another --socket"}};
  }
  if (errno != ECONNREFUSED) return Unexpected{socket_failure("try", path)};
  if (::unlink(path.c_str()) != 0) return Unexpected{socket_failure("replace", path)};
  return {};
}

Outcome<Descriptor> listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Unexpected{Failure{"the control socket's path must have 1 to 107 bytes: " + path}};
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (const auto slash = path.rfind('/'); slash != std::string::npos && slash > 0) ::mkdir(path.substr(0, slash).c_str(), 0755);
  if (const auto cleared = clear_place(path, address); !cleared) return Unexpected{cleared.error()};
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Unexpected{socket_failure("open", path)};
  // The umask gives the mode at birth: there is no moment at which others could connect.
  const mode_t before = ::umask(0117);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound != 0) return Unexpected{socket_failure("bind", path)};
  if (::listen(socket.get(), 64) != 0) return Unexpected{socket_failure("listen on", path)};
  return socket;
}

}  // namespace

class ControlCall::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Stream::socket socket, std::function<void(Connection&)> gone)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), incoming_(control_request_max), gone_(std::move(gone)) {}

  void start(ControlServer::Handler& handler) {
    expect_within(request_time);
    asio::async_read_until(socket_, incoming_, '\n', [self = shared_from_this(), &handler](error_code error, std::size_t size) {
      self->got_request(error, size, handler);
    });
  }

  void send(std::string text, bool last) {
    if (closed_ || ending_) return;
    unread_ += text.size() + 1;
    if (unread_ > unread_max) return close();
    outgoing_.push_back(std::move(text += '\n'));
    ending_ = last;
    if (outgoing_.size() == 1) write_next();
  }

  void close() {
    if (closed_) return;
    closed_ = true;
    error_code ignored;
    deadline_.cancel();
    socket_.close(ignored);
    gone_(*this);
  }
  bool open() const { return !closed_ && !ending_; }

 private:
  void got_request(error_code error, std::size_t size, ControlServer::Handler& handler) {
    if (closed_) return;
    deadline_.cancel();
    if (error == asio::error::not_found) return send(encode_refusal("the request is longer than 64 KiB"), true);
    if (error) return close();
    const std::string line(asio::buffers_begin(incoming_.data()), asio::buffers_begin(incoming_.data()) + static_cast<std::ptrdiff_t>(size));
    incoming_.consume(incoming_.size());
    watch_for_end();
    const auto request = decode_request(line);
    if (!request) return send(encode_refusal(request.error().what, 2), true);
    handler(*request, ControlCall(weak_from_this()));
  }

  // A caller that has gone is noticed although it sends nothing more. One that has merely
  // closed its sending side still wants its answer.
  void watch_for_end() {
    socket_.async_wait(Stream::socket::wait_read, [self = shared_from_this()](error_code error) {
      if (error || self->closed_) return;
      pollfd state{self->socket_.native_handle(), POLLIN, 0};
      if (::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0) return self->close();
      std::array<char, 256> more{};
      if (::recv(self->socket_.native_handle(), more.data(), more.size(), MSG_DONTWAIT) > 0) self->close();
    });
  }

  void write_next() {
    expect_within(write_time);
    asio::async_write(socket_, asio::buffer(outgoing_.front()), [self = shared_from_this()](error_code error, std::size_t) {
      if (self->closed_) return;
      self->deadline_.cancel();
      if (error) return self->close();
      self->unread_ -= self->outgoing_.front().size();
      self->outgoing_.pop_front();
      if (!self->outgoing_.empty()) return self->write_next();
      if (self->ending_) self->close();
    });
  }

  void expect_within(std::chrono::seconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->close();
    });
  }

  Stream::socket socket_;
  asio::steady_timer deadline_;
  asio::streambuf incoming_;
  std::deque<std::string> outgoing_;
  std::size_t unread_ = 0;
  bool ending_ = false;
  bool closed_ = false;
  std::function<void(Connection&)> gone_;
};

void ControlCall::line(std::string text) const {
  if (const auto connection = connection_.lock()) connection->send(std::move(text), false);
}

void ControlCall::end(std::string text) const {
  if (const auto connection = connection_.lock()) connection->send(std::move(text), true);
}

bool ControlCall::open() const {
  const auto connection = connection_.lock();
  return connection && connection->open();
}

class ControlServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, std::string path, Descriptor socket, Handler handler)
      : acceptor_(context, Stream(), socket.release()), pause_(context), path_(std::move(path)), handler_(std::move(handler)) {
    struct stat about {};
    if (::lstat(path_.c_str(), &about) == 0) inode_ = about.st_ino;
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, Stream::socket socket) {
      if (self->stopped_ || error == asio::error::operation_aborted) return;
      if (error) return self->accept_later();
      self->take(std::move(socket));
      self->accept();
    });
  }

  void stop() {
    stopped_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    const auto open = connections_;
    for (const auto& connection : open) connection->close();
    // Another daemon may have taken the place meanwhile; its socket is not ours to remove.
    struct stat about {};
    if (::lstat(path_.c_str(), &about) == 0 && about.st_ino == inode_) ::unlink(path_.c_str());
  }

 private:
  using Connection = ControlCall::Connection;

  void take(Stream::socket socket) {
    if (connections_.size() >= connections_max) {
      const std::string busy = encode_refusal("the daemon serves 32 callers already: try again, or end some `wigwag events --follow`") + "\n";
      error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(busy), ignored);
      return;
    }
    auto connection = std::make_shared<Connection>(std::move(socket), [weak = weak_from_this()](Connection& ended) {
      if (const auto self = weak.lock()) self->connections_.erase(ended.shared_from_this());
    });
    connections_.insert(connection);
    connection->start(handler_);
  }

  // Out of file descriptors, most likely: the loop must not spin on it.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds(200));
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->stopped_) self->accept();
    });
  }

  Stream::acceptor acceptor_;
  asio::steady_timer pause_;
  std::string path_;
  Handler handler_;
  ino_t inode_ = 0;
  bool stopped_ = false;
  std::set<std::shared_ptr<Connection>> connections_;
};

Outcome<std::unique_ptr<ControlServer>> ControlServer::open(asio::io_context& context, const std::string& path, Handler handler) {
  auto socket = listen_at(path);
  if (!socket) return Unexpected{socket.error()};
  auto impl = std::make_shared<Impl>(context, path, std::move(*socket), std::move(handler));
  impl->accept();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlServer::~ControlServer() { impl_->stop(); }

}  // namespace wigwag
