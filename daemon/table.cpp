#include "daemon/table.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace wigwag {
namespace {

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

const char* code(Colour colour) {
  switch (colour) {
    case Colour::none: return "";
    case Colour::good: return "\033[32m";
    case Colour::warning: return "\033[33m";
    case Colour::bad: return "\033[31m";
    case Colour::dim: return "\033[2m";
  }
  return "";
}

}  // namespace

std::string coloured(const std::string& text, Colour colour, bool colours) {
  return colours && colour != Colour::none ? code(colour) + text + "\033[0m" : text;
}

std::string Table::text(bool colours) const {
  std::vector<std::size_t> widths;
  for (const auto& title : header_) widths.push_back(width(title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i].text));
  }
  std::string out;
  const auto put = [&](std::size_t column, const Cell& cell, bool last) {
    const std::string gap(widths[column] - width(cell.text), ' ');
    if (cell.right) out += gap;
    out += coloured(cell.text, cell.colour, colours);
    if (last) return;
    if (!cell.right) out += gap;
    out += "  ";
  };
  for (std::size_t i = 0; i < header_.size(); ++i) {
    const bool right = !rows_.empty() && i < rows_.front().size() && rows_.front()[i].right;
    put(i, {header_[i], Colour::dim, right}, i + 1 == header_.size());
  }
  out += '\n';
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) put(i, row[i], i + 1 == row.size());
    out += '\n';
  }
  return out;
}

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  return (no_colour == nullptr || *no_colour == '\0') && ::isatty(descriptor) == 1;
}

}  // namespace wigwag
