#include <algorithm>

#include "gossip/base/check.hpp"
#include "gossip/base/limits.hpp"
#include "gossip/trust/hello.hpp"
#include "gossip/trust/hello_messages.hpp"

namespace wigwag {
namespace {

constexpr Duration call_lifetime = seconds(10);
constexpr Duration patience = seconds(1);  // how long a call has its place to itself when all are taken

// Addresses that one stranger has as easily as one of them count as one source.
bool same_source(const Endpoint& a, const Endpoint& b) {
  constexpr std::uint8_t ipv6_site = 64;
  if (a.address.family == Family::ipv4) return a.address == b.address;
  return Prefix::covering(a.address, ipv6_site).contains(b.address);
}

}  // namespace

HelloHost::HelloHost(const NetworkId& network, Entropy& entropy)
    : network_(network), entropy_(&entropy), mac_(network), cookies_(entropy) {}

HelloHost::Reaction HelloHost::receive(Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                                       const NodeSecret& self, Verifier& verifier) {
  forget_old(now);
  Reaction reaction;
  if (const auto kind = hello_kind(datagram)) {
    switch (*kind) {
      case HelloKind::call: reaction = take_call(now, from, datagram, own_chain, self); break;
      case HelloKind::proof: reaction = take_proof(now, from, datagram, verifier); break;
      case HelloKind::introduction:
      case HelloKind::answer:
      case HelloKind::cookie: break;
    }
  }
  if (!reaction.send && !reaction.call) ++dropped_;
  return reaction;
}

void HelloHost::forget_old(Now now) {
  const auto old = [&](const auto& call) { return now.at - call.since >= call_lifetime; };
  pending_.erase(std::remove_if(pending_.begin(), pending_.end(), old), pending_.end());
  while (!proven_.empty() && old(proven_.front())) proven_.pop_front();
}

// Cheapest first: everything before introduce() is hashing and looking up.
HelloHost::Reaction HelloHost::take_call(Now now, const Endpoint& from, ByteView datagram, const Chain& own_chain,
                                         const NodeSecret& self) {
  if (!mac_.holds(datagram)) return {};
  const HelloCall call = read_call(datagram);
  const auto pending =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& one) { return one.caller == call.caller; });
  if (pending != pending_.end()) return {.send = repeat_introduction(from, *pending), .call = std::nullopt};
  const auto* seen = memory_.find(call.caller);
  if (seen != nullptr && (seen->taken || seen->from != from)) return {};
  if (over_budget(from)) return {};
  const bool busy = pending_.size() >= limits::pending_hellos / 2;
  if (busy && !cookies_.accepts(now.at, from, call.cookie)) {
    return {.send = ask_for_cookie(now, from, call.caller), .call = std::nullopt};
  }
  if (!make_room(now)) return {};
  return {.send = introduce(now, from, call.caller, own_chain, self), .call = std::nullopt};
}

std::optional<Bytes> HelloHost::repeat_introduction(const Endpoint& from, Pending& pending) {
  if (pending.from != from || pending.repeats == limits::hello_repeats) return std::nullopt;
  ++pending.repeats;
  return pending.introduction;
}

std::optional<Bytes> HelloHost::ask_for_cookie(Now now, const Endpoint& from, const HelloKey& caller) {
  auto& seen = memory_.remember(caller, from);
  if (seen.cookies > limits::hello_repeats) return std::nullopt;
  ++seen.cookies;
  return write_cookie(cookies_.bake(now.at, from), caller, mac_);
}

bool HelloHost::over_budget(const Endpoint& from) const {
  const auto from_there = [&](const auto& call) { return same_source(call.from, from); };
  const auto half_done = std::count_if(pending_.begin(), pending_.end(), from_there);
  if (static_cast<std::size_t>(half_done) >= limits::pending_hellos_per_source) return true;
  const auto refused =
      std::count_if(proven_.begin(), proven_.end(), [&](const Proven& call) { return call.refused && from_there(call); });
  return static_cast<std::size_t>(refused) >= limits::refused_hellos_per_source;
}

