#include "daemon/config.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "daemon/config_rules.hpp"
#include "daemon/file.hpp"
#include "daemon/words.hpp"
#include "gossip/node.hpp"
#include "gossip/topology/subnet_fault.hpp"

namespace wigwag {
namespace {

constexpr std::size_t config_bytes_max = 1 << 20;

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '-' || text.front() == '.') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

const ConfigRule* rule_for(std::string_view key) {
  for (const auto& rule : config_rules()) {
    if (key == rule.key) return &rule;
  }
  return nullptr;
}

bool is_section(const std::string& name) {
  return std::any_of(config_rules().begin(), config_rules().end(),
                     [&](const ConfigRule& known) { return std::string_view(known.key).substr(0, name.size() + 1) == name + "."; });
}

ConfigFault unknown_key(const ConfigPlace& place, const std::string& key) {
  // A section that is spelt wrong or left out, then a key that is spelt wrong, then a known key in the wrong section.
  const std::string leaf = key.substr(key.rfind('.') + 1);
  std::vector<std::string> namesakes;
  for (const auto& name : config_keys()) {
    if (name.substr(name.rfind('.') + 1) == leaf) namesakes.push_back(name);
  }
  auto meant = nearest_word(key, namesakes);
  if (!meant && namesakes.size() == 1) meant = namesakes.front();
  if (!meant) meant = nearest_word(key, config_keys());
  if (!meant && !namesakes.empty()) meant = joined(namesakes, " or ");
  if (meant) return {place, key, "there is no such key; did you mean " + *meant + "?"};
  return {place, key, "there is no such key; the keys are " + joined(config_keys(), ", ")};
}

std::string shown(const ConfigValue& value) {
  const auto* other = std::get_if<OtherValue>(&value);
  return other != nullptr ? other->kind : printable(toml_text(value), 120);
}

void check_ports(const Config& config, const ConfigPlace& place, std::vector<ConfigFault>& faults) {
  const std::uint16_t hello = config.hello_port();
  const auto next = static_cast<std::uint16_t>(config.port + 1);
  if (hello == config.port) faults.push_back({place, "hello.port", "is the same as wireguard.port; each needs a UDP port of its own"});
  if (hello == next) {
    faults.push_back({place, "hello.port", "is wireguard.port + 1, which the relay plane takes; choose another"});
  }
  const std::string taken = std::to_string(gossip_port) + " is the port that gossip uses inside the tunnel; choose another";
  if (hello == gossip_port) faults.push_back({place, "hello.port", taken});
  if (config.port == gossip_port || next == gossip_port) {
    faults.push_back({place, "wireguard.port", taken + " (wireguard.port + 1 counts too)"});
  }
}

ConfigPlace place_of(const std::vector<ConfigEntry>& entries, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    for (const auto& entry : entries) {
      if (entry.key == key) return entry.place;
    }
  }
  return {"the configuration", 0, 0};
}

void check_together(const Config& config, const std::vector<ConfigEntry>& entries, std::vector<ConfigFault>& faults) {
  check_ports(config, place_of(entries, {"hello.port", "wireguard.port"}), faults);
  if (config.node_ipv4 && config.network_ipv4 && !config.network_ipv4->contains(*config.node_ipv4)) {
    faults.push_back({place_of(entries, {"node.ipv4"}), "node.ipv4",
                      to_string(*config.node_ipv4) + " is not in network.ipv4, " + to_string(*config.network_ipv4)});
  }
  std::vector<Prefix> mesh;
  if (config.network_ipv4) mesh.push_back(*config.network_ipv4);
  for (const auto& subnet : config.subnets) {
    if (const auto fault = subnet_fault(subnet, mesh)) {
      faults.push_back({place_of(entries, {"node.subnets"}), "node.subnets", to_string(subnet) + " cannot be announced: " + to_string(*fault)});
    }
  }
}

void merge(std::vector<ConfigEntry>& entries, ConfigEntry entry) {
  const auto same = std::find_if(entries.begin(), entries.end(), [&](const ConfigEntry& e) { return e.key == entry.key; });
  if (same == entries.end()) {
    entries.push_back(std::move(entry));
  } else {
    *same = std::move(entry);
  }
}

}  // namespace

std::optional<HostPort> HostPort::parse(std::string_view text, std::uint16_t default_port) {
  if (const auto endpoint = Endpoint::parse(text)) return HostPort{to_string(endpoint->address), endpoint->port};
  if (const auto address = Address::parse(text)) return HostPort{to_string(*address), default_port};
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const auto address = Address::parse(text.substr(1, text.size() - 2));
    return address ? std::optional(HostPort{to_string(*address), default_port}) : std::nullopt;
  }
  const auto colon = text.find(':');
  const auto host = text.substr(0, colon);
  if (!is_host(host)) return std::nullopt;
  // Digits and dots that are no address are a slip, never a name.
  if (host.find_first_not_of("0123456789.") == std::string_view::npos) return std::nullopt;
  if (colon == std::string_view::npos) return HostPort{std::string(host), default_port};
  const auto port = parse_port(text.substr(colon + 1));
  return port ? std::optional(HostPort{std::string(host), *port}) : std::nullopt;
}

