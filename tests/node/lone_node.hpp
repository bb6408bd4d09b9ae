#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gossip/base/limits.hpp"
#include "gossip/node.hpp"
#include "tests/membership/lan_mesh.hpp"

// One node, seen from outside: the test is everybody else, with everybody's keys.
namespace wigwag {

struct LoneNode {
  static constexpr std::uint64_t self = 1;
  static constexpr std::uint64_t numbers_max = 40;  // who may become a member: SmallMesh's first ones, and its joiner
  static constexpr std::size_t wakeups_max = 100'000;

  // The node is member 1 of `members`, whom it knows from its disk.
  explicit LoneNode(std::uint64_t members = 4, std::uint64_t seed = 1) : random_seed(seed), disk(encode_stored(state_of(members))) { start(); }

  StoredState state_of(std::uint64_t members) const {
    StoredState state = empty_state();
    state.bundle = mesh.bundle().wire;
    const auto part = [](const std::optional<Bytes>& bytes) { return bytes.value_or(Bytes{}); };
    for (std::uint64_t number = 0; number < members; ++number) {
      const Item item = mesh.member(number);
      if (number == self) {
        state.certificate = item.certificate, state.grant = item.grant, state.redemption = item.redemption;
      } else {
        state.members.push_back({part(item.statement), item.certificate, item.grant, item.redemption, {}});
      }
    }
    return state;
  }
  StoredState empty_state() const {
    return {.network = mesh.network, .bundle = {}, .certificate = {}, .grant = {}, .redemption = {}, .members = {}, .revocations = {}};
  }

  // A new life of the daemon from what is on disk.
  void start() {
    auto read = decode_stored(disk);
    check(read.has_value(), "the disk holds a state");
    NodeConfig config;
    config.name = "node-1";
    config.network = mesh.network;
    config.random_seed = random_seed;
    config.subnets = subnets;
    node.emplace(config,
                 NodeSecrets{mesh.identity(self), mesh.record_body(self).tunnel_key, fixed_secret<Secret<struct EntropySeedRole>>(9)},
                 std::move(*read), std::nullopt, mesh.verifier);
    kernel_shown = false;
  }

  // One step; what it does is held to the contract, whatever the input was.
  Outputs step(const Input& input) {
    auto outputs = node->step(now, input);
    for (const auto& output : outputs) {
      if (std::holds_alternative<Persist>(output)) disk = node->stored();
      if (const auto* raise = std::get_if<Raise>(&output)) raised.push_back(raise->event);
      if (const auto* hello = std::get_if<SendHello>(&output)) {
        check(hello->bytes.size() <= limits::hello_bytes, "a hello is of bounded size");
        called.insert(hello->to.address);
      }
      if (std::holds_alternative<Desire>(output)) wish = node->desired();
      if (const auto* sent = std::get_if<SendTunnel>(&output)) note(*sent);
    }
    return outputs;
  }
  Outputs wake() { return step(Wakeup{}); }
  // Wakes it whenever it wants to be woken; returns how often that was.
  std::size_t run_for(Duration span) {
    const Instant end = now.at + span;
    std::size_t wakeups = 0;
    while (node->next_wakeup() < end) {
      check(wakeups < wakeups_max, "a node sleeps most of the time");
      advance_to(std::max(node->next_wakeup(), now.at + microseconds(1)));
      wake();
      ++wakeups;
    }
    advance_to(end);
    wake();
    return wakeups;
  }
  // The same, with one of the others there: it answers, and says what time it is.
  void run_beside(std::uint64_t number, Duration span) {
    const Instant end = now.at + span;
    for (Instant told = now.at; now.at < end; advance_to(std::min(end, std::max(node->next_wakeup(), now.at + microseconds(1))))) {
      wake();
      for (const auto& ping : only<Ping>(heard_by(number))) step(from(number, Ack{ping.sequence, 0}));
      if (now.at < told) continue;
      told += seconds(10);
      step(from(number, Compare{now.wall, std::nullopt, false, {{0, UINT64_MAX, false, 0, 0, {}}}}));
    }
  }
  void advance_to(Instant at) {
    const auto before = std::chrono::duration_cast<seconds>(now.at.time_since_epoch());
    now.at = std::max(now.at, at);
    now.wall.seconds += (std::chrono::duration_cast<seconds>(now.at.time_since_epoch()) - before).count();
  }
  // Shows it a kernel without peers, and does what is due until at this moment nothing is.
  void settle() {
    if (!std::exchange(kernel_shown, true)) step(KernelSnapshot{});
    for (int times = 0; times < 5; ++times) wake();
  }

