#include "daemon/launch.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <thread>

#include "daemon/file.hpp"
#include "daemon/words.hpp"

extern char** environ;

namespace wigwag {
namespace {

constexpr std::size_t output_max = 1 << 20;
constexpr off_t log_bytes_max = 8 << 20;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
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

Outcome<Launched> launch_by_systemd(const std::string& unit) {
  const Launched launched{0, "`journalctl -u " + unit + "`", unit};
  for (const char* verb : {"enable", "restart"}) {
    if (run_quietly({"systemctl", verb, unit}) != 0) {
      return Unexpected{Failure{"`systemctl " + std::string(verb) + " " + unit + "` failed" + last_words(launched) + " (" + launched.log + ")"}};
    }
  }
  return launched;
}

std::string last_line(const std::string& text) { return printable(split(trimmed(text), '\n').back(), 600); }

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
  return Launched{child, log_path, {}};
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

bool systemd_runs() { return ::access("/run/systemd/system", F_OK) == 0; }

std::optional<std::string> systemd_unit(const DaemonFlags& flags) {
  auto unit = flags.unit();
  return unit && systemd_runs() && run_quietly({"systemctl", "cat", *unit}) == 0 ? unit : std::nullopt;
}

bool retire_unit(const std::string& unit) {
  const bool kept = run_quietly({"systemctl", "is-enabled", "--quiet", unit}) == 0 || run_quietly({"systemctl", "is-active", "--quiet", unit}) == 0;
  run_quietly({"systemctl", "disable", "--now", unit});
  return kept;
}

Outcome<Launched> launch_daemon(const DaemonFlags& flags) {
  const auto unit = systemd_unit(flags);
  return unit ? launch_by_systemd(*unit) : launch_detached(flags);
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

std::string last_words(const Launched& launched) {
  std::string text;
  if (!launched.unit.empty()) {
    // The daemon's own lines of this start, not what systemd says about it.
    text = output_of({"journalctl", "_SYSTEMD_UNIT=" + launched.unit, "_COMM=wigwagd", "--since=-1min", "-n", "1", "-o", "cat", "-q", "--no-pager"})
               .value_or("");
  } else if (const auto content = read_file(launched.log, 64 << 20); content && content->has_value()) {
    text.assign((*content)->begin(), (*content)->end());
  }
  const std::string line = last_line(text);
  return line.empty() ? "" : ": " + line;
}

bool wait_until_gone(ControlClient& client, const std::string& state_dir) {
  if (!client.wait_for_end(std::chrono::seconds(10))) return false;
  for (int i = 0; i < 400; ++i) {
    const Descriptor directory(::open(state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  return false;
}

}  // namespace wigwag
