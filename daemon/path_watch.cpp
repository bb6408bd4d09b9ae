#include "daemon/path_watch.hpp"

#include <utility>

namespace wigwag {
namespace {

std::string detail_of(const MemberStatus& member) {
  std::string via;
  for (const auto& name : member.via) via += (via.empty() ? "via " : ", ") + name;
  if (!via.empty() || member.path == PathKind::none || !member.endpoint) return via;
  return "at " + to_string(*member.endpoint);
}

}  // namespace

std::vector<PathChange> PathWatch::look(const NodeStatus& status, Instant now) {
  std::vector<PathChange> changes;
  std::map<NodeId, Told> before = std::exchange(told_, {});
  for (const MemberStatus& member : status.members) {
    if (member.path == PathKind::self) continue;
    const auto found = before.find(member.id);
    Told& told = told_[member.id] = found != before.end() ? found->second : Told{};
    if (!looked_) told.path = member.path;
    if (told.path == member.path || changes.size() >= told_at_once || (told.at && now - *told.at < pause)) continue;
    changes.push_back({member.id, member.name, told.path, member.path, detail_of(member)});
    told = {member.path, now};
  }
  looked_ = true;
  return changes;
}

}  // namespace wigwag
