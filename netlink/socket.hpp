#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>

#include "netlink/message.hpp"
#include "netlink/task.hpp"

struct mnl_socket;

namespace wigwag {

// An open netlink socket of one bus (NETLINK_ROUTE, NETLINK_GENERIC), not blocking.
class NetlinkHandle {
 public:
  static Result<std::unique_ptr<NetlinkHandle>, NetError> open(boost::asio::any_io_executor executor, int bus);
  ~NetlinkHandle();
  NetlinkHandle(const NetlinkHandle&) = delete;
  NetlinkHandle& operator=(const NetlinkHandle&) = delete;

  // 0, or the errno.
  int bind(unsigned groups);
  int send(ByteView bytes);
  // What the kernel sent, into a buffer that is always 64 KiB and wiped before the next
  // use; empty with `code` set when there is nothing (EAGAIN) or something went wrong.
  ByteView receive(int& code);
  boost::asio::posix::stream_descriptor& descriptor() { return descriptor_; }

 private:
  NetlinkHandle(boost::asio::any_io_executor executor, mnl_socket* socket);
  mnl_socket* socket_;
  boost::asio::posix::stream_descriptor descriptor_;
  Bytes buffer_;
};

// Asks the kernel, one question at a time: so there is never a second dump in flight.
// An interrupted dump is asked for again; a socket that lost an answer is opened afresh.
// Must outlive the coroutines it returned.
class NetlinkSocket {
 public:
  static Result<std::unique_ptr<NetlinkSocket>, NetError> open(boost::asio::any_io_executor executor, int bus);

  // Sends and waits for the acknowledgement or the end of the dump. `what` goes into
  // the error: "add address 10.99.0.1/32 to wigwag0".
  Task<void> ask(Message message, AnswerReader* reader, std::string what);

 private:
  enum class End : std::uint8_t { done, interrupted, failed };
  struct Outcome {
    End end = End::done;
    NetError error;
  };

  NetlinkSocket(boost::asio::any_io_executor executor, int bus, std::unique_ptr<NetlinkHandle> handle)
      : executor_(std::move(executor)), bus_(bus), handle_(std::move(handle)) {}
  boost::asio::awaitable<Outcome> try_once(Message& message, AnswerReader* reader, const std::string& what);
  boost::asio::awaitable<bool> wait_for_answer();
  std::optional<Outcome> read_datagram(ByteView datagram, bool dump, AnswerReader* reader, const std::string& what,
                                       bool& interrupted);

  boost::asio::any_io_executor executor_;
  int bus_;
  std::unique_ptr<NetlinkHandle> handle_;
  std::uint32_t sequence_ = 0;
  Turns turns_;
};

}  // namespace wigwag
