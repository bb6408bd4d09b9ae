#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.hpp"

// How quantities are written in scenario files and on the command line. What is printed reads back to
// the same value; what cannot be read is nullopt, and *_allowed says what can.
namespace wigwag::sim {

// "500ms", "90s", "10m", "1h30m", "2d", "1.5s"; us, ms, s, m, h, d. Never negative.
std::optional<Duration> parse_duration(std::string_view text);
// The same, and "-1h".
std::optional<Duration> parse_shift(std::string_view text);
std::string print_duration(Duration duration);
inline constexpr std::string_view duration_allowed = R"(a time with its unit, as "500ms", "90s", "10m", "1h30m" or "2d")";

// "5%", "0.1%", down to "0.0001%"; at most 100 %.
std::optional<Ppm> parse_share(std::string_view text);
std::string print_share(Ppm share);
inline constexpr std::string_view share_allowed = R"(a share from "0%" to "100%", as "5%" or "0.1%")";

// "10%/min"; at most 1000 % a minute.
std::optional<Ppm> parse_rate(std::string_view text);
std::string print_rate(Ppm rate_per_minute);
inline constexpr Ppm rate_most = 10 * always_ppm;
inline constexpr std::string_view rate_allowed = R"(a share of all nodes a minute from "0%/min" to "1000%/min", as "10%/min")";

// "10Mbit/s", "64kbit/s", "1Gbit/s", "800bit/s", or "unlimited": bytes a second, 0 without end.
std::optional<std::uint64_t> parse_bandwidth(std::string_view text);
std::string print_bandwidth(std::uint64_t bytes_per_second);
inline constexpr std::string_view bandwidth_allowed = R"(whole bytes a second, as "800bit/s", "64kbit/s", "10Mbit/s" or "1Gbit/s", or "unlimited")";

// "20ms" or "fixed:20ms"; "5ms-45ms" or "uniform:5ms-45ms"; "long-tail:20ms-400ms". At most a minute.
std::optional<Latency> parse_latency(std::string_view text);
std::string print_latency(const Latency& latency);
inline constexpr std::string_view latency_allowed = R"("20ms" (always), "5ms-45ms" (anything between), or "long-tail:20ms-400ms" (half take 20 ms, one in a thousand 400); at most a minute)";

// "full-cone", "address-restricted", "port-restricted", "symmetric"; each may be followed by "hairpin".
std::optional<NatKind> parse_nat(std::string_view text);
// nullopt for what only a table can say: another idle time, a symmetric NAT with an open filter.
std::optional<std::string> print_nat(const NatKind& nat);
inline constexpr std::string_view nat_allowed = R"("full-cone", "address-restricted", "port-restricted" or "symmetric", with "hairpin" behind it where it is so)";

// Some of the nodes behind routers: a line of --nat.
struct NatShare {
  Ppm share = 0;
  NatKind nat;
  std::size_t behind_one = 1;
  bool operator==(const NatShare&) const = default;
};
inline constexpr std::size_t behind_one_most = 1000;
// "none", or items with commas between: "30% port-restricted, 10% symmetric hairpin, 5% full-cone x2",
// where "x2" puts two behind each router. Together at most 100 %.
std::optional<std::vector<NatShare>> parse_nat_mix(std::string_view text);
inline constexpr std::string_view nat_mix_allowed = R"("none", or shares of at most 100 % together, as "30% port-restricted, 10% symmetric hairpin, 5% full-cone x2" (x2: two behind each router))";

// "50%@2m+5m": half of the nodes are cut off from the rest at 2 minutes for 5; "3@90s+1m": three of them;
// without "+5m", until the calm. Several with commas between.
std::optional<std::vector<Happening>> parse_partitions(std::string_view text);
inline constexpr std::string_view partition_allowed = R"(WHO@WHEN[+HOW LONG], as "50%@2m+5m" (half of the nodes, at 2 minutes, for 5) or "3@90s" (three nodes, until the calm); several with commas between)";

}  // namespace wigwag::sim
