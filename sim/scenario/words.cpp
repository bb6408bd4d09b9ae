#include "sim/scenario/words.hpp"

#include <algorithm>

#include "sim/scenario/units.hpp"

namespace wigwag::sim {
namespace {

// In the order of the enumerations, so that a word is found by number; the switches below see to it
// that none is forgotten.
template <class Enum>
std::vector<std::string> words_of(Enum last) {
  std::vector<std::string> all;
  for (int i = 0; i <= static_cast<int>(last); ++i) all.emplace_back(word(static_cast<Enum>(i)));
  return all;
}

template <class Enum>
std::optional<Enum> from(std::string_view text, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (word(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

constexpr auto last_kind = Happening::Kind::swap;
constexpr auto last_behaviour = Behaviour::mingle;
constexpr auto last_fate = DiskFate::old;
constexpr auto last_pattern = Joining::Pattern::converged;
constexpr auto last_filter = NatKind::Filter::address_and_port;

// How many letters must be put in, left out, changed or swapped with the next.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string_view word(Happening::Kind kind) {
  switch (kind) {
    case Happening::Kind::crash: return "crash";
    case Happening::Kind::reboot: return "reboot";
    case Happening::Kind::restart: return "restart";
    case Happening::Kind::leave: return "leave";
    case Happening::Kind::join: return "join";
    case Happening::Kind::pause: return "pause";
    case Happening::Kind::busy: return "busy";
    case Happening::Kind::cut: return "cut";
    case Happening::Kind::one_way: return "one-way";
    case Happening::Kind::partition: return "partition";
    case Happening::Kind::weather: return "weather";
    case Happening::Kind::clock: return "clock";
    case Happening::Kind::move: return "move";
    case Happening::Kind::rebind: return "rebind";
    case Happening::Kind::disk_fails: return "disk-fails";
    case Happening::Kind::flap: return "flap";
    case Happening::Kind::upgrade: return "upgrade";
    case Happening::Kind::turn_hostile: return "turn-hostile";
    case Happening::Kind::swap: return "swap";
  }
  return {};
}

std::string_view word(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::accuse_everyone: return "accuse-everyone";
    case Behaviour::accuse_one: return "accuse-one";
    case Behaviour::forge: return "forge";
    case Behaviour::replay: return "replay";
    case Behaviour::equivocate: return "equivocate";
    case Behaviour::flood: return "flood";
    case Behaviour::ack_and_drop: return "ack-and-drop";
    case Behaviour::accuse_beyond: return "accuse-beyond";
    case Behaviour::mingle: return "mingle";
  }
  return {};
}

std::string_view word(DiskFate fate) {
  switch (fate) {
    case DiskFate::kept: return "kept";
    case DiskFate::lost: return "lost";
    case DiskFate::old: return "old";
  }
  return {};
}

std::string_view word(Joining::Pattern pattern) {
  switch (pattern) {
    case Joining::Pattern::storm: return "storm";
    case Joining::Pattern::converged: return "converged";
  }
  return {};
}

std::string_view word(NatKind::Filter filter) {
  switch (filter) {
    case NatKind::Filter::endpoint_independent: return "full-cone";
    case NatKind::Filter::address: return "address-restricted";
    case NatKind::Filter::address_and_port: return "port-restricted";
  }
  return {};
}

std::optional<Happening::Kind> kind_from(std::string_view text) { return from(text, last_kind); }
std::optional<Behaviour> behaviour_from(std::string_view text) { return from(text, last_behaviour); }
std::optional<DiskFate> fate_from(std::string_view text) { return from(text, last_fate); }
std::optional<Joining::Pattern> pattern_from(std::string_view text) { return from(text, last_pattern); }
std::optional<NatKind::Filter> filter_from(std::string_view text) { return from(text, last_filter); }

std::string kinds_allowed() { return quoted_list(words_of(last_kind)); }
std::string behaviours_allowed() { return quoted_list(words_of(last_behaviour)); }
std::string fates_allowed() { return quoted_list(words_of(last_fate)); }
std::string patterns_allowed() { return quoted_list(words_of(last_pattern)); }
std::string filters_allowed() { return quoted_list(words_of(last_filter)); }

std::string quoted_list(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "\"" : i + 1 == words.size() ? " or \"" : ", \"") + words[i] + "\"";
  }
  return text;
}

std::optional<std::string> nearest(std::string_view written, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t least = std::max<std::size_t>(1, written.size() / 3) + 1;
  for (const auto& word : known) {
    const auto off = distance(written, word);
    if (off < least) least = off, best = word;
  }
  return best;
}

std::string describe(const Selection& who) {
  std::string text;
  if (!who.nodes.empty()) {
    constexpr std::size_t shown = 8;
    text = who.nodes.size() == 1 ? "node" : "nodes";
    for (std::size_t i = 0; i < std::min(shown, who.nodes.size()); ++i) text += " " + std::to_string(who.nodes[i]);
    return who.nodes.size() > shown ? text + " and " + std::to_string(who.nodes.size() - shown) + " more" : text;
  }
  text = who.count ? std::to_string(*who.count) + (*who.count == 1 ? " node" : " nodes") : who.share ? print_share(*who.share) : "all";
  if (!who.group.empty()) text += " of group " + who.group;
  if (!who.region.empty()) text += who.group.empty() ? " of region " + who.region : " in " + who.region;
  return text;
}

std::string describe(const Happening& happening) {
  std::string text(word(happening.kind));
  if (happening.behaviour) text += " (" + std::string(word(*happening.behaviour)) + ")";
  text += ": " + describe(happening.who);
  if (happening.kind == Happening::Kind::one_way) text += " deaf to " + describe(happening.other);
  if (happening.amount != Duration::zero()) text += ", " + print_duration(happening.amount);
  if (happening.disk != DiskFate::kept) text += ", disk " + std::string(word(happening.disk));
  if (happening.spread != Duration::zero()) text += ", over " + print_duration(happening.spread);
  return happening.lasting ? text + " for " + print_duration(*happening.lasting) : text;
}

}  // namespace wigwag::sim
