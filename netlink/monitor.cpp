#include "netlink/monitor.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>

#include "netlink/limits.hpp"
#include "netlink/route_codec.hpp"
#include "netlink/socket.hpp"
#include "netlink/spawn.hpp"

namespace wigwag {
namespace {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;

constexpr std::chrono::milliseconds quiet_time{50};  // events within it are one

constexpr unsigned group(unsigned number) { return 1u << (number - 1); }
constexpr unsigned groups = group(RTNLGRP_LINK) | group(RTNLGRP_IPV4_IFADDR) | group(RTNLGRP_IPV6_IFADDR) |
                            group(RTNLGRP_IPV4_ROUTE) | group(RTNLGRP_IPV6_ROUTE);

}  // namespace

// Two coroutines: one takes events off the socket, the other waits a moment and tells.
class Monitor::Impl : public std::enable_shared_from_this<Monitor::Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, std::vector<std::string> own, Calls calls, std::unique_ptr<NetlinkHandle> events,
       std::unique_ptr<NetlinkSocket> questions)
      : executor_(executor),
        own_(std::move(own)),
        calls_(std::move(calls)),
        events_(std::move(events)),
        questions_(std::move(questions)),
        bell_(executor, boost::asio::steady_timer::time_point::max()) {}

  void start() {
    auto self = shared_from_this();
    boost::asio::co_spawn(
        executor_, [self] { return self->listen(); }, boost::asio::detached);
    boost::asio::co_spawn(
        executor_, [self] { return self->tell(); }, boost::asio::detached);
  }

  void stop() {
    stopped_ = true;
    calls_ = {};
    events_->descriptor().cancel();
    bell_.cancel();
  }

 private:
  boost::asio::awaitable<void> listen() {
    const auto self = shared_from_this();
    while (!stopped_) {
      boost::system::error_code error;
      co_await events_->descriptor().async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                                redirect_error(use_awaitable, error));
      if (stopped_) co_return;
      if (error) {
        co_await pause_for(std::chrono::seconds{1});
        continue;
      }
      if (!drain()) co_await pause_for(std::chrono::seconds{1});
    }
  }

  // False: the socket itself is in trouble.
  bool drain() {
    for (;;) {
      int code = 0;
      (void)events_->receive(code);
      if (code == EAGAIN) return true;
      // Whatever came, or was lost because we were too slow (ENOBUFS): read everything.
      dirty_ = true;
      bell_.cancel();
      if (code != 0 && code != ENOBUFS && code != EINTR && code != EMSGSIZE) {
        if (calls_.failed) calls_.failed(net_error(code, "listen for the kernel's events"));
        return false;
      }
    }
  }

  boost::asio::awaitable<void> tell() {
    const auto self = shared_from_this();
    co_await report_addresses();
    while (!stopped_) {
      if (!dirty_) {
        boost::system::error_code ignored;
        bell_.expires_at(boost::asio::steady_timer::time_point::max());
        co_await bell_.async_wait(redirect_error(use_awaitable, ignored));
        continue;
      }
      co_await pause_for(quiet_time);
      dirty_ = false;
      if (!stopped_ && calls_.dirty) calls_.dirty();
      if (!stopped_) co_await report_addresses();
    }
  }

  boost::asio::awaitable<void> report_addresses() {
    ListReader<Link> links(RTM_NEWLINK, decode_link, netlink_limits::links);
    ListReader<InterfaceAddress> addresses(RTM_NEWADDR, decode_address, netlink_limits::links);
    auto asked = co_await questions_->ask(encode_dump_links(), &links, "read the interfaces");
    if (asked) asked = co_await questions_->ask(encode_dump_addresses(), &addresses, "read the addresses");
    if (stopped_) co_return;
    if (!asked) {
      if (calls_.failed) calls_.failed(asked.error());
      co_return;
    }
    auto tunnels = own_;
    for (const Link& link : links.items) {
      if (link.kind == "tun" && access(wireguard_go_socket(link.name).c_str(), F_OK) == 0) tunnels.push_back(link.name);
    }
    auto usable = usable_addresses(links.items, addresses.items, tunnels);
    auto networks = own_networks(links.items, addresses.items, own_);
    if (reported_ == usable && networks_ == networks) co_return;
    reported_ = usable;
    networks_ = networks;
    if (calls_.addresses) calls_.addresses(std::move(usable), std::move(networks));
  }

  boost::asio::any_io_executor executor_;
  std::vector<std::string> own_;
  Calls calls_;
  std::unique_ptr<NetlinkHandle> events_;
  std::unique_ptr<NetlinkSocket> questions_;
  boost::asio::steady_timer bell_;
  std::optional<std::vector<Address>> reported_;
  std::vector<Prefix> networks_;
  bool dirty_ = false;
  bool stopped_ = false;
};

Result<std::unique_ptr<Monitor>, NetError> Monitor::open(boost::asio::any_io_executor executor, std::vector<std::string> own,
                                                         Calls calls) {
  auto events = NetlinkHandle::open(executor, NETLINK_ROUTE);
  if (!events) return Unexpected{events.error()};
  if (const int code = (*events)->bind(groups)) return Unexpected{net_error(code, "listen for the kernel's events")};
  // Without CAP_NET_ADMIN it stays small; what is lost then is found by reading again.
  const int room = 1 << 20;
  (void)::setsockopt((*events)->descriptor().native_handle(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  auto questions = NetlinkSocket::open(executor, NETLINK_ROUTE);
  if (!questions) return Unexpected{questions.error()};
  auto impl = std::make_shared<Impl>(executor, std::move(own), std::move(calls), std::move(*events), std::move(*questions));
  impl->start();
  return std::unique_ptr<Monitor>(new Monitor(std::move(impl)));
}

Monitor::Monitor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Monitor::~Monitor() { impl_->stop(); }

}  // namespace wigwag
