#include "daemon/graph.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numbers>

#include "daemon/status_text.hpp"

namespace wigwag {
namespace {

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string dot_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string number(double value, const char* format = "%.1f") {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

const char* fill_of(const std::string& health) {
  if (health == "alive") return "#2e9e5b";
  if (health == "suspect") return "#d9a514";
  return health == "dead" ? "#c8372d" : "#9aa0a6";
}

const char* line_of(const std::string& kind) {
  if (kind == "direct") return "stroke=\"#2e9e5b\"";
  if (kind == "relayed") return "stroke=\"#3b78c3\" stroke-dasharray=\"7 4\"";
  return "stroke=\"#c8372d\" stroke-dasharray=\"2 5\"";
}

const char* dot_line_of(const std::string& kind) {
  if (kind == "direct") return "color=\"#2e9e5b\"";
  if (kind == "relayed") return "color=\"#3b78c3\",style=dashed";
  return "color=\"#c8372d\",style=dotted";
}

std::string rtt_words(const Json& edge) {
  return edge.contains("rtt_ms") && edge["rtt_ms"].is_number() ? number(edge["rtt_ms"].get<double>()) + " ms" : std::string();
}

struct Point {
  double x = 0, y = 0;
};

struct Layout {
  double size = 0, radius = 0;
  std::vector<Point> points;
};

// Members evenly on a circle that grows with their number, the first at the top.
Layout circle(std::size_t count) {
  Layout layout;
  layout.radius = std::max(150.0, static_cast<double>(count) * 11);
  layout.size = 2 * (layout.radius + 130);
  for (std::size_t i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(count, 1)) - std::numbers::pi / 2;
    layout.points.push_back({layout.size / 2 + layout.radius * std::cos(angle), layout.size / 2 + layout.radius * std::sin(angle)});
  }
  return layout;
}

std::string svg_edge(const Json& edge, const Point& from, const Point& to) {
  const std::string kind = text_of(edge, "kind");
  std::string out = "<line x1=\"" + number(from.x) + "\" y1=\"" + number(from.y) + "\" x2=\"" + number(to.x) + "\" y2=\"" + number(to.y) +
                    "\" " + line_of(kind) + "><title>" + xml(kind + " " + rtt_words(edge)) + "</title></line>\n";
  if (const std::string rtt = rtt_words(edge); !rtt.empty()) {
    // Nearer to the far end, where lines from one point have spread.
    out += "<text class=\"rtt\" x=\"" + number(from.x + 0.7 * (to.x - from.x)) + "\" y=\"" + number(from.y + 0.7 * (to.y - from.y) - 4) + "\">" +
           rtt + "</text>\n";
  }
  return out;
}

std::string svg_node(const Json& node, const Point& at, double size) {
  const bool self = node.value("self", false);
  const bool left = at.x < size / 2 - 1;
  const double beside = left ? -20 : 20;
  std::string out = "<circle cx=\"" + number(at.x) + "\" cy=\"" + number(at.y) + "\" r=\"" + (self ? "13" : "9") + "\" fill=\"" +
                    fill_of(text_of(node, "health")) + "\"" + (self ? " stroke=\"#202124\" stroke-width=\"3\"" : "") + "><title>" +
                    xml(text_of(node, "health") + " " + text_of(node, "ipv6")) + "</title></circle>\n";
  const std::string anchor = left ? "end" : "start";
  out += "<text x=\"" + number(at.x + beside) + "\" y=\"" + number(at.y - 1) + "\" text-anchor=\"" + anchor + "\">" + xml(text_of(node, "name")) +
         "</text>\n";
  out += "<text class=\"address\" x=\"" + number(at.x + beside) + "\" y=\"" + number(at.y + 13) + "\" text-anchor=\"" + anchor + "\">" +
         xml(text_of(node, "ipv4")) + "</text>\n";
  return out;
}

}  // namespace

Json graph_json(const Json& status) {
  Json nodes = Json::array();
  Json edges = Json::array();
  const Json self = status.value("self", Json::object());
  for (const auto& member : status.value("members", Json::array())) {
    if (!member.is_object()) continue;
    const bool own = text_of(member, "id") == text_of(self, "id");
    nodes.push_back({{"id", text_of(member, "id")}, {"name", text_of(member, "name")}, {"health", text_of(member, "health")},
                     {"ipv4", text_of(member, "ipv4")}, {"ipv6", text_of(member, "ipv6")}, {"self", own}});
    if (own) continue;
    const Json path = member.value("path", Json::object());
    edges.push_back({{"from", text_of(self, "id")}, {"to", text_of(member, "id")}, {"kind", text_of(path, "kind")},
                     {"via", path.value("via", Json::array())}, {"endpoint", path.value("endpoint", Json())},
                     {"rtt_ms", member.value("rtt_ms", Json())}});
  }
  return {{"network", status.value("network", Json::object())}, {"nodes", nodes}, {"edges", edges}};
}

std::string graph_dot(const Json& status) {
  const Json graph = graph_json(status);
  std::string out = "graph " + dot_text(text_of(graph["network"], "name")) + " {\n  layout=circo;\n  node [shape=ellipse, style=filled, fontcolor=white];\n";
  for (const auto& node : graph["nodes"]) {
    const std::string label = "\"" + text_of(node, "name") + "\\n" + text_of(node, "ipv4") + "\"";
    out += "  " + dot_text(text_of(node, "id")) + " [label=" + label + ", fillcolor=\"" + fill_of(text_of(node, "health")) + "\"" +
           (node.value("self", false) ? ", penwidth=3" : "") + "];\n";
  }
  for (const auto& edge : graph["edges"]) {
    out += "  " + dot_text(text_of(edge, "from")) + " -- " + dot_text(text_of(edge, "to")) + " [" + dot_line_of(text_of(edge, "kind")) +
           ", label=" + dot_text(rtt_words(edge)) + "];\n";
  }
  return out + "}\n";
}

std::string graph_svg(const Json& status) {
  const Json graph = graph_json(status);
  const Layout layout = circle(graph["nodes"].size());
  const std::string size = number(layout.size, "%.0f");
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\" height=\"" + size + "\" viewBox=\"0 0 " + size + " " + size +
                    "\">\n<style>text{font:13px sans-serif;fill:#202124}.address{font-size:11px;fill:#5f6368}"
                    ".rtt{font-size:10px;fill:#5f6368;text-anchor:middle}line{stroke-width:1.6;stroke-opacity:.75}</style>\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"16\" y=\"26\" style=\"font-size:16px\">" +
                    xml(text_of(graph["network"], "name") + "  " + text_of(graph["network"], "ipv4")) + "</text>\n";
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < graph["nodes"].size(); ++i) index[text_of(graph["nodes"][i], "id")] = i;
  for (const auto& edge : graph["edges"]) {
    const auto from = index.find(text_of(edge, "from"));
    const auto to = index.find(text_of(edge, "to"));
    if (from != index.end() && to != index.end()) out += svg_edge(edge, layout.points[from->second], layout.points[to->second]);
  }
  for (std::size_t i = 0; i < graph["nodes"].size(); ++i) out += svg_node(graph["nodes"][i], layout.points[i], layout.size);
  return out + "</svg>\n";
}

}  // namespace wigwag
