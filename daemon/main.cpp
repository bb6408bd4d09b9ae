#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/flags.hpp"
#include "daemon/log.hpp"
#include "daemon/shell.hpp"
#include "daemon/words.hpp"
#include "gossip/trust/crypto.hpp"

// wigwagd: reads the command line and the configuration, then hands over to the shell.
namespace {

using namespace wigwag;

constexpr int status_failed = 1;
constexpr int status_wrong = 2;

int refuse(const std::vector<ConfigFault>& faults) {
  for (const auto& fault : faults) std::fprintf(stderr, "%s\n", to_string(fault).c_str());
  return status_wrong;
}

int start(const DaemonFlags& flags, const std::string& record, bool check_only) {
  auto overrides = flags.overrides();
  if (!overrides) return refuse(overrides.error());
  auto loaded = load_config(flags.config, flags.config_given(), *overrides, own_host_name());
  if (!loaded) return refuse(loaded.error());
  if (check_only) {
    for (const auto& text : loaded->notes) std::printf("note: %s\n", text.c_str());
    if (!loaded->config.subnets.empty()) {
      std::printf("note: node.subnets has the daemon switch on forwarding between the tunnel and those networks; `wigwag down` puts it back\n");
    }
    std::printf("%s: %s\n", flags.config.c_str(), loaded->file_found ? "good" : "there is no such file; the defaults are good");
    return 0;
  }
  for (const auto& text : loaded->notes) log_line(LogLevel::warning, text);
  if (!start_crypto()) {
    log_line(LogLevel::error, "libsodium cannot start: the kernel gives no random numbers");
    return status_failed;
  }
  return run_shell({std::move(loaded->config), flags.config, flags.config_given(), std::move(*overrides), flags.state_dir, flags.socket,
                    "wigwagd " WIGWAG_VERSION, record});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"wigwagd: a node of a WireGuard mesh", "wigwagd"};
  DaemonFlags flags;
  bool check_only = false;
  std::string level = "info";
  std::string record;
  add_place_flags(app, flags);
  add_setting_flags(app, flags);
  app.add_flag("--check", check_only, "check the configuration, print every fault, exit 0 or 2");
  app.add_option("--log-level", level, "debug, info, warning or error")->capture_default_str()->type_name("L");
  add_path(app, "--record", record, "write a trace of this life, for `wigwag-sim replay`: no secrets, at most 64 MiB", "FILE");
  app.set_version_flag("--version", "wigwagd " WIGWAG_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : status_wrong;
  }
  if (!start_log(level)) {
    std::fprintf(stderr, "wigwagd: --log-level must be debug, info, warning or error\n");
    return status_wrong;
  }
  return start(flags, record, check_only);
}
