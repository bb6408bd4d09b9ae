#include <gtest/gtest.h>

#include <map>

#include "gossip/trust/hello_messages.hpp"
#include "tests/base/seeded.hpp"
#include "tests/trust/hello_pair.hpp"

namespace wigwag {
namespace {

// A path that loses, doubles, delays, reorders and alters what goes over it.
struct Weather {
  std::uint32_t loss_permille = 0;
  std::uint32_t doubled_permille = 0;
  std::uint32_t altered_permille = 0;
  Duration delay_max = milliseconds(1);
};

// One joiner's attempts at one host through the weather, in virtual time. The joiner repeats what it
// has to say every 500 ms, and begins anew after eight seconds without an end.
struct Journey {
  HelloPair pair;
  Rng& rng;
  Weather weather;
  std::optional<HelloCaller> caller;
  Instant began{};
  Instant next_send{};
  struct Travelling {
    bool to_host;
    Bytes datagram;
  };
  std::multimap<Instant, Travelling> travelling;
  std::map<std::uint64_t, int> calls;  // by session
  int attempts = 0;

  Journey(Rng& generator, const Weather& kind) : rng(generator), weather(kind) {}

  void send(bool to_host, const Bytes& datagram) {
    const int copies = rng.chance(weather.doubled_permille) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (rng.chance(weather.loss_permille)) continue;
      Bytes copy = datagram;
      if (rng.chance(weather.altered_permille)) copy[rng.below(copy.size())] ^= static_cast<std::uint8_t>(1U << rng.below(8));
      travelling.emplace(pair.now.at + rng.below(weather.delay_max), Travelling{to_host, std::move(copy)});
    }
  }

  void say() {
    if (!caller || pair.now.at - began > seconds(8)) {
      caller.emplace(pair.world.network, pair.caller_entropy);
      began = pair.now.at;
      ++attempts;
    }
    send(true, caller->outgoing());
    next_send = pair.now.at + milliseconds(500);
  }

  std::optional<HelloAnswer> arrive(const Travelling& one) {
    if (one.to_host) {
      const auto reaction = pair.tell_host(one.datagram);
      if (reaction.send) send(false, *reaction.send);
      if (reaction.call) {
        ++calls[reaction.call->session];
        const auto answer = pair.host.answer(pair.now, reaction.call->session, pair.world.welcome());
        send(false, answer.value());
      }
      return std::nullopt;
    }
    const auto progress = pair.tell_caller(*caller, one.datagram);
    if (!progress) {
      // Nothing that the weather does may look like the host's fault.
      EXPECT_EQ(progress.error(), HelloFailure::not_for_us);
      return std::nullopt;
    }
    if (progress->send_now) say();
    return progress->answer;
  }

