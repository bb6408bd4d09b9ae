#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config.hpp"

namespace CLI {
class App;
}

namespace wigwag {

inline constexpr const char* default_config_path = "/etc/wigwag/wigwag.toml";
inline constexpr const char* default_state_dir = "/var/lib/wigwag";
inline constexpr const char* default_socket = "/run/wigwag/wigwag.sock";

// What `wigwagd` and `wigwag up` both take.
struct DaemonFlags {
  std::string config = default_config_path;
  std::string state_dir = default_state_dir;
  std::string socket = default_socket;
  std::string interface;
  std::string node_name;
  std::vector<std::string> endpoints;
  std::vector<std::string> seeds;      // of `wigwag up` only, as is the next
  std::string secret_file;
  std::vector<std::string> sets;

  bool config_given() const { return config != default_config_path; }
  // The systemd unit whose files these are: wigwag.service, or wigwag@NAME.service of a further
  // network; nullopt when they are no unit's.
  std::optional<std::string> unit() const;
  // The flags that stand for configuration keys, --set last.
  Result<std::vector<ConfigOverride>, std::vector<ConfigFault>> overrides() const;
};

// A flag that names a file, from wherever the caller stands.
void add_path(CLI::App& app, const std::string& flag, std::string& path, const std::string& about, const std::string& type);
void add_socket_flag(CLI::App& app, DaemonFlags& flags);
void add_place_flags(CLI::App& app, DaemonFlags& flags);     // --config, --state-dir, --socket, --interface
void add_setting_flags(CLI::App& app, DaemonFlags& flags);   // --node-name, --endpoint, --set

}  // namespace wigwag
