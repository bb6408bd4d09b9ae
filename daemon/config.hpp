#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config_value.hpp"
#include "gossip/base/ip.hpp"

namespace wigwag {

// A host by name or address, and a UDP port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  auto operator<=>(const HostPort&) const = default;
  // "fra.example.net:51820", "198.51.100.7", "2001:db8::7", "[2001:db8::7]:51820".
  static std::optional<HostPort> parse(std::string_view text, std::uint16_t default_port);
};
std::string to_string(const HostPort& host);

enum class RelayWish : std::uint8_t { unsaid, yes, no, automatic };
enum class BackendWish : std::uint8_t { automatic, kernel, userspace };

inline constexpr std::uint16_t default_hello_port = 51822;
inline constexpr std::uint32_t default_mtu = 1420;

// What the operator decided, every value valid. Keys and meanings are in wigwag.toml.example.
struct Config {
  std::string node_name;
  RelayWish relay = RelayWish::unsaid;
  std::vector<Prefix> subnets;
  std::vector<HostPort> endpoints;
  std::optional<Address> node_ipv4;

  std::string secret_file;
  std::vector<HostPort> seeds;
  std::optional<Prefix> network_ipv4;

  std::string interface = "wigwag0";
  std::uint16_t port = 51820;
  std::optional<std::uint32_t> mtu;                // nullopt: "auto"
  std::optional<std::chrono::seconds> keepalive;   // nullopt: "auto"
  BackendWish backend = BackendWish::automatic;

  std::optional<std::uint16_t> hello_port_set;
  bool accept_hello = true;

  bool dns = false;
  std::string metrics;

  std::uint16_t hello_port() const { return hello_port_set ? *hello_port_set : static_cast<std::uint16_t>(port + 2); }
  std::uint32_t interface_mtu() const { return mtu.value_or(default_mtu); }
};

// One "--set KEY=VALUE", or a flag that stands for one.
struct ConfigOverride {
  std::string key;
  std::string value;
  std::string origin;  // "--set node.name"
};
// From the text behind --set; the fault says that the equals sign is missing.
Result<ConfigOverride, ConfigFault> parse_override(const std::string& assignment);

struct LoadedConfig {
  Config config;
  bool file_found = false;
  std::vector<std::string> notes;  // what is set and not acted on in this version, one sentence each
};

// Reads the file, applies the overrides, and answers with all faults at once.
Result<LoadedConfig, std::vector<ConfigFault>> load_config(const std::string& path, bool must_exist,
                                                           const std::vector<ConfigOverride>& overrides, const std::string& host_name);
// The same from entries that were already read.
Result<LoadedConfig, std::vector<ConfigFault>> read_config(std::vector<ConfigEntry> entries, const std::vector<ConfigOverride>& overrides,
                                                           const std::string& host_name);

// The value as TOML that an override means, by the type of its key.
Result<ConfigValue, ConfigFault> override_value(const ConfigOverride& wanted);

// What differs between two configurations, by key; `live` changes need no restart.
struct ConfigChange {
  std::string key;
  bool live = false;
};
std::vector<ConfigChange> config_changes(const Config& before, const Config& after);

std::vector<std::string> config_keys();
std::string own_host_name();

}  // namespace wigwag
