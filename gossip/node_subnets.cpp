#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/node_impl.hpp"

// Networks behind members: which of ours are announced, and which of others' are not routed here.
namespace wigwag {
namespace {

// What a record without endpoints and networks packs to at most, and what one of those adds.
constexpr std::size_t packed_endpoint_max = 22;
constexpr std::size_t bare_record_max = limits::plain_record_bytes - limits::endpoints_per_record * packed_endpoint_max;

std::size_t packed_bytes(const Prefix& prefix) { return 1 + 2 + prefix.address.size() + (prefix.length < 128 ? 1 : 2); }

// What a record may have beside an admission, to be told to others in one datagram.
std::size_t record_room(const Chain& chain) {
  const auto admission = chain.certificate.wire.size() + (chain.grant ? chain.grant->wire.size() + limits::redemption_bytes : 0);
  return std::min(limits::record_bytes, limits::member_bytes - std::min(limits::member_bytes, admission));
}

bool confers(const Rights& rights, const Prefix& subnet) {
  return std::any_of(rights.subnets.begin(), rights.subnets.end(), [&](const Prefix& held) { return held.contains(subnet); });
}

}  // namespace

Node::Impl::OwnSubnets Node::Impl::own_subnets() const {
  OwnSubnets own;
  if (!chain_) return own;
  auto wanted = config_.subnets;
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  const auto mesh = mesh_prefixes();
  const std::size_t room = record_room(*chain_);
  // Before the last endpoint a network goes: without one nobody would find the way to it.
  std::size_t taken = bare_record_max + packed_endpoint_max;
  for (const auto& subnet : wanted) {
    std::string why;
    if (const auto fault = subnet_fault(subnet, mesh)) {
      why = to_string(*fault);
    } else if (!confers(chain_->certificate.body.may, subnet)) {
      why = "this node's certificate does not confer it. Leave, and join again with a token made by wigwag invite --subnet " + to_string(subnet);
    } else if (own.announced.size() == limits::subnets_per_node || taken + packed_bytes(subnet) > room) {
      why = "there is no room for it in this node's record. Announce fewer or larger networks";
    }
    if (why.empty()) taken += packed_bytes(subnet), own.announced.push_back(subnet);
    else own.withheld.emplace_back(subnet, std::move(why));
  }
  return own;
}

// Networks come before further endpoints: one that works is enough.
void Node::Impl::leave_room_for_subnets(Record& record) const {
  if (record.subnets.empty()) return;
  const std::size_t room = record_room(*chain_);
  std::size_t taken = bare_record_max + record.endpoints.size() * packed_endpoint_max;
  for (const auto& subnet : record.subnets) taken += packed_bytes(subnet);
  for (; taken > room && record.endpoints.size() > 1; taken -= packed_endpoint_max) record.endpoints.pop_back();
}

// Said once, and again when it has become another: what of the configuration we do not announce.
void Node::Impl::note_own_subnets() {
  std::string said;
  for (const auto& [subnet, why] : own_subnets().withheld) said += (said.empty() ? "" : "; ") + to_string(subnet) + " is not announced: " + why;
  if (said != std::exchange(told_of_own_, said) && !said.empty()) raise(EventKind::subnet_refused, id_, said);
}

// Said once a member, and again when it has become another: what of its networks is not routed here.
void Node::Impl::note_subnets_of(const NodeId& id, const SubnetGround& ground) {
  const Member* member = roster_.find(id);
  std::string said;
  if (member != nullptr && id != id_ && is_planned(roster_, *member)) {
    for (const auto& subnet : member->record->body.subnets) {
      const auto obstacle = obstacle_to(subnet, ground);
      if (!obstacle || obstacle->fault == SubnetFault::announced_here) continue;
      said += (said.empty() ? "" : "; ") + to_string(subnet) + " is not routed: " + to_string(*obstacle);
    }
  }
  if (said.empty()) {
    told_of_subnets_.erase(id);
    return;
  }
  std::string& told = told_of_subnets_[id];
  if (told == said) return;
  told = said;
  raise(EventKind::subnet_refused, id, std::move(said));
}

void Node::Impl::note_subnets(const Touched& touched) {
  if (!local_known_ || (roster_.subnets().empty() && told_of_subnets_.empty())) return;
  const SubnetGround ground = ground_of(roster_, id_, networks_);
  if (touched.all || touched.ids.contains(id_) || std::exchange(networks_changed_, false)) {
    networks_changed_ = false;
    for (const auto& [id, member] : roster_.members()) note_subnets_of(id, ground);
    std::erase_if(told_of_subnets_, [this](const auto& told) { return roster_.find(told.first) == nullptr; });
    return;
  }
  for (const auto& id : touched.ids) note_subnets_of(id, ground);
}

// Whether a network would go to one who stands accused, and could go to another.
bool Node::Impl::carriers_in_doubt() const {
  return std::any_of(roster_.subnets().begin(), roster_.subnets().end(), [this](const auto& entry) {
    const auto carrier = carrier_of(roster_, entry.first);
    const Member* member = carrier ? roster_.find(*carrier) : nullptr;
    return member != nullptr && member->health == Health::suspect && entry.second.size() > 1;
  });
}

// No endpoint in here is tried: a way to it would lead through the tunnel that it is to carry.
std::vector<Prefix> Node::Impl::inside_prefixes() const {
  auto inside = mesh_prefixes();
  if (roster_.subnets().empty()) return inside;
  const SubnetGround ground = ground_of(roster_, id_, networks_);
  for (const auto& [subnet, announcers] : roster_.subnets()) {
    const auto carrier = carrier_of(roster_, subnet);
    const Member* member = carrier ? roster_.find(*carrier) : nullptr;
    if (member != nullptr && member != self() && !obstacle_through(*member, subnet, ground)) inside.push_back(subnet);
  }
  return inside;
}

std::vector<SubnetStatus> Node::Impl::subnet_status() const {
  std::vector<SubnetStatus> shown;
  const SubnetGround ground = ground_of(roster_, id_, networks_);
  for (const auto& [subnet, announcers] : roster_.subnets()) {
    const auto carrier = carrier_of(roster_, subnet);
    if (!carrier) continue;
    SubnetStatus one{subnet, *carrier, {}, {}, false, {}};
    for (const Member* member : announcers) {
      if (member->id() == *carrier) one.carrier_name = member->name();
      else if (is_planned(roster_, *member)) one.others.push_back(member->name());
    }
    const auto obstacle = obstacle_through(*roster_.find(*carrier), subnet, ground);
    one.routed = !obstacle && *carrier != id_;
    if (obstacle && *carrier != id_) one.why_not = to_string(*obstacle);
    shown.push_back(std::move(one));
  }
  for (const auto& [subnet, why] : own_subnets().withheld) shown.push_back({subnet, {}, {}, {}, false, why});
  return shown;
}

}  // namespace wigwag