bool HelloHost::make_room(Now now) {
  if (pending_.size() < limits::pending_hellos) return true;
  if (now.at - pending_.front().since < patience) return false;
  pending_.erase(pending_.begin());
  return true;
}

std::optional<Bytes> HelloHost::introduce(Now now, const Endpoint& from, const HelloKey& caller, const Chain& own_chain,
                                          const NodeSecret& self) {
  memory_.remember(caller, from).taken = true;
  const auto ephemeral = entropy_->secret<HelloSecret>();
  const HelloKey ephemeral_key = public_key(ephemeral);
  std::array<std::uint8_t, 8> drawn{};
  entropy_->fill(drawn.data(), drawn.size());
  const std::uint64_t session = load_be64(drawn.data());

  auto exchange = HelloExchange::start(network_, ephemeral, caller, caller, ephemeral_key, session);
  if (!exchange) return std::nullopt;
  const Bytes box = exchange->seal_signed(HelloKind::introduction, pack_chain(own_chain), self);
  Bytes introduction = write_introduction({.session = session, .host = ephemeral_key, .box = box}, caller, mac_);
  check(introduction.size() <= limits::datagram_payload, "a chain of parts within their limits fits an introduction");
  exchange->append(HelloKind::introduction, introduction);
  pending_.push_back({.caller = caller,
                      .from = from,
                      .since = now.at,
                      .session = session,
                      .exchange = std::move(*exchange),
                      .introduction = introduction});
  return introduction;
}

HelloHost::Reaction HelloHost::take_proof(Now now, const Endpoint& from, ByteView datagram, Verifier& verifier) {
  const HelloBoxed boxed = read_boxed(datagram);
  const auto ours = [&](const auto& call) { return call.session == boxed.session && call.from == from; };

  const auto proven = std::find_if(proven_.begin(), proven_.end(), ours);
  if (proven != proven_.end()) {
    if (proven->answer.empty() || proven->repeats == limits::hello_repeats || proven->proof != blake2b(datagram)) return {};
    ++proven->repeats;
    return {.send = proven->answer, .call = std::nullopt};
  }

  const auto pending = std::find_if(pending_.begin(), pending_.end(), ours);
  if (pending == pending_.end()) return {};
  const auto opened = pending->exchange.open_signed(HelloKind::proof, boxed.box);
  if (!opened) return {};  // altered on the way: the right one may still come
  auto offer = unpack_offer(opened->content);
  const bool proves = offer && pending->exchange.holds(HelloKind::proof, *opened, offer->chain.certificate.body.node, verifier);
  HelloExchange exchange = std::move(pending->exchange);
  pending_.erase(pending);
  if (!proves) return {};  // only the caller itself can have sealed that: nothing better will come

  exchange.append(HelloKind::proof, datagram);
  if (proven_.size() >= limits::proven_hellos) proven_.pop_front();
  proven_.push_back({.from = from,
                     .since = now.at,
                     .session = boxed.session,
                     .exchange = std::move(exchange),
                     .proof = blake2b(datagram),
                     .answer = {}});
  return {.send = std::nullopt, .call = Call{.session = boxed.session, .from = from, .offer = std::move(*offer)}};
}

std::optional<Bytes> HelloHost::answer(Now now, std::uint64_t session, const HelloAnswer& answer) {
  forget_old(now);
  // One answer to a call: its key seals one message.
  const auto call = std::find_if(proven_.begin(), proven_.end(),
                                 [&](const Proven& one) { return one.session == session && one.answer.empty(); });
  if (call == proven_.end()) return std::nullopt;
  HelloAnswer complete = answer;
  complete.observed = call->from;
  call->refused = answer.verdict == Verdict::refused;
  call->answer = write_boxed(HelloKind::answer, {.session = session, .box = call->exchange.seal_answer(pack_answer(complete))});
  check(call->answer.size() <= limits::hello_bytes, "an answer of parts within their limits fits a hello datagram");
  return call->answer;
}

}  // namespace wigwag
