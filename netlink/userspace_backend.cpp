#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstdlib>

#include "netlink/backend.hpp"
#include "netlink/limits.hpp"
#include "netlink/spawn.hpp"
#include "netlink/uapi_codec.hpp"

namespace wigwag {
namespace {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using Stream = boost::asio::local::stream_protocol;

// Text that may hold a private key: wiped when it ends and whenever it has to grow.
class WipedText {
 public:
  WipedText() { text_.reserve(16 * 1024); }
  explicit WipedText(std::string text) : text_(std::move(text)) {}
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  ~WipedText() { wipe(text_.data(), text_.size()); }

  void append(const char* from, std::size_t size) {
    if (text_.size() + size > text_.capacity()) {
      std::string larger;
      larger.reserve((text_.size() + size) * 2);
      larger.append(text_);
      wipe(text_.data(), text_.size());
      text_.swap(larger);
    }
    text_.append(from, size);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Ends a conversation that takes too long, and is harmless once its socket is gone.
class Limit {
 public:
  Limit(const boost::asio::any_io_executor& executor, Stream::socket& socket) : timer_(executor, netlink_limits::answer_timeout) {
    timer_.async_wait([target = target_, &socket](boost::system::error_code error) {
      if (error || *target != State::running) return;
      *target = State::late;
      socket.close(error);
    });
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit() {
    if (*target_ == State::running) *target_ = State::over;
  }
  bool late() const { return *target_ == State::late; }

 private:
  enum class State : std::uint8_t { running, late, over };
  std::shared_ptr<State> target_ = std::make_shared<State>(State::running);
  boost::asio::steady_timer timer_;
};

// One question, one connection: wireguard-go serves many, and a connection that broke
// in the middle of an answer leaves nothing behind.
Task<UapiAnswer> converse(boost::asio::any_io_executor executor, std::string interface, std::string question, std::string what) {
  const WipedText asked(std::move(question));
  Stream::socket socket(executor);
  const Limit limit(executor, socket);
  boost::system::error_code error;
  co_await socket.async_connect(Stream::endpoint(wireguard_go_socket(interface)), redirect_error(use_awaitable, error));
  if (!error) co_await boost::asio::async_write(socket, boost::asio::buffer(asked.text()), redirect_error(use_awaitable, error));
  WipedText answer;
  std::array<char, 16 * 1024> chunk;
  while (!error && !uapi_answer_ends(answer.text())) {
    const auto got = co_await socket.async_read_some(boost::asio::buffer(chunk), redirect_error(use_awaitable, error));
    answer.append(chunk.data(), got);
    wipe(chunk.data(), got);
    if (answer.text().size() > netlink_limits::uapi_answer_bytes) co_return Unexpected{NetError{NetFault::malformed, 0, what}};
  }
  if (limit.late()) co_return Unexpected{net_error(ETIMEDOUT, what)};
  if (error == boost::system::errc::no_such_file_or_directory || error == boost::system::errc::connection_refused)
    co_return Unexpected{NetError{NetFault::no_device, error.value(), what}};
  if (error) co_return Unexpected{NetError{NetFault::busy, error.value(), what}};
  auto decoded = decode_uapi_answer(answer.text());
  if (!decoded) co_return Unexpected{NetError{NetFault::malformed, 0, what}};
  if (decoded->code != 0) co_return Unexpected{net_error(decoded->code, what)};
  co_return std::move(*decoded);
}

// WireGuard in a process of its own (wireguard-go), through its UAPI socket.
class UserspaceBackend : public WireguardBackend {
 public:
  UserspaceBackend(boost::asio::any_io_executor executor, PublicKeyOf public_key_of)
      : executor_(std::move(executor)), public_key_of_(public_key_of) {}

  BackendKind kind() const override { return BackendKind::userspace; }
  const char* link_kind() const override { return "tun"; }

  Task<void> create(std::string interface) override {
    const auto started = co_await spawn_wireguard_go(interface);
    if (!started) co_return started;
    for (int attempt = 0; attempt < 200; ++attempt) {
      if (co_await userspace_answers(executor_, interface)) co_return Result<void, NetError>{};
      co_await pause_for(std::chrono::milliseconds{10});
    }
    co_return Unexpected{net_error(ETIMEDOUT, "reach wireguard-go at " + wireguard_go_socket(interface))};
  }

  // wireguard-go ends with its link and takes its socket away; should it hang, losing the
  // socket ends it.
  boost::asio::awaitable<void> removed(std::string interface) override {
    const std::string path = wireguard_go_socket(interface);
    for (int attempt = 0; attempt < 100 && ::access(path.c_str(), F_OK) == 0; ++attempt)
      co_await pause_for(std::chrono::milliseconds{20});
    ::unlink(path.c_str());
  }

  Task<WireguardState> read(std::string interface) override {
    auto answer = co_await ask(interface, encode_uapi_get(), "read WireGuard interface " + interface);
    if (!answer) co_return Unexpected{answer.error()};
    WireguardState state = std::move(answer->interface.state);
    if (answer->interface.key) state.public_key = public_key_of_(*answer->interface.key);
    co_return state;
  }

  Task<void> set_device(std::string interface, std::optional<TunnelSecret> key, std::optional<std::uint16_t> port) override {
    std::string what =
        port ? "set listen port " + std::to_string(*port) + " of " + interface : "set the private key of " + interface;
    const auto answer = co_await ask(interface, encode_uapi_set_device(key ? &*key : nullptr, port), std::move(what));
    if (!answer) co_return Unexpected{answer.error()};
    co_return Result<void, NetError>{};
  }

  Task<void> set_peers(std::string interface, std::vector<PeerChange> changes) override {
    const auto answer = co_await ask(interface, encode_uapi_set_peers(changes), "configure peers of " + interface);
    if (!answer) co_return Unexpected{answer.error()};
    co_return Result<void, NetError>{};
  }

 private:
  Task<UapiAnswer> ask(std::string interface, std::string question, std::string what) {
    const auto turn = co_await turns_.take();
    co_return co_await converse(executor_, std::move(interface), std::move(question), std::move(what));
  }

  boost::asio::any_io_executor executor_;
  PublicKeyOf public_key_of_;
  Turns turns_;
};

}  // namespace

std::unique_ptr<WireguardBackend> make_userspace_backend(boost::asio::any_io_executor executor, PublicKeyOf public_key_of) {
  return std::make_unique<UserspaceBackend>(std::move(executor), public_key_of);
}

bool wireguard_go_installed() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  for (;;) {
    const auto end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/wireguard-go";
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    if (end == rest.size()) return false;
    rest.remove_prefix(end + 1);
  }
}

boost::asio::awaitable<bool> userspace_answers(boost::asio::any_io_executor executor, std::string interface) {
  const auto answer = co_await converse(executor, interface, encode_uapi_get(), "reach wireguard-go for " + interface);
  co_return answer.has_value();
}

}  // namespace wigwag
