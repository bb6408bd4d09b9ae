#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "daemon/control_client.hpp"
#include "daemon/control_server.hpp"
#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

// A server on a real socket in a thread of its own; it echoes, and streams for "follow".
class Served {
 public:
  explicit Served(const std::string& path) : path_(path) {
    auto opened = ControlServer::open(io_, path, [this](const ControlRequest& request, const ControlCall& call) {
      if (request.command == "follow") {
        call.line(encode_result("first"));
        std::lock_guard lock(mutex_);
        followers_.push_back(call);
      } else if (request.command == "large") {
        call.end(encode_result(std::string(static_cast<std::size_t>(request.number("size").value_or(0)), 'x')));
      } else if (request.command != "silence") {
        call.end(encode_result(request.arguments));
      }
    });
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().what);
    server_ = std::move(*opened);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Served() {
    asio::post(io_, [this] {
      server_.reset();
      guard_.reset();
    });
    thread_.join();
  }
  // Runs something in the loop and waits for it.
  template <class Work>
  auto in_loop(Work work) {
    std::promise<decltype(work())> done;
    asio::post(io_, [&] { done.set_value(work()); });
    return done.get_future().get();
  }
  std::size_t tell(const std::string& text) {
    return in_loop([&] {
      std::lock_guard lock(mutex_);
      std::size_t open = 0;
      for (const auto& follower : followers_) {
        follower.line(encode_result(text));
        if (follower.open()) ++open;
      }
      return open;
    });
  }

 private:
  std::string path_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  std::unique_ptr<ControlServer> server_;
  std::mutex mutex_;
  std::vector<ControlCall> followers_;
  std::thread thread_;
};

// A caller that says whatever it likes.
class RawCaller {
 public:
  explicit RawCaller(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    timeval patience{20, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void say(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void stop_talking() { ::shutdown(socket_.get(), SHUT_WR); }
  // Everything until the other end closes.
  std::string rest() {
    std::string all;
    std::array<char, 4096> part{};
    ssize_t got = 0;
    while ((got = ::recv(socket_.get(), part.data(), part.size(), 0)) > 0) all.append(part.data(), static_cast<std::size_t>(got));
    ended_ = got == 0 || errno == ECONNRESET;
    return all;
  }
  bool ended() const { return ended_; }

 private:
  Descriptor socket_;
  bool ended_ = false;
};

TEST(ControlSocket, AnswersARequest) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  const auto reply = ask_daemon(folder / "s", {{"command", "echo"}, {"value", 5}});
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_TRUE(reply->ok);
  EXPECT_EQ(reply->result["value"], 5);
}

TEST(ControlSocket, IsForOwnerAndGroupOnly) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  EXPECT_EQ(std::filesystem::status(folder / "s").permissions(), std::filesystem::perms(0660));
}

TEST(ControlSocket, CarriesAnAnswerOfManyMegabytes) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  const auto reply = ask_daemon(folder / "s", {{"command", "large"}, {"size", 8'000'000}});
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(reply->result.get<std::string>().size(), 8'000'000U);
}

TEST(ControlSocket, RefusesGarbageWithAReason) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  for (const std::string& garbage : {std::string("\n"), std::string("hello\n"), std::string("[]\n"), std::string("{\"command\":5}\n"), std::string("{}\n"),
                                     std::string("\0\xff\x80\n", 4), std::string(60'000, '[') + "\n", "{\"command\":\"a\",\"b\":" + std::string(50, '[') + "\n"}) {
    RawCaller caller(folder / "s");
    caller.say(garbage);
    EXPECT_THAT(caller.rest(), HasSubstr("\"ok\":false")) << garbage.substr(0, 40);
    EXPECT_TRUE(caller.ended());
  }
  EXPECT_TRUE(ask_daemon(folder / "s", {{"command", "echo"}}));
}

TEST(ControlSocket, RefusesAMegabyteWithoutReadingIt) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  RawCaller caller(folder / "s");
  std::thread talking([&] { caller.say(std::string(1 << 20, 'x')); });
  talking.join();
  // The refusal is sent, though it may be lost with the connection it closes over unread bytes.
  caller.rest();
  EXPECT_TRUE(caller.ended());
  EXPECT_TRUE(ask_daemon(folder / "s", {{"command", "echo"}}));
}

TEST(ControlSocket, AnswersACallerThatHasClosedItsSendingSide) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  RawCaller caller(folder / "s");
  caller.say("{\"command\":\"echo\"}\n");
  caller.stop_talking();
  EXPECT_THAT(caller.rest(), HasSubstr("\"ok\":true"));
}

TEST(ControlSocket, DropsSilentAndHalfFinishedCallersAfterFiveSeconds) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  RawCaller silent(folder / "s");
  RawCaller half(folder / "s");
  half.say("{\"command\":");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(ask_daemon(folder / "s", {{"command", "echo"}})) << "others are served meanwhile";
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(half.rest(), "");
  EXPECT_TRUE(silent.ended() && half.ended());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 12s);
}