  std::optional<HelloAnswer> travel(Duration most) {
    const Instant end = pair.now.at + most;
    next_send = pair.now.at;
    while (pair.now.at < end) {
      if (travelling.empty() || next_send < travelling.begin()->first) {
        pair.now.at = next_send;
        say();
        continue;
      }
      const auto first = travelling.begin();
      pair.now.at = std::max(pair.now.at, first->first);
      const Travelling one = std::move(first->second);
      travelling.erase(first);
      if (auto answer = arrive(one)) return answer;
    }
    return std::nullopt;
  }
};

void expect_welcome(Journey& journey) {
  const auto answer = journey.travel(minutes(5));
  ASSERT_TRUE(answer) << journey.attempts << " attempts";
  EXPECT_EQ(answer->verdict, Verdict::welcome);
  EXPECT_EQ(answer->record, Bytes(250, 0xcd));
  for (const auto& [session, count] : journey.calls) EXPECT_EQ(count, 1) << "one call per handshake, however often it was told";
}

TEST(HelloWeather, ArrivesAtOnceWhenItIsFair) {
  for_seeds(5, [](Rng& rng) {
    Journey journey(rng, {});
    expect_welcome(journey);
    EXPECT_EQ(journey.attempts, 1);
    EXPECT_LT(journey.pair.now.at, Instant(hours(1)) + milliseconds(10));
  });
}

TEST(HelloWeather, ArrivesThroughLoss) {
  for_seeds(40, [](Rng& rng) {
    Journey journey(rng, {.loss_permille = 400});
    expect_welcome(journey);
  });
}

TEST(HelloWeather, ArrivesThroughDuplicatesAndReordering) {
  for_seeds(40, [](Rng& rng) {
    Journey journey(rng, {.doubled_permille = 700, .delay_max = milliseconds(1500)});
    expect_welcome(journey);
  });
}

TEST(HelloWeather, ArrivesThroughAlteredDatagrams) {
  for_seeds(40, [](Rng& rng) {
    Journey journey(rng, {.altered_permille = 500});
    expect_welcome(journey);
  });
}

TEST(HelloWeather, ArrivesThroughEverythingTogether) {
  for_seeds(40, [](Rng& rng) {
    Journey journey(rng,
                    {.loss_permille = 250, .doubled_permille = 300, .altered_permille = 150, .delay_max = milliseconds(800)});
    expect_welcome(journey);
  });
}

TEST(HelloWeather, ArrivesAtABusyHost) {
  for_seeds(10, [](Rng& rng) {
    Journey journey(rng,
                    {.loss_permille = 250, .doubled_permille = 300, .altered_permille = 150, .delay_max = milliseconds(800)});
    journey.pair.crowd(limits::pending_hellos);
    expect_welcome(journey);
  });
}

// For every byte of every datagram: altered, it changes nothing, and the right one still goes through.
TEST(HelloWeather, IgnoresEveryDatagramWithAnAlteredByte) {
  for_seeds(1, [](Rng& rng) {
    HelloPair pair;
    pair.crowd(limits::pending_hellos / 2);
    const auto each_altered = [&](const Bytes& datagram, auto hears) {
      for (std::size_t i = 0; i < datagram.size(); ++i) {
        Bytes altered = datagram;
        altered[i] ^= static_cast<std::uint8_t>(1U << rng.below(8));
        EXPECT_FALSE(hears(altered)) << "byte " << i << " of " << datagram.size();
      }
      for (std::size_t size = 0; size < datagram.size(); ++size)
        EXPECT_FALSE(hears(Bytes(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(size))));
    };
    const auto host_hears = [&](const Bytes& datagram) {
      const auto reaction = pair.tell_host(datagram);
      return reaction.send || reaction.call;
    };
    auto caller = pair.caller();
    const auto caller_hears = [&](const Bytes& datagram) { return pair.tell_caller(caller, datagram).has_value(); };

    each_altered(caller.outgoing(), host_hears);
    const Bytes cookie = pair.tell_host(caller.outgoing()).send.value();
    each_altered(cookie, caller_hears);
    ASSERT_TRUE(caller_hears(cookie));
    each_altered(caller.outgoing(), host_hears);
    const Bytes introduction = pair.tell_host(caller.outgoing()).send.value();
    each_altered(introduction, caller_hears);
    ASSERT_TRUE(caller_hears(introduction));
    each_altered(caller.outgoing(), host_hears);
    const auto call = pair.tell_host(caller.outgoing()).call.value();
    const Bytes answer = pair.host.answer(pair.now, call.session, pair.world.welcome()).value();
    each_altered(caller.outgoing(), host_hears);
    each_altered(answer, caller_hears);
    EXPECT_TRUE(caller_hears(answer));
  });
}

// A host that answers each cookie with another must not make its caller send at its own pace.
TEST(HelloWeather, FollowsABoundedNumberOfCookies) {
  HelloPair pair;
  auto caller = pair.caller();
  const HelloMac mac(pair.world.network);
  const HelloKey ephemeral = read_call(caller.outgoing()).caller;
  std::size_t sent = 0;
  for (std::uint8_t i = 1; i < 100; ++i) {
    HelloCookie cookie{};
    cookie.fill(i);
    const auto progress = pair.tell_caller(caller, write_cookie(cookie, ephemeral, mac));
    if (progress && progress->send_now) ++sent;
  }
  EXPECT_EQ(sent, limits::hello_cookies);
  EXPECT_FALSE(caller.outgoing().empty());
}

TEST(HelloWeather, LeavesTheAttemptOfAnotherCallerAlone) {
  HelloPair pair;
  auto one = pair.caller();
  auto other = pair.caller();
  const Bytes for_one = pair.tell_host(one.outgoing()).send.value();
  EXPECT_FALSE(pair.tell_caller(other, for_one));
  EXPECT_TRUE(pair.tell_caller(one, for_one));
  pair.introduce(other);
  const auto call = pair.prove(one);
  const Bytes answer = pair.host.answer(pair.now, call.session, pair.world.welcome()).value();
  EXPECT_FALSE(pair.tell_caller(other, answer));
  EXPECT_TRUE(pair.tell_caller(one, answer));
}

}  // namespace
}  // namespace wigwag
