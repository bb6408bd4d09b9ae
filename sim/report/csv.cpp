#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "sim/report/report.hpp"

namespace wigwag::sim {
namespace {

std::string quoted(std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(field);
  }
  std::string text = "\"";
  for (const char c : field) {
    text += c;
    if (c == '"') {
      text += c;
    }
  }
  return text + "\"";
}

// The shortest text that reads back as the same number; nothing for what is none.
std::string plain(double value) {
  if (!std::isfinite(value)) {
    return "";
  }
  std::array<char, 32> digits{};
  const std::to_chars_result end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end.ptr};
}

// What was going on at that time, so that a spreadsheet can tell a dip's cause.
std::string faults_at(const RunOutcome& outcome, double at) {
  std::string text;
  for (const Played& played : outcome.played) {
    if (played.at <= at && at <= played.until) {
      text += (text.empty() ? "" : "; ") + played.text;
    }
  }
  return text;
}

}  // namespace

std::string csv(const RunOutcome& outcome) {
  std::string text =
      "at_s,running,joined,agreeing,true_views,reachable,bytes_per_node_s,handshakes_per_node_min,suspects,downs,false_downs,faults\r\n";
  for (const Sample& sample : outcome.samples) {
    text += plain(sample.at) + ',' + std::to_string(sample.running) + ',' + std::to_string(sample.joined) + ',' + plain(sample.agreeing) + ',' +
            plain(sample.true_views) + ',' + plain(sample.reachable) + ',' + plain(sample.bytes_per_node_s) + ',' +
            plain(sample.handshakes_per_node_min) + ',' + std::to_string(sample.suspects) + ',' + std::to_string(sample.downs) + ',' +
            std::to_string(sample.false_downs) + ',' + quoted(faults_at(outcome, sample.at)) + "\r\n";
  }
  return text;
}

}  // namespace wigwag::sim