  Address address_of(std::uint64_t number) const { return overlay_ipv6(mesh.network, mesh.id(number)); }
  Input from(std::uint64_t number, const Message& message) const {
    const auto key = gossip_mac_key(mesh.network, mesh.identity(number), mesh.id(number), mesh.id(self));
    return TunnelDatagram{address_of(number), Plane::direct, protect(encode_message(message), *key)};
  }
  // Whether a test has a chain for this one: nobody else can be a member.
  bool admissible(const NodeId& id) const {
    for (std::uint64_t number = 0; number < numbers_max; ++number) {
      if (mesh.id(number) == id) return true;
    }
    return id == public_key(mesh.joiner);
  }
  // A record of a member that holds for ten seconds.
  Record about_to_run_out(std::uint64_t number) const {
    Record record = mesh.record_body(number, {2, 0});
    record.expires = UnixTime{now.wall.seconds + 10};
    return record;
  }
  // What the node has said to a member since the last look.
  std::vector<Message> heard_by(std::uint64_t number) { return std::exchange(inboxes[mesh.id(number)], {}); }
  template <class Kind>
  static std::vector<Kind> only(const std::vector<Message>& messages) {
    std::vector<Kind> found;
    for (const auto& message : messages) {
      if (const auto* one = std::get_if<Kind>(&message)) found.push_back(*one);
    }
    return found;
  }
  // The node's own records that a member was sent.
  std::vector<Record> own_records_heard_by(std::uint64_t number) {
    std::vector<Record> records;
    for (const auto& push : only<Push>(heard_by(number))) {
      for (const auto& item : push.items) {
        const auto record = item.kind <= ItemKind::member ? decode_record(item.statement) : Result<Signed<Record>, TrustError>(Unexpected{TrustError::malformed});
        if (record && record->body.node == mesh.id(self)) records.push_back(record->body);
      }
    }
    return records;
  }
  bool has_raised(EventKind kind) const {
    return std::any_of(raised.begin(), raised.end(), [&](const Event& event) { return event.kind == kind; });
  }
  // Whether the kernel is to have a peer for this one.
  bool wishes_for(std::uint64_t number) const {
    const TunnelKey key = mesh.record_body(number).tunnel_key;
    return std::any_of(wish.peers.begin(), wish.peers.end(), [&](const TunnelPeer& peer) { return peer.key == key; });
  }
  NodeStatus status() const { return node->status(now); }
  const MemberStatus* member(std::uint64_t number) {
    shown = status();
    for (const auto& one : shown.members) {
      if (one.id == mesh.id(number)) return &one;
    }
    return nullptr;
  }
  static std::size_t sent(const Outputs& outputs) {
    return static_cast<std::size_t>(std::count_if(outputs.begin(), outputs.end(), [](const Output& output) {
      return std::holds_alternative<SendTunnel>(output) || std::holds_alternative<SendHello>(output);
    }));
  }

  LanMesh mesh;
  Now now{instant(seconds(0)), SmallMesh::at(300)};
  std::uint64_t random_seed;
  std::vector<Prefix> subnets{};  // behind the node, from its next life on
  Bytes disk;
  std::optional<Node> node;
  std::vector<Event> raised;
  Tunnel wish;
  std::set<Address> called;  // whoever was sent a hello, or an answer to one
  std::map<NodeId, std::vector<Message>> inboxes;
  bool kernel_shown = false;

 private:
  // Every datagram is one that its receiver can read.
  void note(const SendTunnel& sent) {
    check(sent.bytes.size() <= limits::datagram_payload, "a datagram is of bounded size");
    const auto secret = secret_at(sent.to);
    check(secret.has_value(), "it is for a member");
    const NodeId receiver = public_key(*secret);
    const auto payload = unprotect(sent.bytes, *gossip_mac_key(mesh.network, *secret, mesh.id(self), receiver));
    check(payload.has_value(), "its receiver can check it");
    auto message = decode_message(*payload);
    check(message.has_value(), "its receiver can read it");
    inboxes[receiver].push_back(std::move(*message));
  }
  std::optional<NodeSecret> secret_at(const Address& address) const {
    for (std::uint64_t number = 0; number < numbers_max; ++number) {
      if (number != self && address_of(number) == address) return mesh.identity(number);
    }
    if (overlay_ipv6(mesh.network, public_key(mesh.joiner)) == address) return mesh.joiner.duplicate();
    return std::nullopt;
  }
  NodeStatus shown;
};

}  // namespace wigwag
