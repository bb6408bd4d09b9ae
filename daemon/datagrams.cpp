#include "daemon/datagrams.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>

#include "daemon/file.hpp"
#include "gossip/base/limits.hpp"
#include "gossip/node.hpp"

namespace wigwag {
namespace asio = boost::asio;

namespace {

constexpr int per_turn = 64;
constexpr std::size_t largest = 2048;
static_assert(largest > limits::hello_bytes && largest > limits::datagram_payload);

sockaddr_in6 socket_address6(const Address& address, std::uint16_t port) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  std::memcpy(&to.sin6_addr, address.bytes.data(), 16);
  return to;
}

sockaddr_in socket_address4(const Address& address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  std::memcpy(&to.sin_addr, address.bytes.data(), 4);
  return to;
}

bool set(int socket, int level, int option, int value) { return ::setsockopt(socket, level, option, &value, sizeof value) == 0; }

Descriptor udp_socket(int family) { return Descriptor(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

const in6_pktinfo* arrival_of(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) return reinterpret_cast<const in6_pktinfo*>(CMSG_DATA(part));
  }
  return nullptr;
}

// Calls `read` whenever the socket has something, until it is destroyed.
class Readable {
 public:
  Readable(asio::io_context& context, Descriptor socket) : descriptor_(context, socket.release()) {}
  int get() { return descriptor_.native_handle(); }
  void start(std::weak_ptr<void> owner, std::function<void()> read) {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, owner, read = std::move(read)](const boost::system::error_code& error) {
                             const auto alive = owner.lock();
                             if (error || !alive) return;
                             read();
                             start(owner, read);
                           });
  }
  void stop() {
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace

class GossipSocket::Impl {
 public:
  Impl(asio::io_context& context, Descriptor socket, const Address& own, std::string interface, Receive receive)
      : readable(context, std::move(socket)), own_(own), interface_(std::move(interface)), receive_(std::move(receive)) {
    refresh();
  }

  void refresh() { index_ = ::if_nametoindex(interface_.c_str()); }

  void read_some() {
    for (int i = 0; i < per_turn; ++i) {
      if (!read_one()) return;
    }
  }

  void send(const Address& to, ByteView bytes) {
    if (index_ == 0) refresh();
    if (index_ == 0 || to.family != Family::ipv6) return;
    sockaddr_in6 target = socket_address6(to, gossip_port);
    iovec content{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    msghdr message{};
    message.msg_name = &target;
    message.msg_namelen = sizeof target;
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
    in6_pktinfo leave_by{};
    std::memcpy(&leave_by.ipi6_addr, own_.bytes.data(), 16);
    leave_by.ipi6_ifindex = index_;
    std::memcpy(CMSG_DATA(part), &leave_by, sizeof leave_by);
    if (::sendmsg(readable.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ENODEV) index_ = 0;
  }

  std::uint64_t strays() const { return strays_; }

  Readable readable;

 private:
  bool read_one() {
    std::array<std::uint8_t, largest> buffer;
    alignas(cmsghdr) std::array<std::uint8_t, 256> control;
    sockaddr_in6 from{};
    iovec content{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(readable.get(), &message, MSG_DONTWAIT);
    // An error that the network reported about something sent earlier is used up by asking.
    if (size < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    const auto* arrival = arrival_of(message);
    if (arrival != nullptr && arrival->ipi6_ifindex != index_) refresh();
    const bool ours = arrival != nullptr && index_ != 0 && arrival->ipi6_ifindex == index_ &&
                      std::memcmp(&arrival->ipi6_addr, own_.bytes.data(), 16) == 0;
    if (!ours || (message.msg_flags & MSG_TRUNC) != 0 || message.msg_namelen != sizeof from) {
      ++strays_;
      return true;
    }
    const auto sender = Address::from_bytes(ByteView(reinterpret_cast<const std::uint8_t*>(&from.sin6_addr), 16));
    if (sender) receive_(*sender, Bytes(buffer.begin(), buffer.begin() + size));
    return true;
  }

  Address own_;
  std::string interface_;
  Receive receive_;
  unsigned index_ = 0;
  std::uint64_t strays_ = 0;
};

Outcome<std::unique_ptr<GossipSocket>> GossipSocket::open(asio::io_context& context, const Address& own, const std::string& interface,
                                                          Receive receive) {
  const std::string where = "[" + to_string(own) + "]:" + std::to_string(gossip_port);
  Descriptor socket = udp_socket(AF_INET6);
  if (!socket) return Unexpected{system_failure("cannot open an IPv6 socket for gossip (is IPv6 switched off? wigwag needs it on this host)")};
  const bool prepared = set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(socket.get(), IPPROTO_IPV6, IPV6_FREEBIND, 1) &&
                        set(socket.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (!prepared) return Unexpected{system_failure("cannot prepare the gossip socket " + where)};
  set(socket.get(), SOL_SOCKET, SO_RCVBUF, 1 << 20);
  const sockaddr_in6 here = socket_address6(own, gossip_port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    return Unexpected{system_failure("cannot bind the gossip socket " + where + " (does another wigwagd run for the same membership?)")};
  }
  auto impl = std::make_shared<Impl>(context, std::move(socket), own, interface, std::move(receive));
  impl->readable.start(impl, [raw = impl.get()] { raw->read_some(); });
  return std::unique_ptr<GossipSocket>(new GossipSocket(std::move(impl)));
}

GossipSocket::~GossipSocket() { impl_->readable.stop(); }
void GossipSocket::send(const Address& to, ByteView bytes) { impl_->send(to, bytes); }
void GossipSocket::refresh() { impl_->refresh(); }
std::uint64_t GossipSocket::strays() const { return impl_->strays(); }

class HelloSocket::Impl {
 public:
  explicit Impl(Receive receive) : receive_(std::move(receive)) {}

  void read_some(Readable& socket) {
    for (int i = 0; i < per_turn; ++i) {
      std::array<std::uint8_t, largest> buffer;
      sockaddr_storage from{};
      socklen_t from_size = sizeof from;
      const ssize_t size = ::recvfrom(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC,
                                      reinterpret_cast<sockaddr*>(&from), &from_size);
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (size < 0 || static_cast<std::size_t>(size) > buffer.size()) continue;
      if (const auto sender = endpoint_of(from)) receive_(*sender, Bytes(buffer.begin(), buffer.begin() + size));
    }
  }

  void send(const Endpoint& to, ByteView bytes) {
    if (to.address.family == Family::ipv4 && v4) {
      const sockaddr_in target = socket_address4(to.address, to.port);
      ::sendto(v4->get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&target), sizeof target);
    } else if (to.address.family == Family::ipv6 && v6) {
      const sockaddr_in6 target = socket_address6(to.address, to.port);
      ::sendto(v6->get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&target), sizeof target);
    }
  }

  std::unique_ptr<Readable> v4, v6;

 private:
  static std::optional<Endpoint> endpoint_of(const sockaddr_storage& from) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&from);
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&from);
    const bool is_v4 = from.ss_family == AF_INET;
    const auto address = is_v4 ? Address::from_bytes(ByteView(reinterpret_cast<const std::uint8_t*>(&v4->sin_addr), 4))
                               : Address::from_bytes(ByteView(reinterpret_cast<const std::uint8_t*>(&v6->sin6_addr), 16));
    const std::uint16_t port = ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
    return address && port != 0 ? std::optional(Endpoint{*address, port}) : std::nullopt;
  }

  Receive receive_;
};

namespace {

// nullopt when this host does not know the family.
Outcome<std::optional<Descriptor>> hello_socket(int family, std::uint16_t port) {
  Descriptor socket = udp_socket(family);
  if (!socket) return std::optional<Descriptor>();
  if (family == AF_INET6) set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set(socket.get(), SOL_SOCKET, SO_RCVBUF, 1 << 20);
  const sockaddr_in any4 = socket_address4(Address::ipv4(0), port);
  const sockaddr_in6 any6 = socket_address6(Address{Family::ipv6, {}}, port);
  const auto* here = family == AF_INET ? reinterpret_cast<const sockaddr*>(&any4) : reinterpret_cast<const sockaddr*>(&any6);
  if (::bind(socket.get(), here, family == AF_INET ? sizeof any4 : sizeof any6) == 0) return std::optional<Descriptor>(std::move(socket));
  if (errno == EADDRNOTAVAIL) return std::optional<Descriptor>();
  const std::string doing = "cannot bind UDP port " + std::to_string(port) + " for hello ";
  if (errno == EACCES) {
    return Unexpected{system_failure(doing + "(ports below 1024 need CAP_NET_BIND_SERVICE, which the unit does not give: choose another as "
                                             "hello.port, or add it to AmbientCapabilities and CapabilityBoundingSet with `systemctl edit`)")};
  }
  return Unexpected{system_failure(doing + "(something else has it? choose another as hello.port)")};
}

}  // namespace

Outcome<std::unique_ptr<HelloSocket>> HelloSocket::open(asio::io_context& context, std::uint16_t port, Receive receive) {
  auto impl = std::make_shared<Impl>(std::move(receive));
  for (const int family : {AF_INET, AF_INET6}) {
    auto socket = hello_socket(family, port);
    if (!socket) return Unexpected{socket.error()};
    if (!socket->has_value()) continue;
    auto& place = family == AF_INET ? impl->v4 : impl->v6;
    place = std::make_unique<Readable>(context, std::move(**socket));
    place->start(impl, [raw = impl.get(), readable = place.get()] { raw->read_some(*readable); });
  }
  if (!impl->v4 && !impl->v6) return Unexpected{Failure{"cannot open a UDP socket for hello: this host has neither IPv4 nor IPv6"}};
  return std::unique_ptr<HelloSocket>(new HelloSocket(std::move(impl)));
}

HelloSocket::~HelloSocket() {
  if (impl_->v4) impl_->v4->stop();
  if (impl_->v6) impl_->v6->stop();
}
void HelloSocket::send(const Endpoint& to, ByteView bytes) { impl_->send(to, bytes); }

}  // namespace wigwag
