#include "daemon/event_log.hpp"

#include "daemon/words.hpp"
#include "gossip/base/limits.hpp"

namespace wigwag {
namespace {

struct Manner {
  LogLevel level;
  bool limited;
};

// How loudly each kind is told. `limited`: strangers or single peers can cause it.
Manner manner_of(EventKind kind) {
  switch (kind) {
    case EventKind::network_joined:
    case EventKind::network_founded:
    case EventKind::member_joined:
    case EventKind::member_down:
    case EventKind::member_alive:
    case EventKind::member_left:
    case EventKind::member_forgotten:
    case EventKind::address_moved:
    case EventKind::clock_trusted: return {LogLevel::info, false};
    case EventKind::isolated:
    case EventKind::clock_doubtful:
    case EventKind::paused: return {LogLevel::warning, false};
    case EventKind::member_suspect:
    case EventKind::caller_admitted:
    case EventKind::endpoint_observed: return {LogLevel::info, true};
    case EventKind::subnet_refused:
    case EventKind::join_failed:
    case EventKind::address_conflict:
    case EventKind::invitation_conflict:
    case EventKind::equivocation:
    case EventKind::members_full: return {LogLevel::warning, true};
    case EventKind::member_changed:
    case EventKind::caller_refused:
    case EventKind::accused:
    case EventKind::version_adopted:
    case EventKind::record_refused: return {LogLevel::debug, true};
  }
  return {LogLevel::info, true};
}

std::optional<Health> health_after(EventKind kind) {
  if (kind == EventKind::member_joined || kind == EventKind::member_alive) return Health::alive;
  if (kind == EventKind::member_suspect) return Health::suspect;
  if (kind == EventKind::member_down) return Health::dead;
  if (kind == EventKind::member_left) return Health::left;
  return std::nullopt;
}

std::string line_of(const LoggedEvent& event) {
  std::string line = event.kind;
  if (!event.member.empty()) line += " member=" + event.member;
  if (!event.was.empty()) line += " was=" + event.was;
  if (!event.now.empty()) line += " now=" + event.now;
  if (!event.id.empty()) line += " id=" + event.id.substr(0, 12);
  if (!event.detail.empty()) line += " detail=\"" + event.detail + "\"";
  return line;
}

}  // namespace

Json event_json(const LoggedEvent& event) {
  Json document = {{"number", event.number}, {"time", utc_words(event.unix_s)}, {"unix_s", event.unix_s}, {"kind", event.kind}};
  if (!event.member.empty()) document["member"] = event.member;
  if (!event.id.empty()) document["id"] = event.id;
  if (!event.was.empty()) document["was"] = event.was;
  if (!event.now.empty()) document["now"] = event.now;
  if (!event.detail.empty()) document["detail"] = event.detail;
  return document;
}

const LoggedEvent& EventLog::add(const Event& event, Now now) {
  LoggedEvent made;
  made.kind = to_string(event.kind);
  made.detail = printable(event.detail, 200);
  if (!event.subject.is_zero()) {
    made.id = to_hex(event.subject);
    made.member = event.name.empty() ? made.id.substr(0, 12) : printable(event.name, 63);
  }
  if (const auto health = health_after(event.kind); health && !event.subject.is_zero()) {
    const auto before = health_.find(event.subject);
    if (before != health_.end()) made.was = to_string(before->second);
    made.now = to_string(*health);
    if (health_.size() >= limits::members) health_.clear();
    health_[event.subject] = *health;
  }
  if (event.kind == EventKind::member_forgotten) health_.erase(event.subject);
  const LoggedEvent& kept = keep(std::move(made), now);
  const Manner manner = manner_of(event.kind);
  write(kept, manner.level, manner.limited, now);
  return kept;
}

const LoggedEvent& EventLog::add(const std::string& kind, const std::string& detail, LogLevel level, Now now) {
  LoggedEvent made;
  made.kind = kind;
  made.detail = printable(detail, 400);
  const LoggedEvent& kept = keep(std::move(made), now);
  write(kept, level, false, now);
  return kept;
}

const LoggedEvent& EventLog::add(const PathChange& change, Now now) {
  LoggedEvent made;
  made.kind = "path_changed";
  made.id = to_hex(change.member);
  made.member = change.name.empty() ? made.id.substr(0, 12) : printable(change.name, 63);
  made.was = to_string(change.was);
  made.now = to_string(change.now);
  made.detail = printable(change.detail, 200);
  const LoggedEvent& kept = keep(std::move(made), now);
  write(kept, LogLevel::info, true, now);
  return kept;
}

LoggedEvent& EventLog::keep(LoggedEvent event, Now now) {
  event.number = next_number_++;
  event.unix_s = now.wall.seconds;
  kept_.push_back(std::move(event));
  if (kept_.size() > kept_max) kept_.pop_front();
  return kept_.back();
}

void EventLog::write(const LoggedEvent& event, LogLevel level, bool limited, Now now) {
  if (!limited) return write_(level, line_of(event));
  Quiet& quiet = quiet_[event.kind];
  if (quiet.said && now.at - quiet.last_line < seconds(1)) {
    ++quiet.left_out;
    return;
  }
  std::string line = line_of(event);
  if (quiet.left_out > 0) line += " left_out=" + std::to_string(quiet.left_out);
  quiet = {now.at, true, 0};
  write_(level, line);
}

void EventLog::flush(Now now) {
  for (auto& [kind, quiet] : quiet_) {
    if (quiet.left_out == 0 || now.at - quiet.last_line < seconds(1)) continue;
    write_(LogLevel::info, kind + " left_out=" + std::to_string(quiet.left_out));
    quiet = {now.at, true, 0};
  }
}

}  // namespace wigwag
