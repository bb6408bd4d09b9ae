#include <algorithm>
#include <cmath>
#include <string_view>

#include "sim/report/figures.hpp"
#include "sim/report/numbers.hpp"
#include "sim/report/report.hpp"

namespace wigwag::sim {
namespace {

constexpr std::size_t width = 100;
constexpr std::size_t title_width = 13;
constexpr std::size_t label_width = 44;
constexpr std::size_t slices_most = 8;
constexpr std::size_t broken_shown = 20;

// What comes from a scenario must not move a terminal's cursor or break a line.
std::string printable(std::string_view text) {
  std::string clean(text);
  std::replace_if(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return clean;
}

std::string left(std::string text, std::size_t size) {
  text.resize(std::max(text.size(), size), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t size) {
  return std::string(size > text.size() ? size - text.size() : 0, ' ') + text;
}

// In lines of at most `width`, each but the first behind `indent` spaces; a word that is longer stands alone.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t used) {
  std::string lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) {
      continue;
    }
    const bool opens = used <= indent;
    if (!opens && used + 1 + word.size() > width) {
      lines += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!opens) {
      lines += ' ';
      ++used;
    }
    lines += word;
    used += word.size();
  }
  return lines;
}

std::string headline(const RunOutcome& outcome) {
  std::string names;
  for (const std::string& name : outcome.scenario.names) {
    names += (names.empty() ? "" : " + ") + printable(name);
  }
  std::string text = "wigwag-sim: " + (names.empty() ? "a network" : names) + ", " + std::to_string(outcome.nodes) + " nodes, seed " + std::to_string(outcome.seed) + ", ";
  if (outcome.interrupted) {
    text += "interrupted after " + duration_text(std::round(outcome.simulated_s)) + " of " + duration_text(to_seconds(outcome.scenario.duration));
  } else {
    text += duration_text(std::round(outcome.simulated_s)) + " simulated";
  }
  text += outcome.wall_s > 0 ? " in " + rounded(outcome.wall_s) + " s" : "";
  return wrapped(text, 2, 0) + "\n";
}

std::string spread_target(const Spread& spread) {
  std::string text;
  if (spread.p50_most) {
    text = "p50<=" + fixed(*spread.p50_most, *spread.p50_most < 1 ? 1 : 0);
  }
  if (spread.p99_most) {
    text += (text.empty() ? "" : " ") + ("p99<=" + fixed(*spread.p99_most, 0));
  }
  return text;
}

std::string spread_rows(const RunOutcome& outcome) {
  std::string text;
  std::string unit;
  for (const Spread& spread : spreads(outcome)) {
    if (spread.unit != unit) {
      unit = spread.unit;
      const std::string heading = unit == "s" ? "In seconds" : "In bytes a second";
      text += "\n" + left(heading, label_width) + right("count", 9) + right("p50", 8) + right("p90", 8) + right("p99", 8) + right("max", 8) + "  target\n";
    }
    const Figure& figure = spread.figure;
    text += left("  " + left(spread.title, title_width) + spread.meaning, label_width) + right(fixed(static_cast<double>(figure.count), 0), 9);
    for (const double value : {figure.p50, figure.p90, figure.p99, figure.max}) {
      text += right(figure.count == 0 ? "-" : rounded(value), 8);
    }
    const std::string target = spread_target(spread);
    text += (target.empty() ? "" : "  " + target) + "\n";
  }
  return text;
}

std::string single_rows(const RunOutcome& outcome) {
  std::string text = "\n" + left("Over the whole run", label_width + 9) + right("value", 10) + "  " + left("unit", 12) + "target\n";
  for (const Single& single : singles(outcome)) {
    std::string row = left("  " + left(single.title, title_width) + single.meaning, label_width + 9);
    row += right(!single.value ? "-" : single.whole ? fixed(*single.value, 0) : rounded(*single.value), 10) + "  " + left(single.unit, 12);
    if (single.target) {
      row += (single.at_least ? ">=" : "<=") + fixed(*single.target, 0);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

// The samples that fall into one column.
struct Slice {
  double from = 0, until = 0;
  const Sample* first = nullptr;
  const Sample* last = nullptr;          // one behind
};

std::vector<Slice> slices_of(const RunOutcome& outcome) {
  const std::vector<Sample>& samples = outcome.samples;
  const std::size_t count = std::min(slices_most, samples.size());
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = samples.size() * i / count;
    const std::size_t end = samples.size() * (i + 1) / count;
    slices.push_back({samples[begin].at, samples[end - 1].at, samples.data() + begin, samples.data() + end});
  }
  return slices;
}

double least(const Slice& slice, double Sample::*field, double scale) {
  double found = slice.first->*field;
  for (const Sample* sample = slice.first; sample != slice.last; ++sample) {
    found = std::min(found, sample->*field);
  }
  return found * scale;
}

double mean(const Slice& slice, double Sample::*field) {
  double sum = 0;
  for (const Sample* sample = slice.first; sample != slice.last; ++sample) {
    sum += sample->*field;
  }
  return sum / static_cast<double>(slice.last - slice.first);
}

std::string course(const RunOutcome& outcome) {
  const std::vector<Slice> slices = slices_of(outcome);
  if (slices.empty()) {
    return "\nOver time: nothing was observed\n";
  }
  const std::size_t labels = 36;
  const auto row = [&](const std::string& label, const auto& cell) {
    std::string text = left(label, labels);
    for (const Slice& slice : slices) {
      text += right(cell(slice), 8);
    }
    return text + "\n";
  };
  const auto percent = [](double value) { return value >= 99.995 ? std::string("100") : fixed(std::min(value, 99.99), value < 99.9 ? 1 : 2); };
  return "\n" + row("Over time, up to second", [](const Slice& slice) { return fixed(slice.until, 0); }) +
         row("  reachable random pairs, worst, %", [&](const Slice& slice) { return percent(least(slice, &Sample::reachable, 100)); }) +
         row("  nodes with a true view, worst, %", [&](const Slice& slice) { return percent(least(slice, &Sample::true_views, 100)); }) +
         row("  running daemons, at the end", [](const Slice& slice) { return fixed(static_cast<double>(slice.last[-1].running), 0); }) +
         row("  members, at the end", [](const Slice& slice) { return fixed(static_cast<double>(slice.last[-1].joined), 0); }) +
         row("  bytes per node, mean, B/s", [](const Slice& slice) { return rounded(mean(slice, &Sample::bytes_per_node_s)); }) +
         row("  handshakes per node, mean, /min", [](const Slice& slice) { return rounded(mean(slice, &Sample::handshakes_per_node_min)); });
}

std::string verdict(const RunOutcome& outcome) {
  const std::string again = outcome.replay.empty() ? "" : "Run it again:\n  " + printable(outcome.replay) + "\n";
  if (outcome.broken.empty()) {
    const bool early = outcome.interrupted;
    return std::string("\n") + (early ? "No promise was broken before the interruption." : "All promises were kept.") + " Targets are for 1,000 nodes at 5 % loss.\n" + again;
  }
  const std::size_t count = outcome.broken.size();
  std::string text = "\n" + std::to_string(count) + (count == 1 ? " promise was" : " promises were") + " broken:\n";
  for (std::size_t i = 0; i < std::min(count, broken_shown); ++i) {
    const Broken& broken = outcome.broken[i];
    const std::string head = "  " + right(fixed(broken.at, 3), 10) + " s  " + left(printable(broken.invariant), 4) + " ";
    text += head + wrapped(printable(broken.text), head.size(), head.size()) + "\n";
  }
  if (count > broken_shown) {
    text += "  and " + std::to_string(count - broken_shown) + " more, which --json and --html hold\n";
  }
  return text + again;
}

}  // namespace

std::string table(const RunOutcome& outcome) {
  return headline(outcome) + spread_rows(outcome) + single_rows(outcome) + course(outcome) + verdict(outcome);
}

}  // namespace wigwag::sim
