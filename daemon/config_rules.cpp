#include "daemon/config_rules.hpp"

#include <algorithm>

#include "daemon/words.hpp"
#include "gossip/base/limits.hpp"
#include "gossip/trust/statements.hpp"

namespace wigwag {
namespace {

const std::string* text_in(const ConfigValue& value) { return std::get_if<std::string>(&value); }

std::optional<std::int64_t> number_in(const ConfigValue& value, std::int64_t least, std::int64_t most) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr && *number >= least && *number <= most ? std::optional(*number) : std::nullopt;
}

template <class Enum>
bool take_word(const ConfigValue& value, Enum& to, std::initializer_list<std::pair<const char*, Enum>> words) {
  const auto* text = text_in(value);
  if (text == nullptr) return false;
  for (const auto& [word, meaning] : words) {
    if (*text == word) return to = meaning, true;
  }
  return false;
}

// Every item of a list of at most `most`, read by `parse`.
template <class Item, class Parse>
bool take_list(const ConfigValue& value, std::vector<Item>& to, std::size_t most, Parse parse) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts == nullptr || texts->size() > most) return false;
  std::vector<Item> items;
  for (const auto& text : *texts) {
    const auto item = parse(text);
    if (!item) return false;
    items.push_back(*item);
  }
  to = std::move(items);
  return true;
}

template <class Item>
std::string show_list(const std::vector<Item>& items) {
  std::vector<std::string> parts;
  for (const auto& item : items) parts.push_back(to_string(item));
  return joined(parts, ",");
}

std::string nothing(const Config&) { return {}; }

bool take_name(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  return text != nullptr && is_valid_name(*text) && (config.node_name = *text, true);
}

bool take_node_ipv4(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  const auto address = text != nullptr ? Address::parse(*text) : std::nullopt;
  if (!address || address->family != Family::ipv4 || address->is_unspecified() || address->is_multicast() || address->is_loopback()) return false;
  config.node_ipv4 = address;
  return true;
}

bool take_network_ipv4(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  const auto prefix = text != nullptr && text->find('/') != std::string::npos ? Prefix::parse(*text) : std::nullopt;
  if (!prefix || prefix->address.family != Family::ipv4 || prefix->length < 8 || prefix->length > 30) return false;
  if (prefix->address.is_multicast() || prefix->address.is_loopback() || prefix->address.is_unspecified()) return false;
  config.network_ipv4 = prefix;
  return true;
}

// The kernel's own rules for names, one byte kept free for the relay plane's "r".
bool take_interface(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  if (text == nullptr || text->empty() || text->size() > 14 || *text == "." || *text == ".." || *text == "all" || *text == "default") return false;
  const bool plain = std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
  return plain && (config.interface = *text, true);
}

bool take_path(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  return text != nullptr && !text->empty() && text->front() == '/' && (config.secret_file = *text, true);
}

bool take_mtu(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  if (text != nullptr) return *text == "auto" && (config.mtu.reset(), true);
  const auto number = number_in(value, 1280, 65535);
  return number && (config.mtu = static_cast<std::uint32_t>(*number), true);
}

bool take_keepalive(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  if (text != nullptr) return *text == "auto" && (config.keepalive.reset(), true);
  const auto number = number_in(value, 0, 65535);
  return number && (config.keepalive = std::chrono::seconds(*number), true);
}

bool take_metrics(const ConfigValue& value, Config& config) {
  const auto* text = text_in(value);
  if (text == nullptr) return false;
  const bool overlay = text->rfind("overlay:", 0) == 0 && parse_port(std::string_view(*text).substr(8));
  return (overlay || Endpoint::parse(*text)) && (config.metrics = *text, true);
}

std::string relay_idle(const Config& config) {
  if (config.relay == RelayWish::yes) return "this version relays for nobody";
  if (config.relay == RelayWish::automatic) return "this version has no relays, so it behaves as \"no\"";
  return {};
}

}  // namespace

