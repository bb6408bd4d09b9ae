#include "daemon/flags.hpp"

#include <CLI/CLI.hpp>

#include "daemon/words.hpp"

namespace wigwag {

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

void add_socket_flag(CLI::App& app, DaemonFlags& flags) {
  app.add_option("--socket", flags.socket, "control socket of the daemon")->capture_default_str()->type_name("PATH");
}

void add_place_flags(CLI::App& app, DaemonFlags& flags) {
  app.add_option("--config", flags.config, "configuration file")->capture_default_str()->type_name("FILE");
  app.add_option("--state-dir", flags.state_dir, "directory for keys and state")->capture_default_str()->type_name("DIR");
  add_socket_flag(app, flags);
  app.add_option("--interface", flags.interface, "WireGuard interface [wigwag0]")->type_name("NAME");
}

void add_setting_flags(CLI::App& app, DaemonFlags& flags) {
  app.add_option("--node-name", flags.node_name, "this node's name [the host's]")->type_name("NAME");
  app.add_option("--endpoint", flags.endpoints, "a public address of this node; may be repeated")->type_name("HOST[:PORT]")->take_all()->allow_extra_args(false);
  app.add_option("--set", flags.sets, "any configuration key; may be repeated")->type_name("KEY=VALUE")->take_all()->allow_extra_args(false);
}

}  // namespace wigwag
