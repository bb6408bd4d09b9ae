#include "sim/replay/wording.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/membership/message.hpp"
#include "gossip/membership/record.hpp"
#include "gossip/trust/overlay.hpp"

namespace wigwag::sim {
namespace {

constexpr std::size_t items_named = 4;

std::string plural(std::size_t count, const std::string& noun) { return std::to_string(count) + " " + noun + (count == 1 ? "" : "s"); }

std::string version_of(const Version& version) { return std::to_string(version.epoch) + "." + std::to_string(version.sequence); }

// The difference of two sorted lists, as "added x" and "removed y".
template <class T, class Words>
void list_changes(const std::vector<T>& before, const std::vector<T>& after, const Words& words, std::vector<Effect>& into) {
  for (const auto& one : after) {
    if (std::find(before.begin(), before.end(), one) == before.end()) into.push_back({EffectKind::planned, words(one) + " added"});
  }
  for (const auto& one : before) {
    if (std::find(after.begin(), after.end(), one) == after.end()) into.push_back({EffectKind::planned, words(one) + " removed"});
  }
}

}  // namespace

void Wording::learn(const NodeStatus& status) {
  by_key_.clear();
  for (const auto& member : status.members) {
    names_[member.id] = member.name;
    by_address_[member.ipv6] = member.id;
    by_key_[member.tunnel_key] = member.id;
  }
}

void Wording::learn(const Event& event) {
  if (event.name.empty()) return;
  names_[event.subject] = event.name;
  by_address_[overlay_ipv6(network_, event.subject)] = event.subject;
}

std::string Wording::name(const NodeId& id) const {
  const auto found = names_.find(id);
  return found != names_.end() ? found->second : to_hex(id).substr(0, 8);
}

std::string Wording::name(const Address& overlay) const {
  const auto found = by_address_.find(overlay);
  return found != by_address_.end() ? name(found->second) : to_string(overlay);
}

std::string Wording::name(const TunnelKey& key) const {
  const auto found = by_key_.find(key);
  return found != by_key_.end() ? name(found->second) : to_base64(key);
}

std::string Wording::words(const Item& item) const {
  switch (item.kind) {
    case ItemKind::record:
    case ItemKind::member: {
      const auto record = decode_record(item.statement);
      if (!record) return "an unreadable record";
      return std::string(item.kind == ItemKind::member ? "member " : "record of ") + name(record->body.node) + " version " +
             version_of(record->body.version) + (record->body.left ? ", left" : "");
    }
    case ItemKind::accusation: {
      const auto accusation = decode_accusation(item.statement);
      if (!accusation) return "an unreadable accusation";
      return "accusation of " + name(accusation->body.subject) + " version " + version_of(accusation->body.version) + " by " +
             name(accusation->body.accuser);
    }
    case ItemKind::revocation: return "revocation";
  }
  return "";
}

std::string Wording::message(ByteView payload) const {
  const auto message = decode_message(payload);
  if (!message) return "unreadable message";
  if (const auto* ping = std::get_if<Ping>(&*message)) return "ping " + std::to_string(ping->sequence);
  if (const auto* ack = std::get_if<Ack>(&*message)) return "ack " + std::to_string(ack->sequence);
  if (const auto* ask = std::get_if<PingRequest>(&*message)) return "request to ping " + name(ask->subject);
  if (const auto* ack = std::get_if<IndirectAck>(&*message)) return "ack on another's behalf " + std::to_string(ack->sequence);
  if (const auto* have = std::get_if<Have>(&*message)) return "have " + plural(have->ids.size(), "statement");
  if (const auto* want = std::get_if<Want>(&*message)) return "want " + plural(want->ids.size(), "statement");
  if (const auto* need = std::get_if<Need>(&*message)) return "need " + plural(need->keys.size(), "member");
  if (const auto* compare = std::get_if<Compare>(&*message)) return "compare " + plural(compare->ranges.size(), "range");
  const auto& push = std::get<Push>(*message);
  std::string text = "push: ";
  for (std::size_t i = 0; i < push.items.size() && i < items_named; ++i) text += (i == 0 ? "" : "; ") + words(push.items[i]);
  if (push.items.size() > items_named) text += "; and " + std::to_string(push.items.size() - items_named) + " more";
  return text;
}

std::string Wording::sender(const Input& input) const {
  if (const auto* datagram = std::get_if<TunnelDatagram>(&input)) return name(datagram->from);
  if (const auto* hello = std::get_if<HelloDatagram>(&input)) return to_string(hello->from);
  return "";
}

std::string Wording::input(const Input& input, bool proven) const {
  if (const auto* datagram = std::get_if<TunnelDatagram>(&input)) {
    return proven ? message(datagram->bytes) : "unproven datagram of " + plural(datagram->bytes.size(), "byte");
  }
  if (const auto* hello = std::get_if<HelloDatagram>(&input)) return "hello of " + plural(hello->bytes.size(), "byte");
  if (const auto* kernel = std::get_if<KernelSnapshot>(&input)) {
    return "kernel: " + plural(kernel->peers.size(), "peer") + (kernel->settled ? "" : ", not settled");
  }
  if (const auto* local = std::get_if<LocalAddresses>(&input)) {
    std::string text = "addresses of this host:";
    for (const auto& address : local->addresses) text += " " + to_string(address);
    for (const auto& network : local->networks) text += (&network == local->networks.data() ? "; in " : " ") + to_string(network);
    return text;
  }
  if (const auto* resolved = std::get_if<Resolved>(&input)) {
    std::string text = "names resolved: seeds";
    for (const auto& seed : resolved->seeds) text += " " + to_string(seed);
    for (const auto& endpoint : resolved->endpoints) text += (&endpoint == resolved->endpoints.data() ? "; own endpoints " : " ") + to_string(endpoint);
    return text;
  }
  if (std::holds_alternative<LeaveCommand>(input)) return "leave";
  if (std::holds_alternative<RevokeCommand>(input)) return "revoke";
  return "wakeup";
}

void Wording::changes(const std::optional<Tunnel>& before, const Tunnel& after, std::vector<Effect>& into) const {
  const Tunnel old = before.value_or(Tunnel{});
  const auto planned = [&](std::string text) { into.push_back({EffectKind::planned, std::move(text)}); };
  const auto at = [](const TunnelPeer& peer) { return peer.endpoint ? to_string(*peer.endpoint) : std::string("wherever it is heard from"); };
  std::map<TunnelKey, const TunnelPeer*> held;
  for (const auto& peer : old.peers) held[peer.key] = &peer;
  list_changes(old.addresses, after.addresses, [](const Prefix& prefix) { return "address " + to_string(prefix); }, into);
  for (const auto& peer : after.peers) {
    const auto found = held.find(peer.key);
    if (found == held.end()) {
      planned("peer " + name(peer.key) + " added at " + at(peer));
      continue;
    }
    const TunnelPeer& was = *found->second;
    if (was.endpoint != peer.endpoint) planned("peer " + name(peer.key) + " moved from " + at(was) + " to " + at(peer));
    if (was.allowed_ips != peer.allowed_ips) planned("peer " + name(peer.key) + " has " + std::to_string(peer.allowed_ips.size()) + " allowed prefixes, had " + std::to_string(was.allowed_ips.size()));
    if (was.keepalive != peer.keepalive) planned("peer " + name(peer.key) + " is kept alive every " + std::to_string(peer.keepalive.count()) + " s");
    held.erase(found);
  }
  for (const auto& [key, peer] : held) planned("peer " + name(key) + " removed");
  list_changes(old.routes, after.routes, [](const TunnelRoute& route) { return "route " + to_string(route.destination); }, into);
}

void Wording::effects(const Output& output, const Tunnel& wish, std::optional<Tunnel>& before, std::vector<Effect>& into) const {
  if (const auto* send = std::get_if<SendTunnel>(&output)) {
    const auto payload = send->bytes.size() - std::min(send->bytes.size(), message_limits::mac_bytes);
    into.push_back({EffectKind::sent, message(ByteView(send->bytes).first(payload)) + " to " + name(send->to)});
  } else if (const auto* hello = std::get_if<SendHello>(&output)) {
    into.push_back({EffectKind::sent, "hello to " + to_string(hello->to)});
  } else if (std::holds_alternative<Desire>(output)) {
    changes(before, wish, into);
    before = wish;
  } else if (const auto* persist = std::get_if<Persist>(&output)) {
    into.push_back({EffectKind::persisted, persist->at_once ? "the state, at once" : "the state, soon"});
  } else if (const auto* raise = std::get_if<Raise>(&output)) {
    const Event& event = raise->event;
    std::string text = to_string(event.kind);
    if (!event.subject.is_zero()) text += " " + (event.name.empty() ? name(event.subject) : event.name);
    into.push_back({EffectKind::raised, text + (event.detail.empty() ? "" : ": " + event.detail)});
  } else {
    into.push_back({EffectKind::left, "the goodbye is told"});
  }
}

}  // namespace wigwag::sim
