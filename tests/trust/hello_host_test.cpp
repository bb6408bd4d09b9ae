#include <gtest/gtest.h>

#include "gossip/trust/hello_messages.hpp"
#include "tests/base/seeded.hpp"
#include "tests/trust/hello_pair.hpp"

namespace wigwag {
namespace {

bool is_cookie(const HelloHost::Reaction& reaction) { return reaction.send && reaction.send->size() == 36; }
bool is_introduction(const HelloHost::Reaction& reaction) { return reaction.send && reaction.send->size() > 100; }
bool is_silence(const HelloHost::Reaction& reaction) { return !reaction.send && !reaction.call; }

constexpr std::size_t busy = limits::pending_hellos / 2;

TEST(HelloHost, RepeatsItsIntroductionVerbatimButNotForEver) {
  HelloPair pair;
  auto caller = pair.caller();
  const auto first = pair.tell_host(caller.outgoing()).send;
  for (std::size_t i = 0; i < limits::hello_repeats; ++i) EXPECT_EQ(pair.tell_host(caller.outgoing()).send, first);
  EXPECT_TRUE(is_silence(pair.tell_host(caller.outgoing())));
}

TEST(HelloHost, RepeatsItsAnswerVerbatimButNotForEver) {
  HelloPair pair;
  auto caller = pair.caller();
  pair.introduce(caller);
  const auto call = pair.prove(caller);
  EXPECT_TRUE(is_silence(pair.tell_host(caller.outgoing()))) << "nothing to repeat yet, and no second call";
  const auto answer = pair.host.answer(pair.now, call.session, pair.world.welcome());
  for (std::size_t i = 0; i < limits::hello_repeats; ++i) EXPECT_EQ(pair.tell_host(caller.outgoing()).send, answer);
  EXPECT_TRUE(is_silence(pair.tell_host(caller.outgoing())));
}

TEST(HelloHost, AnswersACallOnce) {
  HelloPair pair;
  auto caller = pair.caller();
  pair.introduce(caller);
  const auto call = pair.prove(caller);
  EXPECT_FALSE(pair.host.answer(pair.now, call.session + 1, pair.world.welcome()));
  EXPECT_TRUE(pair.host.answer(pair.now, call.session, pair.world.welcome()));
  EXPECT_FALSE(pair.host.answer(pair.now, call.session, pair.world.welcome())) << "a second text under the same key";
}

TEST(HelloHost, ForgetsCallsAfterTenSeconds) {
  HelloPair pair;
  auto caller = pair.caller();
  pair.introduce(caller);
  const auto proof = caller.outgoing();
  pair.now.at += seconds(10);
  EXPECT_TRUE(is_silence(pair.tell_host(proof)));

  auto second = pair.caller();
  pair.introduce(second);
  const auto call = pair.prove(second);
  pair.now.at += seconds(10);
  EXPECT_FALSE(pair.host.answer(pair.now, call.session, pair.world.welcome()));
}

TEST(HelloHost, GivesNoByteForAReplayedCall) {
  HelloPair pair;
  auto caller = pair.caller();
  const Bytes recorded = caller.outgoing();
  ASSERT_TRUE(is_introduction(pair.tell_host(recorded)));
  const Endpoint elsewhere = endpoint_of("203.0.113.99:40000");
  EXPECT_TRUE(is_silence(pair.tell_host(elsewhere, recorded))) << "while the call is pending";
  EXPECT_TRUE(is_silence(pair.tell_host(endpoint_of("198.51.100.7:40001"), recorded))) << "another port is another source";
  pair.now.at += seconds(11);
  EXPECT_TRUE(is_silence(pair.tell_host(recorded))) << "after it was dropped";
  EXPECT_TRUE(is_silence(pair.tell_host(elsewhere, recorded)));
}

TEST(HelloHost, GivesNoByteForAReplayedCallAfterItWasAnswered) {
  HelloPair pair;
  auto caller = pair.caller();
  const Bytes recorded = caller.outgoing();
  ASSERT_TRUE(pair.complete(caller, pair.world.welcome()));
  EXPECT_TRUE(is_silence(pair.tell_host(recorded)));
}

TEST(HelloHost, GivesNoByteForACookieRequestReplayedFromElsewhere) {
  HelloPair pair;
  pair.crowd(busy);
  auto caller = pair.caller();
  ASSERT_TRUE(is_cookie(pair.tell_host(caller.outgoing())));
  EXPECT_TRUE(is_silence(pair.tell_host(endpoint_of("203.0.113.99:40000"), caller.outgoing())));
}

TEST(HelloHost, RemembersABoundedNumberOfCalls) {
  CallMemory memory;
  for (std::size_t i = 0; i <= limits::remembered_hellos; ++i) {
    HelloKey key;
    store_be64(key.bytes.data(), i);
    memory.remember(key, endpoint_of("198.51.100.7:1")).taken = true;
  }
  EXPECT_EQ(memory.find(HelloKey{}), nullptr) << "the oldest made room";
  HelloKey second;
  second.bytes[7] = 1;
  ASSERT_NE(memory.find(second), nullptr);
  EXPECT_TRUE(memory.find(second)->taken);
}

TEST(HelloHost, AsksForACookieWhenBusyAndTakesItBack) {
  HelloPair pair;
  pair.crowd(busy - 1);
  auto early = pair.caller();
  EXPECT_TRUE(is_introduction(pair.tell_host(early.outgoing()))) << "not busy yet";
  auto caller = pair.caller();
  const Endpoint source = endpoint_of("198.51.100.8:40000");
  const auto asked = pair.tell_host(source, caller.outgoing());
  ASSERT_TRUE(is_cookie(asked));
  EXPECT_TRUE(is_cookie(pair.tell_host(source, caller.outgoing()))) << "asked again while the cookie may have been lost";
  const auto progress = pair.tell_caller(caller, *asked.send);
  ASSERT_TRUE(progress);
  EXPECT_TRUE(progress->send_now);
  EXPECT_TRUE(is_introduction(pair.tell_host(source, caller.outgoing())));
}

TEST(HelloHost, AsksForACookieABoundedNumberOfTimes) {
  HelloPair pair;
  pair.crowd(busy);
  auto caller = pair.caller();
  std::size_t cookies = 0;
  for (int i = 0; i < 50; ++i) {
    if (is_cookie(pair.tell_host(caller.outgoing()))) ++cookies;
  }
  EXPECT_EQ(cookies, limits::hello_repeats + 1);
}

TEST(HelloHost, TakesACookieOnlyFromWhereItWasSent) {
  HelloPair pair;
  pair.crowd(busy);
  auto caller = pair.caller();
  ASSERT_TRUE(pair.tell_caller(caller, *pair.tell_host(caller.outgoing()).send));
  EXPECT_FALSE(is_introduction(pair.tell_host(endpoint_of("198.51.100.7:40001"), caller.outgoing())));
  EXPECT_FALSE(is_introduction(pair.tell_host(endpoint_of("198.51.100.9:40000"), caller.outgoing())));
  EXPECT_TRUE(is_introduction(pair.tell_host(caller.outgoing())));
}

TEST(CookieJar, HoldsACookieForTwoToFourMinutes) {
  Entropy entropy = fixed_entropy(3);
  CookieJar jar(entropy);
  const Endpoint from = endpoint_of("198.51.100.7:40000");
  const Instant start{hours(5)};
  const auto cookie = jar.bake(start, from);
  EXPECT_TRUE(jar.accepts(start + seconds(119), from, cookie));
  EXPECT_TRUE(jar.accepts(start + seconds(121), from, cookie));
  EXPECT_TRUE(jar.accepts(start + seconds(240), from, cookie));
  EXPECT_FALSE(jar.accepts(start + seconds(242), from, cookie));
  EXPECT_FALSE(jar.accepts(start, from, HelloCookie{})) << "zeros are no cookie";
}

TEST(CookieJar, BindsACookieToAddressFamilyAndPort) {
  Entropy entropy = fixed_entropy(3);
  CookieJar jar(entropy);
  const Instant start{hours(5)};
  const auto cookie = jar.bake(start, endpoint_of("198.51.100.7:40000"));
  EXPECT_TRUE(jar.accepts(start, endpoint_of("198.51.100.7:40000"), cookie));
  EXPECT_FALSE(jar.accepts(start, endpoint_of("198.51.100.8:40000"), cookie));
  EXPECT_FALSE(jar.accepts(start, endpoint_of("198.51.100.7:40001"), cookie)) << "the port's low byte";
  EXPECT_FALSE(jar.accepts(start, endpoint_of("198.51.100.7:39744"), cookie)) << "the port's high byte";
  EXPECT_FALSE(jar.accepts(start, endpoint_of("[c633:6407::]:40000"), cookie)) << "the same leading bytes as IPv6";
}

TEST(CookieJar, TrustsNoKeyThatLayUnusedForLong) {
  Entropy entropy = fixed_entropy(3);
  CookieJar jar(entropy);
  const Endpoint from = endpoint_of("198.51.100.7:40000");
  const auto cookie = jar.bake(Instant(hours(5)), from);
  EXPECT_FALSE(jar.accepts(Instant(hours(6)), from, cookie));
}

TEST(HelloHost, KeepsOneAddressToItsBudget) {
  HelloPair pair;
  for (std::size_t i = 0; i < limits::pending_hellos_per_source; ++i) {
    auto caller = pair.caller();
    const Endpoint source{pair.from.address, static_cast<std::uint16_t>(1000 + i)};
    EXPECT_TRUE(is_introduction(pair.tell_host(source, caller.outgoing())));
  }
  auto caller = pair.caller();
  EXPECT_TRUE(is_silence(pair.tell_host(caller.outgoing())));
  EXPECT_TRUE(is_introduction(pair.tell_host(endpoint_of("198.51.100.8:1"), caller.outgoing()))) << "others are not held up";
  pair.now.at += seconds(10);
  auto later = pair.caller();
  EXPECT_TRUE(is_introduction(pair.tell_host(later.outgoing())));
}

TEST(HelloHost, CountsAnIpv6SiteAsOneSource) {
  HelloPair pair;
  for (std::size_t i = 0; i < limits::pending_hellos_per_source; ++i) {
    auto caller = pair.caller();
    const Endpoint source = endpoint_of("[2001:db8:0:7::" + std::to_string(i + 1) + "]:1000");
    EXPECT_TRUE(is_introduction(pair.tell_host(source, caller.outgoing())));
  }
  auto caller = pair.caller();
  EXPECT_TRUE(is_silence(pair.tell_host(endpoint_of("[2001:db8:0:7:8000::1]:1000"), caller.outgoing())));
  EXPECT_TRUE(is_introduction(pair.tell_host(endpoint_of("[2001:db8:0:8::1]:1000"), caller.outgoing())));
}

TEST(HelloHost, IsDeafForAWhileToAnAddressItKeepsRefusing) {
  HelloPair pair;
  HelloAnswer refusal;
  refusal.verdict = Verdict::refused;
  refusal.reason = TrustError::revoked;
  for (std::size_t i = 0; i < limits::refused_hellos_per_source; ++i) {
    auto caller = pair.caller();
    ASSERT_TRUE(pair.complete(caller, refusal));
  }
  auto caller = pair.caller();
  EXPECT_TRUE(is_silence(pair.tell_host(caller.outgoing())));
  pair.now.at += seconds(10);
  EXPECT_TRUE(is_introduction(pair.tell_host(caller.outgoing())));
}

TEST(HelloHost, WelcomesAFleetBehindOneAddress) {
  HelloPair pair;
  for (int i = 0; i < 500; ++i) {
    auto caller = pair.caller();
    ASSERT_TRUE(pair.complete(caller, pair.world.welcome())) << i;
  }
}

TEST(HelloHost, WhenFullLeavesTheYoungInPeaceAndDropsTheOld) {
  HelloPair pair;
  pair.crowd(limits::pending_hellos);
  auto caller = pair.caller();
  ASSERT_TRUE(pair.tell_caller(caller, *pair.tell_host(caller.outgoing()).send)) << "a cookie first";
  EXPECT_TRUE(is_silence(pair.tell_host(caller.outgoing()))) << "the others have had no time to come back";
  pair.now.at += seconds(1);
  EXPECT_TRUE(is_introduction(pair.tell_host(caller.outgoing()))) << "the same datagram, repeated";
}

TEST(HelloHost, IsNotPutOffByAnAlteredOrMisplacedProof) {
  HelloPair pair;
  auto caller = pair.caller();
  pair.introduce(caller);
  Bytes altered = caller.outgoing();
  altered.back() ^= 1;
  EXPECT_TRUE(is_silence(pair.tell_host(altered)));
  EXPECT_TRUE(is_silence(pair.tell_host(endpoint_of("203.0.113.99:1"), caller.outgoing()))) << "from elsewhere";
  EXPECT_TRUE(pair.tell_host(caller.outgoing()).call) << "the right one still counts";
}

TEST(HelloHost, SurvivesALowOrderEphemeral) {
  HelloPair pair;
  const Bytes call = write_call({.caller = HelloKey{}, .cookie = {}}, HelloMac(pair.world.network));
  EXPECT_TRUE(is_silence(pair.tell_host(call)));
}

// Whatever comes in, and whoever knows the network id among them: before a proof, no source gets
// more bytes than it sent, and no datagram a longer answer.
TEST(HelloHost, NeverSendsMoreThanItWasSentBeforeAProof) {
  for_seeds(30, [](Rng& rng) {
    HelloPair pair;
    const HelloMac mac(pair.world.network);
    std::vector<Bytes> recorded;
    for (int i = 0; i < 300; ++i) {
      Bytes datagram;
      const auto kind = rng.below(5);
      if (kind == 0) {
        datagram = random_bytes(rng, rng.below(1500));
      } else if (kind == 1) {  // a header of ours around rubbish, of a size that its kind may have
        datagram = random_bytes(rng, rng.chance(500) ? limits::datagram_payload : rng.below(1500));
        const Bytes header = {'w', 'h', 1, static_cast<std::uint8_t>(rng.below(7))};
        std::copy_n(header.begin(), std::min(header.size(), datagram.size()), datagram.begin());
      } else if (kind == 2 || recorded.empty()) {  // a proper call, its ephemeral perhaps no curve point
        HelloCall call{.caller = *HelloKey::from(random_bytes(rng, 32)), .cookie = {}};
        datagram = write_call(call, mac);
      } else {  // seen before, perhaps altered
        datagram = rng.pick(recorded);
        if (rng.chance(300)) datagram[rng.below(datagram.size())] ^= static_cast<std::uint8_t>(1U << rng.below(8));
      }
      const Endpoint source{Address::ipv4(0xcb007100U + static_cast<std::uint32_t>(rng.below(40))),
                            static_cast<std::uint16_t>(1 + rng.below(3))};
      const auto before = pair.bytes_out;
      const auto reaction = pair.tell_host(source, datagram);
      EXPECT_FALSE(reaction.call);
      EXPECT_LE(pair.bytes_out - before, datagram.size());
      if (reaction.send) recorded.push_back(*reaction.send);
      if (!datagram.empty()) recorded.push_back(datagram);
      pair.now.at += rng.below(Duration(milliseconds(200)));
    }
    EXPECT_LE(pair.bytes_out, pair.bytes_in);
  });
}

}  // namespace
}  // namespace wigwag