TEST(ControlSocket, TurnsAwayMoreCallersThanItServes) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  std::vector<std::unique_ptr<RawCaller>> callers;
  for (std::size_t i = 0; i < ControlServer::connections_max; ++i) {
    callers.push_back(std::make_unique<RawCaller>(folder / "s"));
    callers.back()->say("{\"command\":\"silence\"}\n");
  }
  RawCaller late(folder / "s");
  EXPECT_THAT(late.rest(), HasSubstr("try again"));
  callers.clear();
  // Those that have gone make room.
  bool served_again = false;
  for (int i = 0; i < 100 && !served_again; ++i) {
    const auto reply = ask_daemon(folder / "s", {{"command", "echo"}});
    served_again = reply && reply->ok;
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(served_again);
}

TEST(ControlSocket, StreamsLinesUntilTheCallerGoes) {
  const TemporaryFolder folder;
  Served served(folder / "s");
  {
    auto client = ControlClient::ask(folder / "s", {{"command", "follow"}});
    ASSERT_TRUE(client);
    EXPECT_EQ(client->next(5s).value().result, "first");
    EXPECT_EQ(served.tell("second"), 1U);
    EXPECT_EQ(client->next(5s).value().result, "second");
  }
  std::size_t open = 1;
  for (int i = 0; i < 100 && open != 0; ++i) {
    std::this_thread::sleep_for(10ms);
    open = served.tell("third");
  }
  EXPECT_EQ(open, 0U);
}

TEST(ControlSocket, DropsAFollowerThatDoesNotRead) {
  const TemporaryFolder folder;
  Served served(folder / "s");
  RawCaller follower(folder / "s");
  follower.say("{\"command\":\"follow\"}\n");
  std::this_thread::sleep_for(100ms);
  const std::string line(1 << 20, 'x');
  std::size_t open = 1;
  for (int i = 0; i < 64 && open != 0; ++i) open = served.tell(line);
  EXPECT_EQ(open, 0U) << "more than 32 MiB wait for it";
}

TEST(ControlSocket, OfADeadDaemonIsReplacedAndALivingOnesIsNot) {
  const TemporaryFolder folder;
  {
    // A socket that nobody listens on any more.
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "s").copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  const Served served(folder / "s");
  asio::io_context io;
  const auto second = ControlServer::open(io, folder / "s", [](const ControlRequest&, const ControlCall&) {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("a daemon already listens"));
  EXPECT_TRUE(ask_daemon(folder / "s", {{"command", "echo"}})) << "the first is not disturbed";
  folder.write("file", "mine");
  EXPECT_FALSE(ControlServer::open(io, folder / "file", [](const ControlRequest&, const ControlCall&) {}));
  EXPECT_EQ(folder.read("file"), "mine");
}

TEST(ControlSocket, IsGoneWithItsDaemon) {
  const TemporaryFolder folder;
  { const Served served(folder / "s"); }
  EXPECT_FALSE(std::filesystem::exists(folder / "s"));
  const auto nobody = ask_daemon(folder / "s", {{"command", "echo"}});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().fault, ControlClient::Fault::nobody);
}

TEST(ControlClient, GivesUpOnADaemonThatNeverAnswers) {
  const TemporaryFolder folder;
  const Served served(folder / "s");
  const auto reply = ask_daemon(folder / "s", {{"command", "silence"}}, 200ms);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, ControlClient::Fault::nobody);
}

TEST(ControlRequest, GivesArgumentsOfTheRightTypeOnly) {
  const auto request = decode_request(R"({"command":"c","n":5,"big":18446744073709551615,"t":true,"s":"x","l":["a",1,"b"]})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->number("n"), 5);
  EXPECT_FALSE(request->number("big"));
  EXPECT_FALSE(request->number("s"));
  EXPECT_TRUE(request->truth("t"));
  EXPECT_FALSE(request->truth("n"));
  EXPECT_EQ(request->text("n", "absent"), "absent");
  EXPECT_THAT(request->texts("l"), testing::ElementsAre("a", "b"));
}

TEST(ControlReply, IsValidJsonWhateverAPeerIsCalled) {
  const auto reply = decode_reply(encode_result(std::string("caf\xe9 \n\xff")));
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->ok);
}

}  // namespace
}  // namespace wigwag
