#include "daemon/status_text.hpp"

#include <array>
#include <cstdio>

#include "daemon/table.hpp"
#include "daemon/words.hpp"

namespace wigwag {
namespace {

Json part(const Json& document, const char* key) {
  const auto at = document.find(key);
  return at != document.end() && at->is_object() ? *at : Json::object();
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

std::uint64_t count_of(const Json& document, const char* key) {
  const auto at = document.find(key);
  return at != document.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

bool truth_of(const Json& document, const char* key) {
  const auto at = document.find(key);
  return at != document.end() && at->is_boolean() && at->get<bool>();
}

Colour health_colour(const std::string& health) {
  if (health == "alive") return Colour::good;
  if (health == "suspect") return Colour::warning;
  return health == "dead" ? Colour::bad : Colour::dim;
}

std::string milliseconds_of(const Json& member) {
  const auto at = member.find("rtt_ms");
  if (at == member.end() || !at->is_number()) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", at->get<double>());
  return text.data();
}

std::string handshake_of(const Json& member) {
  const auto at = member.find("last_handshake_s");
  if (at == member.end() || !at->is_number_integer()) return "-";
  return span_words(std::chrono::seconds(at->get<std::int64_t>())) + " ago";
}

std::string path_of(const Json& path) {
  const std::string kind = text_of(path, "kind");
  if (kind != "relayed" || !path.contains("via") || !path["via"].is_array()) return or_dash(kind);
  std::vector<std::string> names;
  for (const auto& name : path["via"]) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return "via " + joined(names, ", ");
}

std::vector<Table::Cell> member_row(const Json& member, const std::string& own_id) {
  const bool self = text_of(member, "id") == own_id;
  const std::string health = text_of(member, "health");
  const Json path = part(member, "path");
  const auto traffic = [&](const char* key) { return self ? std::string("-") : byte_words(count_of(member, key)); };
  return {{text_of(member, "name") + (self ? " *" : "")},
          {health, health_colour(health)},
          {path_of(path), text_of(path, "kind") == "none" ? Colour::warning : Colour::none},
          {or_dash(text_of(member, "ipv4"))},
          {text_of(member, "ipv6")},
          {or_dash(text_of(path, "endpoint"))},
          {milliseconds_of(member), Colour::none, true},
          {self ? "-" : handshake_of(member), Colour::none, true},
          {traffic("rx_bytes"), Colour::none, true},
          {traffic("tx_bytes"), Colour::none, true}};
}

std::string head_line(const Json& status, bool colours) {
  const Json network = part(status, "network");
  if (!truth_of(status, "joined")) {
    return coloured("not joined yet: " + or_dash(text_of(status, "waiting_for")), Colour::warning, colours) + "\n";
  }
  std::string line = "network " + text_of(network, "name") + "  " + text_of(network, "ipv4") + "  " + text_of(network, "ipv6") + "  ";
  line += truth_of(status, "converged") ? coloured("converged", Colour::good, colours) : coloured("settling", Colour::warning, colours);
  line += "  digest " + text_of(status, "digest").substr(0, 12) + "\n";
  const std::string why = text_of(status, "waiting_for");
  return why.empty() ? line : line + coloured("nobody is there: " + why, Colour::warning, colours) + "\n";
}

std::string words_for(const Json& subnet, const std::string& own_id) {
  if (text_of(subnet, "carrier_id") == own_id) return "behind this node";
  if (truth_of(subnet, "routed")) return "routed";
  return "not " + std::string(text_of(subnet, "carrier").empty() ? "announced: " : "routed: ") + text_of(subnet, "why_not");
}

// Empty where there are none.
std::string subnets_text(const Json& status, const std::string& own_id, bool colours) {
  const auto list = status.find("subnets");
  if (list == status.end() || !list->is_array() || list->empty()) return {};
  Table table({"SUBNET", "CARRIED BY", "ALSO BEHIND", "HERE"});
  for (const auto& subnet : *list) {
    if (!subnet.is_object()) continue;
    std::vector<std::string> others;
    for (const auto& other : subnet.value("others", Json::array())) {
      if (other.is_string()) others.push_back(printable(other.get<std::string>(), 63));
    }
    const bool well = truth_of(subnet, "routed") || text_of(subnet, "carrier_id") == own_id;
    table.add({{text_of(subnet, "subnet")},
               {or_dash(text_of(subnet, "carrier"))},
               {or_dash(joined(others, ", "))},
               {words_for(subnet, own_id), well ? Colour::none : Colour::warning}});
  }
  return "\n" + table.text(colours);
}

}  // namespace

std::string text_of(const Json& document, const char* key) {
  if (!document.is_object()) return {};
  const auto at = document.find(key);
  return at != document.end() && at->is_string() ? printable(at->get<std::string>(), 512) : std::string();
}

std::string status_text(const Json& status, bool colours) {
  const Json self = part(status, "self");
  std::string out = head_line(status, colours);
  out += "node " + text_of(self, "name") + "  " + or_dash(text_of(self, "ipv4")) + "  " + text_of(self, "ipv6") + "  on " +
         text_of(self, "interface") + " (" + text_of(self, "backend") + ", port " + std::to_string(count_of(self, "listen_port")) + ")\n";
  const auto members = status.find("members");
  if (members == status.end() || !members->is_array() || members->empty()) return out;
  Table table({"MEMBER", "HEALTH", "PATH", "IPV4", "IPV6", "ENDPOINT", "RTT", "HANDSHAKE", "RECEIVED", "SENT"});
  std::size_t alive = 0;
  for (const auto& member : *members) {
    if (!member.is_object()) continue;
    table.add(member_row(member, text_of(self, "id")));
    if (text_of(member, "health") == "alive") ++alive;
  }
  out += "\n" + table.text(colours);
  out += "\n" + std::to_string(members->size()) + (members->size() == 1 ? " member, " : " members, ") + std::to_string(alive) + " alive (* this node)\n";
  return out + subnets_text(status, text_of(self, "id"), colours);
}

}  // namespace wigwag
