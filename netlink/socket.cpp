#include "netlink/socket.hpp"

#include <libmnl/libmnl.h>

#include <boost/asio/post.hpp>
#include <cerrno>

#include "gossip/base/secret.hpp"
#include "netlink/limits.hpp"

namespace wigwag {
namespace {

using boost::asio::awaitable;
using boost::asio::redirect_error;
using boost::asio::use_awaitable;

// An errno, and the kernel's own words where it has some (extended acknowledgement).
struct Verdict {
  int code = 0;
  std::string words;
};

Verdict read_verdict(const Received& received) {
  const auto error = read_fixed<nlmsgerr>(received.body);
  if (!error) return {EBADMSG, ""};
  Verdict verdict{-error->error, ""};
  if (verdict.code == 0 || (received.header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return verdict;
  std::size_t skip = sizeof(nlmsgerr);
  // Without NLM_F_CAPPED the whole request is repeated before the attributes.
  if ((received.header.nlmsg_flags & NLM_F_CAPPED) == 0 && error->msg.nlmsg_len > sizeof(nlmsghdr))
    skip += error->msg.nlmsg_len - sizeof(nlmsghdr);
  if (skip > received.body.size()) return verdict;
  AttributeReader attributes(received.body.subspan(skip));
  while (const auto found = attributes.next())
    if (found->type == NLMSGERR_ATTR_MSG) verdict.words = found->text();
  return verdict;
}

}  // namespace

awaitable<void> pause_for(boost::asio::steady_timer::duration duration) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(redirect_error(use_awaitable, ignored));
}

NetlinkHandle::NetlinkHandle(boost::asio::any_io_executor executor, mnl_socket* socket)
    : socket_(socket), descriptor_(executor, mnl_socket_get_fd(socket)), buffer_(netlink_limits::receive_bytes) {}

Result<std::unique_ptr<NetlinkHandle>, NetError> NetlinkHandle::open(boost::asio::any_io_executor executor, int bus) {
  mnl_socket* socket = mnl_socket_open2(bus, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (!socket) return Unexpected{net_error(errno, "open a netlink socket")};
  // Old kernels lack these: the answers are then only less telling.
  int on = 1;
  mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on);
  return std::unique_ptr<NetlinkHandle>(new NetlinkHandle(executor, socket));
}

NetlinkHandle::~NetlinkHandle() {
  wipe(buffer_.data(), buffer_.size());
  descriptor_.release();
  mnl_socket_close(socket_);
}

int NetlinkHandle::bind(unsigned groups) { return mnl_socket_bind(socket_, groups, MNL_SOCKET_AUTOPID) < 0 ? errno : 0; }

int NetlinkHandle::send(ByteView bytes) { return mnl_socket_sendto(socket_, bytes.data(), bytes.size()) < 0 ? errno : 0; }

ByteView NetlinkHandle::receive(int& code) {
  wipe(buffer_.data(), buffer_.size());
  sockaddr_nl from{};
  iovec target{buffer_.data(), buffer_.size()};
  msghdr header{};
  header.msg_name = &from;
  header.msg_namelen = sizeof from;
  header.msg_iov = &target;
  header.msg_iovlen = 1;
  const auto got = ::recvmsg(mnl_socket_get_fd(socket_), &header, 0);
  code = 0;
  if (got < 0)
    code = errno;
  else if ((header.msg_flags & MSG_TRUNC) != 0)
    code = EMSGSIZE;
  else if (from.nl_pid != 0)
    code = EINTR;  // not from the kernel: as if it had not come
  if (code != 0) return {};
  return ByteView(buffer_).first(static_cast<std::size_t>(got));
}

Result<std::unique_ptr<NetlinkSocket>, NetError> NetlinkSocket::open(boost::asio::any_io_executor executor, int bus) {
  auto handle = NetlinkHandle::open(executor, bus);
  if (!handle) return Unexpected{handle.error()};
  if (const int code = (*handle)->bind(0)) return Unexpected{net_error(code, "bind a netlink socket")};
  return std::unique_ptr<NetlinkSocket>(new NetlinkSocket(executor, bus, std::move(*handle)));
}

Task<void> NetlinkSocket::ask(Message message, AnswerReader* reader, std::string what) {
  const auto turn = co_await turns_.take();
  for (int attempt = 0; attempt < netlink_limits::dump_attempts; ++attempt) {
    if (attempt > 0) co_await pause_for(std::chrono::milliseconds{5} * attempt);
    if (reader) reader->restart();
    const Outcome outcome = co_await try_once(message, reader, what);
    if (outcome.end == End::done) co_return Result<void, NetError>{};
    if (outcome.end == End::interrupted) continue;
    // What is still in the socket must not be taken for the next answer.
    const bool lost =
        outcome.error.fault == NetFault::timed_out || outcome.error.fault == NetFault::malformed || outcome.error.code == ENOBUFS;
    if (lost) {
      auto fresh = NetlinkHandle::open(executor_, bus_);
      if (fresh && (*fresh)->bind(0) == 0) handle_ = std::move(*fresh);
    }
    co_return Unexpected{outcome.error};
  }
  co_return Unexpected{NetError{NetFault::busy, 0, what + ": it changed at every reading"}};
}

awaitable<bool> NetlinkSocket::wait_for_answer() {
  bool in_time = true;
  boost::asio::steady_timer limit(executor_, netlink_limits::answer_timeout);
  limit.async_wait([this, &in_time](boost::system::error_code error) {
    if (error) return;
    in_time = false;
    handle_->descriptor().cancel();
  });
  boost::system::error_code error;
  co_await handle_->descriptor().async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                            redirect_error(use_awaitable, error));
  if (limit.cancel() == 0 && in_time) {
    // The timer has gone off but its handler has not run yet: let it, it refers to us.
    co_await boost::asio::post(executor_, use_awaitable);
  }
  co_return in_time && !error;
}

awaitable<NetlinkSocket::Outcome> NetlinkSocket::try_once(Message& message, AnswerReader* reader, const std::string& what) {
  const bool dump = (message.flags() & NLM_F_DUMP) == NLM_F_DUMP;
  if (const int code = handle_->send(message.seal(++sequence_))) co_return Outcome{End::failed, net_error(code, what)};
  bool interrupted = false;
  int parts = 0;
  for (;;) {
    int code = 0;
    const ByteView datagram = handle_->receive(code);
    if (code == EAGAIN) {
      if (!co_await wait_for_answer()) co_return Outcome{End::failed, net_error(ETIMEDOUT, what)};
      continue;
    }
    if (code == EINTR) continue;
    if (code != 0)
      co_return Outcome{End::failed, code == EMSGSIZE ? NetError{NetFault::malformed, code, what} : net_error(code, what)};
    if (auto outcome = read_datagram(datagram, dump, reader, what, interrupted)) co_return std::move(*outcome);
    // A long dump lets others have the thread now and then.
    if (++parts % netlink_limits::parts_at_once == 0) co_await boost::asio::post(executor_, use_awaitable);
  }
}

std::optional<NetlinkSocket::Outcome> NetlinkSocket::read_datagram(ByteView datagram, bool dump, AnswerReader* reader,
                                                                   const std::string& what, bool& interrupted) {
  const Outcome malformed{End::failed, {NetFault::malformed, 0, what}};
  MessageReader messages(datagram);
  while (const auto received = messages.next()) {
    if (received->header.nlmsg_seq != sequence_) continue;
    if ((received->header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
    if (received->header.nlmsg_type == NLMSG_ERROR) {
      const auto verdict = read_verdict(*received);
      if (verdict.code == 0) return Outcome{};
      auto error = net_error(verdict.code, what);
      if (!verdict.words.empty()) error.what += " [" + verdict.words + "]";
      return Outcome{End::failed, error};
    }
    if (received->header.nlmsg_type == NLMSG_DONE) {
      const int code = -read_fixed<int>(received->body).value_or(0);
      if (code > 0) return Outcome{End::failed, net_error(code, what)};
      return Outcome{dump && interrupted ? End::interrupted : End::done, {}};
    }
    if (reader && !reader->read(received->header.nlmsg_type, received->body)) return malformed;
  }
  if (messages.malformed()) return malformed;
  return std::nullopt;
}

}  // namespace wigwag
