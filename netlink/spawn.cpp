#include "netlink/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <string_view>
#include <vector>

#include "netlink/limits.hpp"

namespace wigwag {
namespace {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;

// The attributes of a child that shares nothing with us but one pipe.
class SpawnTerms {
 public:
  explicit SpawnTerms(int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnTerms() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnTerms(const SpawnTerms&) = delete;
  SpawnTerms& operator=(const SpawnTerms&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// Our environment without what would make wireguard-go keep our pipe open (a log level)
// or take over descriptors that it does not have.
std::vector<char*> environment() {
  std::vector<char*> kept;
  for (char** one = environ; one && *one; ++one) {
    const std::string_view text(*one);
    if (text.rfind("LOG_LEVEL=", 0) == 0 || text.rfind("WG_", 0) == 0) continue;
    kept.push_back(*one);
  }
  kept.push_back(nullptr);
  return kept;
}

// What went wrong, from among the words of wireguard-go: its banner is no help.
std::string complaint(std::string_view output) {
  std::string found;
  while (!output.empty()) {
    const auto end = std::min(output.find('\n'), output.size());
    const auto line = output.substr(0, end);
    if (line.find("ERROR") != std::string_view::npos || (found.empty() && line.find("ailed") != std::string_view::npos))
      found = line;
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return found.empty() ? "it said nothing" : found;
}

struct Ending {
  bool in_time = true;
  std::string output;
};

// Reads until the child closes its end, which it does by ending.
boost::asio::awaitable<Ending> listen_to(int descriptor) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::posix::stream_descriptor pipe(executor, descriptor);
  boost::asio::steady_timer limit(executor, netlink_limits::spawn_timeout);
  const auto late = std::make_shared<bool>(false);
  const auto open_pipe = std::make_shared<boost::asio::posix::stream_descriptor*>(&pipe);
  limit.async_wait([late, open_pipe](boost::system::error_code error) {
    if (error || !*open_pipe) return;
    *late = true;
    (*open_pipe)->cancel();
  });
  Ending ending;
  std::array<char, 512> chunk;
  for (;;) {
    boost::system::error_code error;
    const auto got = co_await pipe.async_read_some(boost::asio::buffer(chunk), redirect_error(use_awaitable, error));
    if (error) break;
    const auto room = netlink_limits::child_output_bytes - ending.output.size();
    ending.output.append(chunk.data(), std::min(got, room));
  }
  *open_pipe = nullptr;
  ending.in_time = !*late;
  co_return ending;
}

}  // namespace

Task<void> spawn_wireguard_go(std::string interface) {
  const std::string what = "start wireguard-go for " + interface;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) co_return Unexpected{net_error(errno, what)};
  pid_t child = 0;
  std::string program = "wireguard-go";
  std::array<char*, 3> arguments{program.data(), interface.data(), nullptr};
  auto variables = environment();
  int code = 0;
  {
    const SpawnTerms terms(pipe[1]);
    code = ::posix_spawnp(&child, program.c_str(), &terms.actions, &terms.attributes, arguments.data(), variables.data());
  }
  ::close(pipe[1]);
  if (code != 0) {
    ::close(pipe[0]);
    co_return Unexpected{NetError{code == ENOENT ? NetFault::no_backend : NetFault::refused, code, what}};
  }
  const Ending ending = co_await listen_to(pipe[0]);
  if (!ending.in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) co_await pause_for(std::chrono::milliseconds{2});
  if (!ending.in_time) co_return Unexpected{net_error(ETIMEDOUT, what)};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) co_return Result<void, NetError>{};
  co_return Unexpected{NetError{NetFault::refused, 0,
                                what + " (it needs /dev/net/tun, CAP_NET_ADMIN and a writable /var/run/wireguard; it said: " +
                                    complaint(ending.output) + ")"}};
}

}  // namespace wigwag