std::string to_string(const HostPort& host) {
  const bool v6 = host.host.find(':') != std::string::npos;
  return (v6 ? "[" + host.host + "]" : host.host) + ":" + std::to_string(host.port);
}

Result<ConfigOverride, ConfigFault> parse_override(const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Unexpected{ConfigFault{{"--set " + printable(assignment, 80), 0, 0}, "", "must be KEY=VALUE, such as --set wireguard.port=51820"}};
  }
  const std::string key(trimmed(std::string_view(assignment).substr(0, equals)));
  return ConfigOverride{key, std::string(trimmed(std::string_view(assignment).substr(equals + 1))), "--set"};
}

Result<ConfigValue, ConfigFault> override_value(const ConfigOverride& wanted) {
  const ConfigPlace place{wanted.origin, 0, 0};
  const auto* rule = rule_for(wanted.key);
  if (rule == nullptr) return Unexpected{unknown_key(place, wanted.key)};
  const std::string& text = wanted.value;
  const bool quoted = !text.empty() && (text.front() == '"' || text.front() == '\'' || text.front() == '[');
  const bool digits = !text.empty() && text.find_first_not_of("0123456789+-") == std::string::npos;
  bool bare = false;
  switch (rule->shape) {
    case ValueShape::text: bare = !quoted; break;
    case ValueShape::text_or_number: bare = !quoted && !digits; break;
    case ValueShape::list: bare = !quoted; break;
    case ValueShape::number:
    case ValueShape::truth: break;
  }
  if (bare && rule->shape == ValueShape::list) {
    return text.empty() ? ConfigValue(std::vector<std::string>()) : ConfigValue(split(text, ','));
  }
  if (bare) return ConfigValue(text);
  auto value = read_toml_value(text);
  if (!value) {
    const std::string why = "cannot read " + printable(text, 120) + "; allowed: " + rule->allowed;
    return Unexpected{ConfigFault{place, wanted.key, why}};
  }
  return *value;
}

Result<LoadedConfig, std::vector<ConfigFault>> load_config(const std::string& path, bool must_exist,
                                                           const std::vector<ConfigOverride>& overrides, const std::string& host_name) {
  const auto content = read_file(path, config_bytes_max);
  if (!content) return Unexpected{std::vector{ConfigFault{{path, 0, 0}, "", content.error().what}}};
  if (!content->has_value()) {
    if (must_exist) return Unexpected{std::vector{ConfigFault{{path, 0, 0}, "", "there is no such file; `wigwag up` writes one"}}};
    return read_config({}, overrides, host_name);
  }
  const std::string text(content->value().begin(), content->value().end());
  auto entries = read_toml(text, path);
  if (!entries) return Unexpected{std::vector{entries.error()}};
  auto loaded = read_config(std::move(*entries), overrides, host_name);
  if (loaded) loaded->file_found = true;
  return loaded;
}

Result<LoadedConfig, std::vector<ConfigFault>> read_config(std::vector<ConfigEntry> entries, const std::vector<ConfigOverride>& overrides,
                                                           const std::string& host_name) {
  std::vector<ConfigFault> faults;
  for (const auto& wanted : overrides) {
    auto value = override_value(wanted);
    if (!value) {
      faults.push_back(value.error());
    } else {
      merge(entries, {wanted.key, *value, {wanted.origin, 0, 0}, 0, 0});
    }
  }
  LoadedConfig loaded;
  loaded.config.node_name = name_from_host(host_name);
  for (const auto& entry : entries) {
    const auto* rule = rule_for(entry.key);
    if (is_section(entry.key)) {
      const auto* other = std::get_if<OtherValue>(&entry.value);
      // An empty section says nothing; one with keys in it has come as its keys.
      if (other == nullptr || !other->is_table) faults.push_back({entry.place, entry.key, "must be a section: [" + entry.key + "]"});
      continue;
    }
    if (rule == nullptr) {
      faults.push_back(unknown_key(entry.place, entry.key));
    } else if (!rule->take(entry.value, loaded.config)) {
      faults.push_back({entry.place, entry.key, "cannot be " + shown(entry.value) + "; allowed: " + rule->allowed});
    } else if (const std::string idle = rule->idle(loaded.config); !idle.empty()) {
      loaded.notes.push_back(std::string(rule->key) + " = " + shown(entry.value) + " is not acted on: " + idle);
    }
  }
  check_together(loaded.config, entries, faults);
  if (!faults.empty()) return Unexpected{faults};
  for (auto& endpoint : loaded.config.endpoints) {
    if (endpoint.port == 0) endpoint.port = loaded.config.port;
  }
  return loaded;
}

std::vector<ConfigChange> config_changes(const Config& before, const Config& after) {
  std::vector<ConfigChange> changes;
  for (const auto& rule : config_rules()) {
    if (rule.show(before) != rule.show(after)) changes.push_back({rule.key, rule.live});
  }
  return changes;
}

std::vector<std::string> config_keys() {
  std::vector<std::string> keys;
  for (const auto& rule : config_rules()) keys.emplace_back(rule.key);
  return keys;
}

std::string own_host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace wigwag
