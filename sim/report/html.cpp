#include <string_view>

#include "sim/embedded.hpp"
#include "sim/report/document.hpp"
#include "sim/report/report.hpp"

namespace wigwag::sim {
namespace {

// In a JSON document these stand in texts alone, where they may as well be written as numbers: so no
// text can end the script element that carries it, or open another.
std::string safe_in_script(std::string_view document) {
  std::string text;
  text.reserve(document.size());
  for (const char c : document) {
    switch (c) {
      case '<': text += "\\u003c"; break;
      case '>': text += "\\u003e"; break;
      case '&': text += "\\u0026"; break;
      default: text += c;
    }
  }
  return text;
}

bool ends_in(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

std::string joined(std::string_view suffix) {
  std::string text;
  for (const Embedded& file : page_files()) {
    if (ends_in(file.name, suffix)) {
      text += file.text;
    }
  }
  return text;
}

// What stands for the mark. What is put in is not searched again: a text may look like a mark.
std::string content_of(std::string_view mark, const RunOutcome& outcome) {
  if (mark == "style") {
    return joined(".css");
  }
  if (mark == "script") {
    return joined(".js");
  }
  return mark == "data" ? safe_in_script(document(outcome, true)) : std::string();
}

}  // namespace

std::string html(const RunOutcome& outcome) {
  const std::string skeleton = joined(".html");
  std::string page;
  std::size_t from = 0;
  for (std::size_t open = skeleton.find("{{"); open != std::string::npos; open = skeleton.find("{{", from)) {
    const std::size_t close = skeleton.find("}}", open);
    page += skeleton.substr(from, open - from) + content_of(std::string_view(skeleton).substr(open + 2, close - open - 2), outcome);
    from = close + 2;
  }
  return page + skeleton.substr(from);
}

}  // namespace wigwag::sim
