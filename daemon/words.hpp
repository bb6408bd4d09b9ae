#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Text as people write and read it.
namespace wigwag {

// The candidate that `typed` was probably meant to be: the nearest by edits (a
// swap of neighbours counts as one), if it is near enough to be a slip at all.
std::optional<std::string> nearest_word(std::string_view typed, const std::vector<std::string>& candidates);

// "90s", "30m", "24h", "7d", "2w"; a bare number is seconds. At most ten years.
std::optional<std::chrono::seconds> parse_span(std::string_view text);

// "41 s", "3 min", "5 h", "12 d": the largest unit that leaves at least two.
std::string span_words(std::chrono::seconds span);

// "1.2 MB"; powers of a thousand.
std::string byte_words(std::uint64_t bytes);

// "2026-11-21T10:39:00Z".
std::string utc_words(std::int64_t unix_seconds);

std::string joined(const std::vector<std::string>& parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trimmed(std::string_view text);

// What a host name becomes as a member's name: its first label, lower case, with
// hyphens for what a name may not hold; "node" when nothing is left.
std::string name_from_host(std::string_view host);

// Keeps what is printable ASCII or UTF-8's upper half, so that text from elsewhere cannot
// forge log lines or steer a terminal; cut at `most` bytes.
std::string printable(std::string_view text, std::size_t most);

}  // namespace wigwag
