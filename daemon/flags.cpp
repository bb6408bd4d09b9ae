#include "daemon/flags.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "daemon/words.hpp"

namespace wigwag {
namespace {

constexpr std::string_view config_folder = "/etc/wigwag/";
constexpr std::string_view config_ending = ".toml";

// A daemon in the background works in /, where a relative path means something else.
std::string absolute_path(const std::string& path) {
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  return path.empty() || failed ? path : absolute.string();
}

bool is_instance_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

std::optional<std::string> DaemonFlags::unit() const {
  if (config == default_config_path && state_dir == default_state_dir && socket == default_socket) return "wigwag.service";
  const std::string_view path = config;
  if (path.size() <= config_folder.size() + config_ending.size() || path.substr(0, config_folder.size()) != config_folder) return std::nullopt;
  if (path.substr(path.size() - config_ending.size()) != config_ending) return std::nullopt;
  const std::string name(path.substr(config_folder.size(), path.size() - config_folder.size() - config_ending.size()));
  if (!is_instance_name(name) || state_dir != "/var/lib/wigwag-" + name || socket != "/run/wigwag-" + name + "/wigwag.sock") return std::nullopt;
  return "wigwag@" + name + ".service";
}

Result<std::vector<ConfigOverride>, std::vector<ConfigFault>> DaemonFlags::overrides() const {
  std::vector<ConfigOverride> all;
  std::vector<ConfigFault> faults;
  if (!interface.empty()) all.push_back({"wireguard.interface", interface, "--interface"});
  if (!node_name.empty()) all.push_back({"node.name", node_name, "--node-name"});
  if (!endpoints.empty()) all.push_back({"node.endpoints", joined(endpoints, ","), "--endpoint"});
  if (!seeds.empty()) all.push_back({"network.seeds", joined(seeds, ","), "--seed"});
  if (!secret_file.empty()) all.push_back({"network.secret_file", secret_file, "--secret-file"});
  for (const auto& text : sets) {
    auto one = parse_override(text);
    if (one) {
      all.push_back(std::move(*one));
    } else {
      faults.push_back(one.error());
    }
  }
  if (!faults.empty()) return Unexpected{faults};
  return all;
}

void add_path(CLI::App& app, const std::string& flag, std::string& path, const std::string& about, const std::string& type) {
  app.add_option(flag, path, about)->capture_default_str()->transform(absolute_path, "")->type_name(type);
}

void add_socket_flag(CLI::App& app, DaemonFlags& flags) {
  add_path(app, "--socket", flags.socket, "control socket of the daemon", "PATH");
}

void add_place_flags(CLI::App& app, DaemonFlags& flags) {
  add_path(app, "--config", flags.config, "configuration file", "FILE");
  add_path(app, "--state-dir", flags.state_dir, "directory for keys and state", "DIR");
  add_socket_flag(app, flags);
  app.add_option("--interface", flags.interface, "WireGuard interface [wigwag0]")->type_name("NAME");
}

void add_setting_flags(CLI::App& app, DaemonFlags& flags) {
  app.add_option("--node-name", flags.node_name, "this node's name [the host's]")->type_name("NAME");
  app.add_option("--endpoint", flags.endpoints, "a public address of this node; may be repeated")->type_name("HOST[:PORT]")->take_all()->allow_extra_args(false);
  app.add_option("--set", flags.sets, "any configuration key; may be repeated")->type_name("KEY=VALUE")->take_all()->allow_extra_args(false);
}

}  // namespace wigwag
