#include "gossip/membership/anti_entropy.hpp"

#include <algorithm>
#include <tuple>

namespace wigwag {
namespace {

// A range with at most this many entries is listed instead of split.
constexpr std::size_t list_at = 16;
constexpr std::size_t splits = 8;

std::uint64_t sum(const std::vector<RangeEntry>& entries) {
  std::uint64_t total = 0;
  for (const auto& entry : entries) total += entry.fingerprint;
  return total;
}

std::size_t bytes_of(const std::vector<Range>& ranges) {
  std::size_t bytes = 0;
  for (const auto& range : ranges) bytes += message_limits::range_bytes + range.entries.size() * message_limits::entry_bytes;
  return bytes;
}

// Adds what we hold between `first` and `last`: as a list when short, else as a fingerprint;
// not at all when the datagram is full. A list leaves room for the fingerprints of the ranges
// `to_follow`: if a part were left out, a difference in it alone would never be found.
void add_range(std::uint64_t first, std::uint64_t last, std::vector<RangeEntry> entries, std::size_t to_follow, std::vector<Range>& ranges) {
  const auto room = message_limits::compare_bytes - bytes_of(ranges);
  if (ranges.size() >= message_limits::ranges || room < message_limits::range_bytes) return;
  const auto listed_bytes = (1 + to_follow) * message_limits::range_bytes + entries.size() * message_limits::entry_bytes;
  Range range{.first = first, .last = last};
  range.listed = entries.size() <= list_at && listed_bytes <= room;
  if (range.listed) {
    range.entries = std::move(entries);
  } else {
    range.fingerprint = sum(entries);
    range.count = static_cast<std::uint32_t>(entries.size());
  }
  ranges.push_back(std::move(range));
}

auto version(const RangeEntry& entry) { return std::tie(entry.epoch, entry.sequence); }

}  // namespace

Compare AntiEntropy::opening(const Roster& roster) {
  const auto whole = roster.whole();
  Compare compare;
  compare.ranges.push_back({.first = 0, .last = UINT64_MAX, .fingerprint = whole.fingerprint, .count = whole.count});
  return compare;
}

void AntiEntropy::compare_fingerprint(const Range& theirs, const Roster& roster, Difference& found) const {
  if (theirs.first == 0 && theirs.last == UINT64_MAX) {
    const auto whole = roster.whole();
    if (whole.fingerprint == theirs.fingerprint && whole.count == theirs.count) return;
  }
  auto ours = roster.entries(theirs.first, theirs.last);
  if (sum(ours) == theirs.fingerprint && ours.size() == theirs.count) return;
  found.equal = false;
  if (ours.size() <= list_at) return add_range(theirs.first, theirs.last, std::move(ours), 0, found.ranges);
  // Split so that each part holds as many of our entries as any other.
  std::uint64_t first = theirs.first;
  for (std::size_t part = 0; part < splits; ++part) {
    const auto begin = ours.begin() + static_cast<std::ptrdiff_t>(ours.size() * part / splits);
    const auto end = ours.begin() + static_cast<std::ptrdiff_t>(ours.size() * (part + 1) / splits);
    const auto last = part + 1 == splits ? theirs.last : end->key - 1;
    add_range(first, last, {begin, end}, splits - part - 1, found.ranges);
    first = last + 1;
  }
}

void AntiEntropy::compare_list(const Range& theirs, const Roster& roster, Difference& found) const {
  const auto ours = roster.entries(theirs.first, theirs.last);
  auto their = theirs.entries;
  std::sort(their.begin(), their.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  auto own = ours.begin();
  const auto send = [&](const RangeEntry& entry, std::vector<NodeId>& among) {
    const Member* member = roster.by_key(entry.key);
    if (member != nullptr) among.push_back(member->id());
    else found.extras.push_back(entry.key);
  };
  for (const auto& entry : their) {
    if (entry.key < theirs.first || entry.key > theirs.last) continue;
    for (; own != ours.end() && own->key < entry.key; ++own) send(*own, found.send);
    if (own == ours.end() || own->key != entry.key) {
      found.need.push_back(entry.key);
      continue;
    }
    if (version(*own) < version(entry)) found.need.push_back(entry.key);
    if (version(entry) < version(*own)) send(*own, found.newer);
    if (version(entry) == version(*own) && entry.fingerprint != own->fingerprint) {
      found.extras.push_back(entry.key);
      found.need.push_back(entry.key);
    }
    ++own;
  }
  for (; own != ours.end(); ++own) send(*own, found.send);
  if (!found.send.empty() || !found.newer.empty() || !found.extras.empty() || !found.need.empty()) found.equal = false;
}

AntiEntropy::Difference AntiEntropy::compare(const Compare& theirs, const Roster& roster) {
  Difference found;
  found.equal = true;
  // In any order: where the answer has no room for all, none shall be left out for ever.
  auto ranges = theirs.ranges;
  rng_.shuffle(ranges);
  for (const auto& range : ranges) {
    if (range.listed) {
      compare_list(range, roster, found);
    } else {
      compare_fingerprint(range, roster, found);
    }
  }
  // A different choice every round, so that two sides with a large difference make progress
  // together with others instead of all sending the same.
  for (auto* some : {&found.send, &found.newer}) {
    rng_.shuffle(*some);
    if (some->size() > items_max) some->resize(items_max);
  }
  // Sponsors come before those whom they let in, so that each can be verified as it arrives.
  std::stable_sort(found.send.begin(), found.send.end(), [&](const NodeId& a, const NodeId& b) {
    return roster.admitted(*roster.find(a)) < roster.admitted(*roster.find(b));
  });
  rng_.shuffle(found.extras);
  if (found.extras.size() > items_max) found.extras.resize(items_max);
  rng_.shuffle(found.need);
  if (found.need.size() > items_max) found.need.resize(items_max);
  return found;
}

}  // namespace wigwag
