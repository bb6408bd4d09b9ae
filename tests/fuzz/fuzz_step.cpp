#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tests/node/lone_node.hpp"

// A node's life as a fuzzer writes it: commands of one byte each, with what they need behind them.
namespace wigwag {
namespace {

class Script {
 public:
  explicit Script(ByteView input) : input_(input) {}
  bool over() const { return input_.empty(); }
  std::uint8_t byte() {
    if (input_.empty()) return 0;
    const auto value = input_.front();
    input_ = input_.subspan(1);
    return value;
  }
  std::uint64_t number() { return byte() * 256U + byte(); }
  Bytes rest_of_one() {
    const auto size = std::min<std::size_t>(number(), input_.size());
    const Bytes taken(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(size));
    input_ = input_.subspan(size);
    return taken;
  }

 private:
  ByteView input_;
};

constexpr std::uint64_t members = 4;

std::uint64_t someone(Script& script) {
  const auto number = script.byte() % members;
  return number == LoneNode::self ? 0 : number;
}

// Under a member's MAC, so that what is behind it is reached: any bytes, or a true statement.
Input tunnel_datagram(LoneNode& lone, Script& script, bool proven) {
  const auto from = someone(script);
  Bytes bytes = script.rest_of_one();
  if (proven) bytes = protect(std::move(bytes), *gossip_mac_key(lone.mesh.network, lone.mesh.identity(from), lone.mesh.id(from), lone.mesh.id(LoneNode::self)));
  return TunnelDatagram{lone.address_of(from), Plane::direct, std::move(bytes)};
}

Input true_statement(LoneNode& lone, Script& script) {
  const auto number = script.byte() % 6U;
  const Version version{script.byte(), script.byte()};
  const auto kind = script.byte() % 3;
  if (kind == 0) return lone.from(someone(script), Push{{lone.mesh.member(number, version)}});
  if (kind == 1) return lone.from(someone(script), Push{{lone.mesh.accusation(number, (number + 1 + script.byte() % 4U) % 6U, version)}});
  Record record = lone.mesh.record_body(number, version);
  record.left = script.byte() % 8 == 0;
  record.ipv4 = Address::ipv4(0x0a630000U + script.byte());
  record.tunnel_key.bytes[7] = script.byte() % 6;
  if (number == LoneNode::self) record.left = false;  // it would end the story
  return lone.from(someone(script), Push{{SmallMesh::record_item(lone.mesh.sign(record, number))}});
}

Input kernel_snapshot(LoneNode& lone, Script& script) {
  KernelSnapshot snapshot;
  for (auto left = script.byte() % 5; left > 0; --left) {
    const Endpoint seen{Address::ipv4(0xC6336400U + script.byte()), static_cast<std::uint16_t>(1 + script.number() % 65535)};
    snapshot.peers.push_back({lone.mesh.record_body(script.byte() % 6U).tunnel_key, seen, {}, std::chrono::seconds(script.byte()),
                              lone.now.wall.seconds - script.byte(), script.number(), script.number()});
  }
  return snapshot;
}

Input next_input(LoneNode& lone, Script& script) {
  const Endpoint somewhere{Address::ipv4(0xCB007100U + script.byte()), 40000};
  switch (script.byte() % 8) {
    case 0: return tunnel_datagram(lone, script, false);
    case 1: return tunnel_datagram(lone, script, true);
    case 2: return true_statement(lone, script);
    case 3: return HelloDatagram{somewhere, script.rest_of_one()};
    case 4: return kernel_snapshot(lone, script);
    case 5: return LocalAddresses{{somewhere.address}};
    case 6: return Resolved{{somewhere}, {somewhere}};
    default: return RevokeCommand{script.rest_of_one()};
  }
}

void live(ByteView input) {
  Script script(input);
  LoneNode lone(members);
  lone.settle();
  for (int steps = 0; steps < 60 && !script.over(); ++steps) {
    lone.step(next_input(lone, script));
    const auto pause = script.byte();
    if (pause >= 0xf0) lone.now.wall.seconds += (static_cast<std::int64_t>(pause) - 0xf8) * 10'000'000;
    else if (pause >= 0xe0) lone.advance_to(lone.now.at + seconds(pause));
    else if (pause >= 0x80) lone.run_for(milliseconds(pause));
    lone.settle();
    check(lone.node->next_wakeup() > lone.now.at, "nothing is due twice");
  }
  const auto stored = decode_stored(lone.node->stored());
  check(stored.has_value(), "what it stores can be read");
  for (const auto& member : lone.status().members) check(lone.admissible(member.id), "nobody is a member by chance");
}

}  // namespace
}  // namespace wigwag

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wigwag::live(wigwag::ByteView(data, size));
  return 0;
}
