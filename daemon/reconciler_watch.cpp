#include "daemon/reconciler_watch.hpp"

#include <algorithm>

namespace wigwag {
namespace {

// Another program that undoes our work over and over gets one line a minute.
constexpr std::chrono::minutes quiet{1};

// Endpoints are the kernel's: that one is to be written says nothing about others.
bool only_an_endpoint(const TunnelChange& change) {
  const auto* set = std::get_if<SetPeer>(&change);
  return set && !set->create && !set->replace && set->add.empty() && set->remove.empty() && !set->keepalive;
}

}  // namespace

void TunnelWatch::look(const ActualTunnel& actual, const TunnelDiff& diff, bool same_wish, Clock::time_point now) {
  if (!seen_.empty()) return;  // still repairing what was seen first
  if (index_ == 0) {
    if (actual.exists)
      seen_.push_back({TunnelEventKind::adopted, "interface " + interface_ + " was there already: taken over"});
    else
      seen_.push_back({TunnelEventKind::created, "interface " + interface_ + " created"});
    return;
  }
  if (!actual.exists) {
    seen_.push_back(
        {TunnelEventKind::deleted_by_other, "interface " + interface_ + " was deleted by someone else: created again"});
    return;
  }
  if (actual.index != index_) {
    seen_.push_back({TunnelEventKind::deleted_by_other,
                     "interface " + interface_ + " was deleted and made anew by someone else: taken over"});
    return;
  }
  if (!actual.up) {
    seen_.push_back(
        {TunnelEventKind::set_down_by_other, "interface " + interface_ + " was set down by someone else: set up again"});
    return;
  }
  const auto first = std::find_if_not(diff.changes.begin(), diff.changes.end(), only_an_endpoint);
  if (!same_wish || first == diff.changes.end() || (changed_told_ && now - *changed_told_ < quiet)) return;
  changed_told_ = now;
  const auto more = diff.changes.size() - 1;
  seen_.push_back({TunnelEventKind::changed_by_other, "interface " + interface_ + " was changed by someone else: had to " +
                                                          to_string(*first) +
                                                          (more > 0 ? " and " + std::to_string(more) + " more" : "")});
}

std::vector<TunnelEvent> TunnelWatch::good(const ActualTunnel& actual) {
  std::vector<TunnelEvent> events = std::exchange(seen_, {});
  if (!failure_.empty()) events.push_back({TunnelEventKind::recovered, "interface " + interface_ + " is as wanted again"});
  failure_.clear();
  index_ = actual.index;
  return events;
}

std::vector<TunnelEvent> TunnelWatch::conflicts(const std::vector<TunnelConflict>& found) {
  std::vector<TunnelEvent> events;
  for (const TunnelConflict& one : found)
    if (!conflicts_.contains(one))
      events.push_back({TunnelEventKind::conflict, "interface " + interface_ + ": " + to_string(one)});
  conflicts_ = {found.begin(), found.end()};
  return events;
}

std::vector<TunnelEvent> TunnelWatch::failed(const std::string& why) {
  if (failure_ == why) return {};
  failure_ = why;
  return {{TunnelEventKind::failed, why}};
}

}  // namespace wigwag
