#pragma once

#include <string>
#include <vector>

namespace wigwag {

enum class Colour : std::uint8_t { none, good, warning, bad, dim };

// Text in columns, for people. Widths are counted in characters, not bytes.
class Table {
 public:
  struct Cell {
    std::string text;
    Colour colour = Colour::none;
    bool right = false;  // aligned to the right, as numbers are
  };
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string text(bool colours) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<Cell>> rows_;
};

std::string coloured(const std::string& text, Colour colour, bool colours);

// Colours go to a terminal only, and never with NO_COLOR set.
bool wants_colour(int descriptor);

}  // namespace wigwag
