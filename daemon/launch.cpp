#include "daemon/launch.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "daemon/file.hpp"
#include "daemon/words.hpp"

extern char** environ;

namespace wigwag {
namespace {

constexpr std::size_t output_max = 1 << 20;
constexpr off_t log_bytes_max = 8 << 20;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

std::optional<int> wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The child with its standard output going to `output`, or away.
std::optional<pid_t> spawn(std::vector<std::string> command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  auto words = pointers(command);
  const int failed = ::posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? std::optional(child) : std::nullopt;
}

std::string daemon_program() {
  std::array<char, PATH_MAX> self{};
  const ssize_t size = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  const std::string own(self.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string beside = own.substr(0, own.rfind('/') + 1) + "wigwagd";
  return ::access(beside.c_str(), X_OK) == 0 ? beside : "wigwagd";
}

// What the flags that stand for configuration keys say is in the file by now.
std::vector<std::string> daemon_command(const DaemonFlags& flags) {
  return {daemon_program(), "--config", flags.config, "--state-dir", flags.state_dir, "--socket", flags.socket};
}

Outcome<Descriptor> open_log(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && about.st_size > log_bytes_max) ::rename(path.c_str(), (path + ".old").c_str());
  Descriptor log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log) return Unexpected{system_failure("cannot write the log " + path)};
  return log;
}

Outcome<Launched> launch_by_systemd() {
  for (const char* verb : {"enable", "restart"}) {
    if (run_quietly({"systemctl", verb, unit_name}) != 0) {
      return Unexpected{Failure{std::string("`systemctl ") + verb + " " + unit_name + "` failed: see `journalctl -u wigwag -n 20`"}};
    }
  }
  return Launched{0, "`journalctl -u wigwag`"};
}

Outcome<Launched> launch_detached(const DaemonFlags& flags) {
  const std::string log_path = flags.state_dir + "/wigwagd.log";
  auto log = open_log(log_path);
  if (!log) return Unexpected{log.error()};
  auto command = daemon_command(flags);
  auto words = pointers(command);
  const pid_t child = ::fork();
  if (child < 0) return Unexpected{system_failure("cannot start wigwagd")};
  if (child == 0) {
    ::setsid();
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log->get(), STDOUT_FILENO);
    ::dup2(log->get(), STDERR_FILENO);
    if (::chdir("/") == 0) ::execvp(words[0], words.data());
    constexpr std::string_view sorry = "cannot run wigwagd: is it installed beside wigwag or on the PATH?\n";
    (void)!::write(STDERR_FILENO, sorry.data(), sorry.size());
    ::_exit(127);
  }
  return Launched{child, log_path};
}

}  // namespace

std::optional<int> run_quietly(const std::vector<std::string>& command) {
  const auto child = spawn(command, -1);
  return child ? wait_for(*child) : std::nullopt;
}

std::optional<std::string> output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const auto child = spawn(command, to.get());
  to = Descriptor();
  if (!child) return std::nullopt;
  std::string output;
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while ((got = ::read(from.get(), part.data(), part.size())) > 0) {
    if (output.size() < output_max) output.append(part.data(), static_cast<std::size_t>(got));
  }
  return wait_for(*child) == 0 ? std::optional(output) : std::nullopt;
}

bool systemd_keeps(const DaemonFlags& flags) {
  return flags.is_default_instance() && ::access("/run/systemd/system", F_OK) == 0 && run_quietly({"systemctl", "cat", unit_name}) == 0;
}

Outcome<Launched> launch_daemon(const DaemonFlags& flags) {
  return systemd_keeps(flags) ? launch_by_systemd() : launch_detached(flags);
}

Failure become_daemon(const DaemonFlags& flags) {
  auto command = daemon_command(flags);
  auto words = pointers(command);
  ::execvp(words[0], words.data());
  return system_failure("cannot run " + command.front() + " (is it installed beside wigwag or on the PATH?)");
}

std::optional<int> ended_with(pid_t process) {
  int status = 0;
  if (process == 0 || ::waitpid(process, &status, WNOHANG) != process) return std::nullopt;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string last_line(const std::string& path) {
  const auto content = read_file(path, 64 << 20);
  if (!content || !content->has_value()) return {};
  const std::string text((*content)->begin(), (*content)->end());
  const auto lines = split(trimmed(text), '\n');
  return printable(lines.back(), 600);
}

}  // namespace wigwag