const std::vector<ConfigRule>& config_rules() {
  static const std::vector<ConfigRule> rules = {
      {"node.name", ValueShape::text, false, "a name of at most 63 letters a-z, digits and inner hyphens",
       take_name, [](const Config& c) { return c.node_name; }, nothing},
      {"node.relay", ValueShape::text, false, "\"yes\", \"no\" or \"auto\"",
       [](const ConfigValue& value, Config& c) {
         return take_word(value, c.relay, {{"yes", RelayWish::yes}, {"no", RelayWish::no}, {"auto", RelayWish::automatic}});
       },
       [](const Config& c) { return std::to_string(static_cast<int>(c.relay)); }, relay_idle},
      {"node.subnets", ValueShape::list, false, "a list of at most 16 networks such as \"10.20.0.0/24\", without host bits",
       [](const ConfigValue& value, Config& c) {
         return take_list(value, c.subnets, limits::subnets_per_node, [](const std::string& text) { return Prefix::parse(text); });
       },
       [](const Config& c) { return show_list(c.subnets); }, nothing},
      {"node.endpoints", ValueShape::list, true, "a list of at most 4 of HOST:PORT, such as \"fra.example.net:51820\"",
       [](const ConfigValue& value, Config& c) {
         return take_list(value, c.endpoints, limits::endpoints_per_record, [](const std::string& text) { return HostPort::parse(text, 0); });
       },
       [](const Config& c) { return show_list(c.endpoints); }, nothing},
      {"node.ipv4", ValueShape::text, false, "an IPv4 address in the network's prefix, such as \"10.99.1.2\"",
       take_node_ipv4, [](const Config& c) { return c.node_ipv4 ? to_string(*c.node_ipv4) : ""; }, nothing},
      {"network.secret_file", ValueShape::text, false, "the absolute path of a file that holds a token",
       take_path, [](const Config& c) { return c.secret_file; }, nothing},
      {"network.seeds", ValueShape::list, true, "a list of at most 16 of HOST or HOST:PORT, such as \"203.0.113.5\"",
       [](const ConfigValue& value, Config& c) {
         return take_list(value, c.seeds, limits::seeds, [](const std::string& text) { return HostPort::parse(text, default_hello_port); });
       },
       [](const Config& c) { return show_list(c.seeds); }, nothing},
      {"network.ipv4", ValueShape::text, false, "an IPv4 network from /8 to /30 without host bits, such as \"10.99.0.0/16\"",
       take_network_ipv4, [](const Config& c) { return c.network_ipv4 ? to_string(*c.network_ipv4) : ""; }, nothing},
      {"wireguard.interface", ValueShape::text, false, "an interface name of at most 14 letters, digits, '-', '_' and '.'",
       take_interface, [](const Config& c) { return c.interface; }, nothing},
      {"wireguard.port", ValueShape::number, false, "a UDP port from 1 to 65533",
       [](const ConfigValue& value, Config& c) {
         const auto number = number_in(value, 1, 65533);
         return number && (c.port = static_cast<std::uint16_t>(*number), true);
       },
       [](const Config& c) { return std::to_string(c.port); }, nothing},
      {"wireguard.mtu", ValueShape::text_or_number, false, "\"auto\" or a number from 1280 to 65535",
       take_mtu, [](const Config& c) { return std::to_string(c.mtu.value_or(0)); },
       [](const Config& c) { return c.mtu ? std::string() : "this version does not measure the path and takes 1420"; }},
      {"wireguard.keepalive", ValueShape::text_or_number, false, "\"auto\" or seconds from 0 (off) to 65535",
       take_keepalive, [](const Config& c) { return c.keepalive ? std::to_string(c.keepalive->count()) : "auto"; }, nothing},
      {"wireguard.backend", ValueShape::text, false, "\"auto\", \"kernel\" or \"userspace\"",
       [](const ConfigValue& value, Config& c) {
         return take_word(value, c.backend,
                          {{"auto", BackendWish::automatic}, {"kernel", BackendWish::kernel}, {"userspace", BackendWish::userspace}});
       },
       [](const Config& c) { return std::to_string(static_cast<int>(c.backend)); }, nothing},
      {"hello.port", ValueShape::number, false, "a UDP port from 1 to 65535",
       [](const ConfigValue& value, Config& c) {
         const auto number = number_in(value, 1, 65535);
         return number && (c.hello_port_set = static_cast<std::uint16_t>(*number), true);
       },
       [](const Config& c) { return std::to_string(c.hello_port()); }, nothing},
      {"hello.accept", ValueShape::truth, false, "true or false",
       [](const ConfigValue& value, Config& c) {
         const auto* truth = std::get_if<bool>(&value);
         return truth != nullptr && (c.accept_hello = *truth, true);
       },
       [](const Config& c) { return std::to_string(c.accept_hello); }, nothing},
      {"dns.enabled", ValueShape::truth, false, "true or false",
       [](const ConfigValue& value, Config& c) {
         const auto* truth = std::get_if<bool>(&value);
         return truth != nullptr && (c.dns = *truth, true);
       },
       [](const Config& c) { return std::to_string(c.dns); },
       [](const Config& c) { return c.dns ? "this version answers no DNS" : std::string(); }},
      {"metrics.listen", ValueShape::text, false, "\"overlay:PORT\" or ADDRESS:PORT",
       take_metrics, [](const Config& c) { return c.metrics; },
       [](const Config& c) { return c.metrics.empty() ? std::string() : "this version serves no metrics"; }},
  };
  return rules;
}

}  // namespace wigwag
