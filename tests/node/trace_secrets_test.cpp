#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/recording.hpp"
#include "tests/node/lone_node.hpp"

namespace wigwag {
namespace {

// A node whose every secret the test knows, recorded from its start.
struct RecordedNode {
  static constexpr std::uint8_t entropy_number = 9;

  RecordedNode() : recording(64U << 20, [this](Bytes part) { trace.insert(trace.end(), part.begin(), part.end()); }) {}

  void start(NodeSecret identity, StoredState stored, std::optional<Invitation> invitation) {
    NodeConfig config;
    config.name = "node-1";
    config.network = lone.mesh.network;
    NodeSecrets secrets{std::move(identity), lone.mesh.record_body(LoneNode::self).tunnel_key,
                        fixed_secret<Secret<struct EntropySeedRole>>(entropy_number)};
    recording.begin("test", config, secrets, stored, invitation);
    lone.node.emplace(config, std::move(secrets), std::move(stored), std::move(invitation), lone.mesh.verifier);
    step(KernelSnapshot{});
  }
  Outputs step(const Input& input) {
    auto outputs = lone.step(input);
    recording.stepped(lone.now, input, outputs, *lone.node);
    return outputs;
  }
  void wait(Duration span) {
    const Instant end = lone.now.at + span;
    while (lone.now.at < end) {
      lone.advance_to(std::min(end, std::max(lone.node->next_wakeup(), lone.now.at + microseconds(1))));
      step(Wakeup{});
    }
  }
  bool holds(ByteView secret) const { return std::search(trace.begin(), trace.end(), secret.begin(), secret.end()) != trace.end(); }
  void expect_no_secret(const NodeSecret& identity) const {
    EXPECT_FALSE(holds(identity.open())) << "the identity";
    EXPECT_FALSE(holds(fixed_secret<Secret<struct EntropySeedRole>>(entropy_number).open())) << "the seed of entropy";
    Entropy entropy(fixed_secret<Secret<struct EntropySeedRole>>(entropy_number));
    for (int drawn = 0; drawn < 1000; ++drawn) {
      const auto secret = entropy.secret<HelloSecret>();
      EXPECT_FALSE(holds(secret.open())) << "what was drawn as number " << drawn;
      EXPECT_FALSE(holds(ByteView(secret.open()).first(16))) << "the first half of it";
    }
    const NodeId self = public_key(identity);
    for (std::uint64_t number = 0; number < 6; ++number) {
      const NodeId other = lone.mesh.id(number);
      if (other == self) continue;
      for (const auto& [from, to] : {std::pair(self, other), std::pair(other, self)}) {
        EXPECT_FALSE(holds(gossip_mac_key(lone.mesh.network, identity, from, to)->bytes)) << "the key of a MAC";
      }
    }
  }

  LoneNode lone{6};
  Bytes trace;
  Recording recording;
};

TEST(TraceSecrets, AreNotThoseOfAMemberThatAdmitsOthersAndSpeaksWithThem) {
  RecordedNode recorded;
  LoneNode& lone = recorded.lone;
  recorded.start(lone.mesh.identity(LoneNode::self), lone.state_of(6), std::nullopt);
  std::vector<Bytes> macs;
  const auto tell = [&](std::uint64_t number, const Message& message) {
    const Input input = lone.from(number, message);
    const Bytes& bytes = std::get<TunnelDatagram>(input).bytes;
    macs.emplace_back(bytes.end() - static_cast<std::ptrdiff_t>(message_limits::mac_bytes), bytes.end());
    for (const auto& output : recorded.step(input)) {
      const auto* sent = std::get_if<SendTunnel>(&output);
      if (sent != nullptr) macs.emplace_back(sent->bytes.end() - static_cast<std::ptrdiff_t>(message_limits::mac_bytes), sent->bytes.end());
    }
  };
  for (std::uint32_t i = 0; i < 20; ++i) {
    tell(2 + i % 3, Ping{i});
    recorded.wait(milliseconds(300));
  }
  tell(3, Push{{lone.mesh.accusation(LoneNode::self, 3, {lone.status().self.epoch, lone.status().self.sequence})}});
  recorded.wait(seconds(30));

  // A caller that is let in; the hello's own secrets are the caller's and the node's ephemerals.
  Entropy entropy(fixed_secret<Secret<struct EntropySeedRole>>(77));
  HelloCaller caller(lone.mesh.network, entropy);
  bool answered = false;
  for (int messages = 0; messages < 6 && !answered; ++messages) {
    std::optional<Bytes> answer;
    for (auto& output : recorded.step(HelloDatagram{{Address::ipv4(0xCB007107), 40000}, caller.outgoing()})) {
      if (auto* sent = std::get_if<SendHello>(&output)) answer = std::move(sent->bytes);
    }
    ASSERT_TRUE(answer);
    const auto progress = caller.receive(*answer, {lone.mesh.chain(4), lone.mesh.record(4, {9, 0}).wire}, lone.mesh.identity(4), lone.mesh.verifier);
    ASSERT_TRUE(progress);
    answered = progress->answer.has_value();
  }
  ASSERT_TRUE(answered);
  recorded.recording.end();

  ASSERT_GT(recorded.trace.size(), 5'000U);
  ASSERT_TRUE(recorded.holds(lone.mesh.id(LoneNode::self).view())) << "what is public can be found in a trace";
  recorded.expect_no_secret(lone.mesh.identity(LoneNode::self));
  ASSERT_GT(macs.size(), 30U);
  for (const auto& mac : macs) EXPECT_FALSE(recorded.holds(mac)) << "a MAC";
}

TEST(TraceSecrets, AreNotThoseOfAJoinerAndItsInvitation) {
  RecordedNode recorded;
  LoneNode& lone = recorded.lone;
  Invitation invitation{make_grant(lone.mesh.grant_body(), lone.mesh.network, lone.mesh.admin), lone.mesh.invitation.duplicate(), lone.mesh.bundle()};
  recorded.start(lone.mesh.joiner.duplicate(), lone.empty_state(), std::move(invitation));
  recorded.step(Resolved{.seeds = {{Address::ipv4(0xCB007101), 51822}}, .endpoints = {}});
  recorded.wait(seconds(30));
  EXPECT_FALSE(lone.called.empty());
  recorded.recording.end();
  ASSERT_TRUE(recorded.holds(public_key(lone.mesh.invitation).view())) << "the invitation's public key is in its certificate";
  EXPECT_FALSE(recorded.holds(lone.mesh.invitation.open()));
  recorded.expect_no_secret(lone.mesh.joiner);
}

}  // namespace
}  // namespace wigwag
