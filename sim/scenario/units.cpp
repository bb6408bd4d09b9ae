#include "sim/scenario/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
// Longest first where one begins another.
constexpr std::array<Unit, 6> time_units{{{"us", 1}, {"ms", 1'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}}};
constexpr std::array<Unit, 6> time_units_by_size{
    {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};
constexpr std::array<Unit, 4> bit_units{{{"Gbit/s", 1'000'000'000}, {"Mbit/s", 1'000'000}, {"kbit/s", 1'000}, {"bit/s", 1}}};

constexpr Duration latency_most = minutes(1);
constexpr std::uint64_t quantity_most = 1'000'000'000'000'000'000;  // far above all that is asked for, far below overflow

bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A number with or without a fraction, times `size`, as long as that is whole: "1.5" of 1,000 is 1,500.
std::optional<std::uint64_t> scaled(std::string_view digits, std::uint64_t size) {
  const auto point = digits.find('.');
  const std::string_view whole = digits.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? std::string_view() : digits.substr(point + 1);
  if (whole.empty() || whole.size() > 18 || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (value > quantity_most / size) return std::nullopt;
  value *= size;
  for (const char digit : fraction) {
    const auto n = static_cast<std::uint64_t>(digit - '0');
    // What the unit cannot hold must be nothing: 0.5 us is no time of ours.
    if (size % 10 != 0 && n != 0) return std::nullopt;
    size /= 10;
    value += n * size;
  }
  return value;
}

// The digits (and the point) that `text` begins with.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits.find('.') != digits.rfind('.') ? std::string_view() : digits;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> parts(std::string_view text, char between) {
  std::vector<std::string_view> found;
  for (;;) {
    const auto end = text.find(between);
    if (const auto part = trimmed(text.substr(0, end)); !part.empty() || between != ' ') found.push_back(part);
    if (end == std::string_view::npos) return found;
    text.remove_prefix(end + 1);
  }
}

std::optional<Latency> range(std::string_view text, Latency::Shape shape) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto least = parse_duration(text.substr(0, dash)), most = parse_duration(text.substr(dash + 1));
  if (!least || !most || *least > *most || *most > latency_most) return std::nullopt;
  if (shape == Latency::Shape::long_tail && *least == Duration::zero()) return std::nullopt;
  return Latency{shape, *least, *most};
}

std::optional<std::size_t> count_in(std::string_view text) {
  std::size_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size() || count == 0) return std::nullopt;
  return count;
}

std::optional<NatShare> nat_share(std::string_view text) {
  const auto words = parts(text, ' ');
  if (words.size() < 2) return std::nullopt;
  NatShare one;
  const auto share = parse_share(words.front());
  if (!share || *share == 0) return std::nullopt;
  one.share = *share;
  auto end = words.size();
  if (words.back().front() == 'x') {
    const auto behind = count_in(words.back().substr(1));
    if (!behind || *behind > behind_one_most) return std::nullopt;
    one.behind_one = *behind;
    --end;
  }
  std::string kind;
  for (std::size_t i = 1; i < end; ++i) kind += (i == 1 ? "" : " ") + std::string(words[i]);
  const auto nat = parse_nat(kind);
  if (!nat) return std::nullopt;
  one.nat = *nat;
  return one;
}

std::optional<Happening> partition(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto plus = text.find('+', at);
  Happening cut;
  cut.kind = Happening::Kind::partition;
  const auto who = trimmed(text.substr(0, at));
  cut.who.share = parse_share(who);
  if (!cut.who.share) cut.who.count = count_in(who);
  if ((!cut.who.share || *cut.who.share == 0) && !cut.who.count) return std::nullopt;
  const auto when = parse_duration(trimmed(text.substr(at + 1, plus == std::string_view::npos ? plus : plus - at - 1)));
  if (!when) return std::nullopt;
  cut.at = *when;
  if (plus == std::string_view::npos) return cut;
  cut.lasting = parse_duration(trimmed(text.substr(plus + 1)));
  return cut.lasting ? std::optional(cut) : std::nullopt;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const auto digits = take_digits(text);
    const auto unit = std::find_if(time_units.begin(), time_units.end(), [&](const Unit& u) { return take(text, u.name); });
    if (digits.empty() || unit == time_units.end()) return std::nullopt;
    const auto part = scaled(digits, unit->size);
    if (!part || *part > quantity_most - sum) return std::nullopt;
    sum += *part;
  }
  return Duration(static_cast<Duration::rep>(sum));
}

std::optional<Duration> parse_shift(std::string_view text) {
  const bool back = take(text, "-");
  const auto size = parse_duration(text);
  return size && back ? -*size : size;
}

std::string print_duration(Duration duration) {
  if (duration < Duration::zero()) return "-" + print_duration(-duration);
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0s";
  const auto unit = std::find_if(time_units_by_size.begin(), time_units_by_size.end(), [&](const Unit& u) { return count % u.size == 0; });
  return std::to_string(count / unit->size) + std::string(unit->name);
}

std::optional<Ppm> parse_share(std::string_view text) {
  const auto share = parse_rate(std::string(text) + "/min");
  return share && *share <= always_ppm ? share : std::nullopt;
}

std::string print_share(Ppm share) {
  std::string text = std::to_string(share / 10'000);
  if (share % 10'000 == 0) return text + "%";
  std::string fraction = std::to_string(10'000 + share % 10'000).substr(1);
  while (fraction.back() == '0') fraction.pop_back();
  return text + "." + fraction + "%";
}

std::optional<Ppm> parse_rate(std::string_view text) {
  const auto digits = take_digits(text);
  const auto rate = text == "%/min" ? scaled(digits, always_ppm / 100) : std::nullopt;
  return rate && *rate <= rate_most ? std::optional(static_cast<Ppm>(*rate)) : std::nullopt;
}

std::string print_rate(Ppm rate_per_minute) { return print_share(rate_per_minute) + "/min"; }

std::optional<std::uint64_t> parse_bandwidth(std::string_view text) {
  if (text == "unlimited") return 0;
  const auto digits = take_digits(text);
  const auto unit = std::find_if(bit_units.begin(), bit_units.end(), [&](const Unit& u) { return text == u.name; });
  if (unit == bit_units.end()) return std::nullopt;
  const auto bits = scaled(digits, unit->size);
  return bits && *bits > 0 && *bits % 8 == 0 ? std::optional(*bits / 8) : std::nullopt;
}

std::string print_bandwidth(std::uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return "unlimited";
  const auto bits = bytes_per_second * 8;
  const auto unit = std::find_if(bit_units.begin(), bit_units.end(), [&](const Unit& u) { return bits % u.size == 0; });
  return std::to_string(bits / unit->size) + std::string(unit->name);
}

std::optional<Latency> parse_latency(std::string_view text) {
  if (take(text, "long-tail:")) return range(text, Latency::Shape::long_tail);
  if (take(text, "uniform:") || (text.find('-') != std::string_view::npos && text.find(':') == std::string_view::npos)) {
    return range(text, Latency::Shape::uniform);
  }
  take(text, "fixed:");
  const auto always = parse_duration(text);
  return always && *always <= latency_most ? std::optional(Latency{Latency::Shape::fixed, *always, Duration::zero()}) : std::nullopt;
}

std::string print_latency(const Latency& latency) {
  switch (latency.shape) {
    case Latency::Shape::fixed: return "fixed:" + print_duration(latency.least);
    case Latency::Shape::uniform: return print_duration(latency.least) + "-" + print_duration(latency.most);
    case Latency::Shape::long_tail: return "long-tail:" + print_duration(latency.least) + "-" + print_duration(latency.most);
  }
  return {};
}

std::optional<NatKind> parse_nat(std::string_view text) {
  NatKind nat;
  const auto space = text.find(' ');
  if (space != std::string_view::npos) {
    if (trimmed(text.substr(space)) != "hairpin") return std::nullopt;
    nat.hairpin = true;
    text = text.substr(0, space);
  }
  nat.symmetric = text == "symmetric";
  if (nat.symmetric) return nat;
  const auto filter = filter_from(text);
  if (!filter) return std::nullopt;
  nat.filter = *filter;
  return nat;
}

std::optional<std::string> print_nat(const NatKind& nat) {
  const std::string text = (nat.symmetric ? "symmetric" : std::string(word(nat.filter))) + (nat.hairpin ? " hairpin" : "");
  return parse_nat(text) == nat ? std::optional(text) : std::nullopt;
}

std::optional<std::vector<NatShare>> parse_nat_mix(std::string_view text) {
  std::vector<NatShare> mix;
  if (trimmed(text) == "none") return mix;
  std::uint64_t sum = 0;
  for (const auto part : parts(text, ',')) {
    const auto one = nat_share(part);
    if (!one) return std::nullopt;
    mix.push_back(*one);
    sum += one->share;
  }
  return sum <= always_ppm ? std::optional(mix) : std::nullopt;
}

std::optional<std::vector<Happening>> parse_partitions(std::string_view text) {
  std::vector<Happening> all;
  for (const auto part : parts(text, ',')) {
    const auto one = partition(part);
    if (!one) return std::nullopt;
    all.push_back(*one);
  }
  return all;
}

}  // namespace wigwag::sim
