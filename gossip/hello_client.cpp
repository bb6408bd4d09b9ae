#include "gossip/hello_client.hpp"

#include <algorithm>

namespace wigwag {
namespace {

constexpr Duration first_pause = milliseconds(400);
constexpr Duration longest_pause = seconds(2);

}  // namespace

void HelloClient::send(const Endpoint& to, Attempt& attempt, Instant now, Outputs& out) {
  out.push_back(SendHello{to, attempt.caller.outgoing()});
  attempt.repeat = now + attempt.pause + rng_.below(attempt.pause / 4);
  attempt.pause = std::min(attempt.pause * 3 / 2, longest_pause);
}

void HelloClient::call(const Endpoint& to, Instant now, Entropy& entropy, Outputs& out) {
  if (attempts_.size() >= attempts_max || attempts_.contains(to)) return;
  const auto at = attempts_.emplace(to, Attempt{HelloCaller(network_, entropy), now, now, first_pause}).first;
  send(to, at->second, now, out);
}

std::optional<HelloClient::Finished> HelloClient::receive(const HelloDatagram& datagram, Instant now, const HelloOffer& offer,
                                                          Identity& self, Verifier& verifier, const Bundle* known, Outputs& out) {
  const auto found = attempts_.find(datagram.from);
  if (found == attempts_.end()) return std::nullopt;
  auto progress = self.hear(found->second.caller, datagram.bytes, offer, verifier, known);
  if (!progress) {
    if (progress.error() != HelloFailure::bad_host) return std::nullopt;
    attempts_.erase(found);
    return Finished{datagram.from, std::nullopt, std::nullopt};
  }
  if (progress->answer) {
    Finished finished{datagram.from, std::move(progress->answer), std::move(progress->host)};
    attempts_.erase(found);
    return finished;
  }
  if (progress->send_now) {
    found->second.pause = first_pause;
    send(datagram.from, found->second, now, out);
  }
  return std::nullopt;
}

std::vector<Endpoint> HelloClient::tick(Instant now, Outputs& out) {
  std::vector<Endpoint> given_up;
  for (auto& [to, attempt] : attempts_) {
    if (now >= attempt.began + patience) {
      given_up.push_back(to);
    } else if (now >= attempt.repeat) {
      send(to, attempt, now, out);
    }
  }
  for (const auto& to : given_up) attempts_.erase(to);
  return given_up;
}

Instant HelloClient::next_wakeup() const {
  Instant next = never;
  for (const auto& [to, attempt] : attempts_) next = std::min({next, attempt.repeat, attempt.began + patience});
  return next;
}

}  // namespace wigwag
