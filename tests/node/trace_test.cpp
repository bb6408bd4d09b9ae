#include <gtest/gtest.h>

#include "gossip/recording.hpp"
#include "tests/node/lone_node.hpp"
#include "tests/trust/hello_pair.hpp"

namespace wigwag {
namespace {

TraceStart some_start() {
  TraceStart start;
  start.program = "wigwagd 0.1.0";
  start.config.name = "fra-1";
  start.config.network = NetworkId{{1, 2}};
  start.config.listen_port = 4000;
  start.config.hello_port = 4001;
  start.config.accept_hello = false;
  start.config.ipv4 = Address::ipv4(0x0a000001);
  start.config.keepalive = std::chrono::seconds(25);
  start.config.members_max = 77;
  start.config.subnets = {*Prefix::parse("10.20.0.0/24"), *Prefix::parse("fd00:20::/64")};
  start.config.random_seed = 0xfedcba9876543210ULL;
  start.id = NodeId{{3}};
  start.tunnel_key = TunnelKey{{4}};
  start.stored = {1, 2, 3};
  start.invited = TraceStart::Invited{{5}, {6, 7}, {8}};
  return start;
}

TunnelPeerState peer(std::uint8_t number, std::uint64_t bytes) {
  TunnelPeerState state;
  state.key.bytes[0] = number;
  if (number % 2 == 0) state.endpoint = Endpoint::parse("198.51.100.7:51820");
  state.allowed_ips = {*Prefix::parse("10.99.0.0/24"), *Prefix::parse("fd00::/64")};
  state.keepalive = std::chrono::seconds(number);
  state.last_handshake_unix_s = number == 3 ? -5 : 1'800'000'000;
  state.rx_bytes = bytes;
  state.tx_bytes = bytes * 2;
  return state;
}

template <class Value>
const Value& as(const TraceStep& step) {
  return std::get<Value>(step.input);
}

// Writes a start, the steps and an end, and reads them back.
std::vector<TraceStep> there_and_back(const std::vector<TraceStep>& steps) {
  TraceEncoder encoder;
  Bytes file(trace_magic.begin(), trace_magic.end());
  const auto add = [&](const TraceEntry& entry) {
    const Bytes frame = encoder.frame(entry);
    file.insert(file.end(), frame.begin(), frame.end());
  };
  add(some_start());
  for (const auto& step : steps) add(step);
  add(TraceEnd{true});
  TraceDecoder decoder(file);
  std::vector<TraceStep> read;
  auto entry = decoder.next();
  EXPECT_TRUE(entry && std::holds_alternative<TraceStart>(*entry));
  while ((entry = decoder.next()) && std::holds_alternative<TraceStep>(*entry)) read.push_back(std::get<TraceStep>(*entry));
  EXPECT_TRUE(entry && std::get<TraceEnd>(*entry).full);
  EXPECT_FALSE(decoder.next());
  EXPECT_FALSE(decoder.error());
  return read;
}

TraceStep step_of(Input input, std::int64_t at_us, std::int64_t wall) {
  TraceStep step;
  step.now = {Instant(Duration(at_us)), UnixTime{wall}};
  step.input = std::move(input);
  return step;
}

TEST(Trace, KeepsWhereALifeBegan) {
  const TraceStart start = some_start();
  TraceEncoder encoder;
  Bytes file(trace_magic.begin(), trace_magic.end());
  const Bytes frame = encoder.frame(start);
  file.insert(file.end(), frame.begin(), frame.end());
  TraceDecoder decoder(file);
  const auto entry = decoder.next();
  ASSERT_TRUE(entry);
  const auto& read = std::get<TraceStart>(*entry);
  EXPECT_EQ(read.program, start.program);
  EXPECT_EQ(read.config.name, start.config.name);
  EXPECT_EQ(read.config.network, start.config.network);
  EXPECT_EQ(read.config.listen_port, 4000);
  EXPECT_EQ(read.config.hello_port, 4001);
  EXPECT_FALSE(read.config.accept_hello);
  EXPECT_EQ(read.config.ipv4, start.config.ipv4);
  EXPECT_EQ(read.config.keepalive, start.config.keepalive);
  EXPECT_EQ(read.config.members_max, 77U);
  EXPECT_EQ(read.config.random_seed, start.config.random_seed);
  EXPECT_EQ(read.config.subnets, start.config.subnets);
  EXPECT_EQ(read.id, start.id);
  EXPECT_EQ(read.tunnel_key, start.tunnel_key);
  EXPECT_EQ(read.stored, start.stored);
  EXPECT_EQ(read.invited, start.invited);
}

TEST(Trace, KeepsEveryKindOfInput) {
  const Endpoint somewhere = *Endpoint::parse("[2001:db8::1]:51822");
  std::vector<TraceStep> steps;
  steps.push_back(step_of(TunnelDatagram{*Address::parse("fd00::5"), Plane::relayed, {9, 8, 7}}, 1'000, 1'800'000'000));
  steps.back().proven = true;
  steps.push_back(step_of(TunnelDatagram{*Address::parse("fd00::6"), Plane::direct, {1, 1}}, 1'001, 1'700'000'000));
  steps.push_back(step_of(HelloDatagram{somewhere, Bytes(1200, 7)}, 1'001, 0));
  steps.push_back(step_of(Wakeup{}, 5'000'000, -60));
  steps.push_back(step_of(LocalAddresses{{somewhere.address}, {*Prefix::parse("10.20.0.0/24")}}, 5'000'000, 1'800'000'001));
  steps.push_back(step_of(Resolved{{somewhere}, {*Endpoint::parse("192.0.2.1:1")}}, 5'000'000, 1'800'000'001));
  steps.push_back(step_of(LeaveCommand{}, 5'000'000, 1'800'000'001));
  steps.push_back(step_of(RevokeCommand{{4, 4}}, 5'000'000, 1'800'000'001));
  steps[3].did = {{{0, 5}, {5, 0xfffffffe}}, Instant(Duration(4'000'000))};
  const auto read = there_and_back(steps);
  ASSERT_EQ(read.size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(read[i].now.at, steps[i].now.at) << i;
    EXPECT_EQ(read[i].now.wall, steps[i].now.wall) << i;
    EXPECT_EQ(read[i].input.index(), steps[i].input.index()) << i;
    EXPECT_EQ(read[i].did, steps[i].did) << i;
  }
  EXPECT_TRUE(read[0].proven);
  EXPECT_EQ(as<TunnelDatagram>(read[0]).bytes, (Bytes{9, 8, 7}));
  EXPECT_EQ(as<TunnelDatagram>(read[0]).plane, Plane::relayed);
  EXPECT_EQ(as<TunnelDatagram>(read[0]).from, *Address::parse("fd00::5"));
  EXPECT_FALSE(read[1].proven);
  EXPECT_EQ(as<TunnelDatagram>(read[1]).bytes, Bytes(2)) << "of what nobody vouches for, the size is kept";
  EXPECT_EQ(as<HelloDatagram>(read[2]).from, somewhere);
  EXPECT_EQ(as<HelloDatagram>(read[2]).bytes, Bytes(1200)) << "of a hello, the size is kept";
  EXPECT_EQ(as<LocalAddresses>(read[4]).addresses, std::vector{somewhere.address});
  EXPECT_EQ(as<LocalAddresses>(read[4]).networks, std::vector{*Prefix::parse("10.20.0.0/24")});
  EXPECT_EQ(as<Resolved>(read[5]).seeds, std::vector{somewhere});
  EXPECT_EQ(as<Resolved>(read[5]).endpoints.size(), 1U);
  EXPECT_EQ(as<RevokeCommand>(read[7]).revocation, (Bytes{4, 4}));
}

TEST(Trace, KeepsTheKernelsPeersThroughEveryChange) {
  std::vector<TraceStep> steps;
  steps.push_back(step_of(KernelSnapshot{{peer(1, 1), peer(2, 1), peer(3, 1)}, true}, 1, 1));
  steps.push_back(step_of(KernelSnapshot{{peer(1, 1), peer(2, 5), peer(3, 1)}, false}, 2, 1));
  steps.push_back(step_of(KernelSnapshot{{peer(2, 5), peer(4, 0)}, true}, 3, 1));
  steps.push_back(step_of(KernelSnapshot{{}, true}, 4, 1));
  const auto read = there_and_back(steps);
  ASSERT_EQ(read.size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(as<KernelSnapshot>(read[i]).peers, as<KernelSnapshot>(steps[i]).peers) << i;
    EXPECT_EQ(as<KernelSnapshot>(read[i]).settled, as<KernelSnapshot>(steps[i]).settled) << i;
  }
}

TEST(Trace, KeepsWhatAnIdentityAnswered) {
  HelloPair pair;
  HelloAnswer answer;
  answer.verdict = Verdict::refused;
  answer.reason = TrustError::grant_spent;
  answer.host_time = UnixTime{1'800'000'000};
  answer.observed = *Endpoint::parse("192.0.2.9:9");
  answer.bundle = {1};
  TraceStep step = step_of(Wakeup{}, 1, 1);
  step.notes = {NotedSignature{Hash32{{1}}, Signature{{2}}}, NotedProgress{HelloFailure::bad_host}, NotedProgress{std::nullopt, true, answer, pair.host_chain},
                NotedReaction{true, HelloOffer{pair.host_chain, {7, 7}}}, NotedReaction{false}, NotedVerdict{true}};
  const auto read = there_and_back({step});
  ASSERT_EQ(read.size(), 1U);
  const auto& notes = read[0].notes;
  ASSERT_EQ(notes.size(), step.notes.size());
  EXPECT_EQ(std::get<NotedSignature>(notes[0]).about, Hash32{{1}});
  EXPECT_EQ(std::get<NotedSignature>(notes[0]).signature, Signature{{2}});
  EXPECT_EQ(std::get<NotedProgress>(notes[1]).failure, HelloFailure::bad_host);
  const auto& progress = std::get<NotedProgress>(notes[2]);
  EXPECT_TRUE(progress.send_now && !progress.failure && progress.answer && progress.host);
  EXPECT_EQ(progress.answer->reason, TrustError::grant_spent);
  EXPECT_EQ(progress.host->certificate.wire, pair.host_chain.certificate.wire);
  EXPECT_EQ(std::get<NotedReaction>(notes[3]).proven->record, (Bytes{7, 7}));
  EXPECT_FALSE(std::get<NotedReaction>(notes[4]).sent);
  EXPECT_TRUE(std::get<NotedVerdict>(notes[5]).sent);
}

}  // namespace
}  // namespace wigwag
