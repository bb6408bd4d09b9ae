#include <algorithm>

#include "gossip/base/check.hpp"
#include "gossip/base/limits.hpp"
#include "gossip/trust/hello.hpp"
#include "gossip/trust/hello_messages.hpp"

namespace wigwag {
namespace {

constexpr Unexpected not_for_us{HelloFailure::not_for_us};

// Whether the bundle that an answer brought, if any, is the root's; `bundle` is then set.
bool take_bundle(const HelloAnswer& answer, const NetworkId& network, Verifier& verifier, std::optional<Bundle>& bundle) {
  if (answer.bundle.empty()) return true;
  auto decoded = decode_bundle(answer.bundle);
  if (!decoded || !verify_bundle(*decoded, network, verifier)) return false;
  bundle = std::move(decoded->body);
  return true;
}

bool is_member(const Chain& host, const Bundle& bundle, const NetworkId& network, Verifier& verifier) {
  // Whether the sponsor is a member only a member can know: the owner judges that afterwards.
  const ChainContext context{.bundle = bundle,
                             .network = network,
                             .now = std::nullopt,
                             .sponsor_known = true,
                             .grant_withdrawn = false,
                             .withdrawn_at = {}};
  return verify_chain(host, context, verifier).has_value();
}

}  // namespace

HelloCaller::HelloCaller(const NetworkId& network, Entropy& entropy)
    : network_(network), ephemeral_(entropy.secret<HelloSecret>()), ephemeral_key_(public_key(ephemeral_)) {
  outgoing_ = write_call({.caller = ephemeral_key_, .cookie = cookie_}, HelloMac(network_));
}

HelloCaller::Received HelloCaller::receive(ByteView datagram, const HelloOffer& offer, const NodeSecret& self, Verifier& verifier,
                                           const Bundle* known) {
  if (stage_ == Stage::ended) return Unexpected{refused_ ? HelloFailure::refused : HelloFailure::not_for_us};
  const auto kind = hello_kind(datagram);
  if (!kind) return not_for_us;
  switch (*kind) {
    case HelloKind::call:
    case HelloKind::proof: return not_for_us;
    case HelloKind::cookie: return take_cookie(datagram);
    case HelloKind::introduction: return take_introduction(datagram, offer, self, verifier);
    case HelloKind::answer: return take_answer(datagram, verifier, known);
  }
  return not_for_us;
}

HelloCaller::Received HelloCaller::take_cookie(ByteView datagram) {
  const HelloMac mac(network_);
  if (stage_ != Stage::waiting_for_host || !mac.holds(datagram, ephemeral_key_.view())) return not_for_us;
  const HelloCookie cookie = read_cookie(datagram);
  // A host that answers every cookie with the next must not make us send at its pace for long.
  if (cookie == cookie_ || cookies_taken_ == limits::hello_cookies) return not_for_us;
  cookie_ = cookie;
  ++cookies_taken_;
  outgoing_ = write_call({.caller = ephemeral_key_, .cookie = cookie_}, mac);
  return Progress{.send_now = true, .answer = std::nullopt, .host = std::nullopt};
}

HelloCaller::Received HelloCaller::take_introduction(ByteView datagram, const HelloOffer& offer, const NodeSecret& self,
                                                     Verifier& verifier) {
  if (stage_ != Stage::waiting_for_host || !HelloMac(network_).holds(datagram, ephemeral_key_.view())) return not_for_us;
  const HelloIntroduction introduction = read_introduction(datagram);
  auto exchange =
      HelloExchange::start(network_, ephemeral_, introduction.host, ephemeral_key_, introduction.host, introduction.session);
  if (!exchange) return not_for_us;
  const auto opened = exchange->open_signed(HelloKind::introduction, introduction.box);
  if (!opened) return not_for_us;
  auto chain = unpack_chain(opened->content);
  if (!chain) return Unexpected{HelloFailure::malformed};
  if (!exchange->holds(HelloKind::introduction, *opened, chain->certificate.body.node, verifier)) return not_for_us;

  exchange->append(HelloKind::introduction, datagram);
  Bytes proof = write_boxed(HelloKind::proof, {.session = introduction.session,
                                               .box = exchange->seal_signed(HelloKind::proof, pack_offer(offer), self)});
  check(proof.size() <= limits::hello_bytes, "an offer of parts within their limits fits a hello datagram");
  exchange->append(HelloKind::proof, proof);

  session_ = introduction.session;
  exchange_ = std::move(exchange);
  host_ = std::move(*chain);
  offered_ = offer.chain.certificate.body;
  outgoing_ = std::move(proof);
  stage_ = Stage::waiting_for_answer;
  return Progress{.send_now = true, .answer = std::nullopt, .host = std::nullopt};
}

HelloCaller::Received HelloCaller::take_answer(ByteView datagram, Verifier& verifier, const Bundle* known) {
  if (stage_ != Stage::waiting_for_answer) return not_for_us;
  const HelloBoxed boxed = read_boxed(datagram);
  if (boxed.session != session_) return not_for_us;
  const auto content = exchange_->open_answer(boxed.box);
  if (!content) return not_for_us;
  auto answer = unpack_answer(*content);
  if (!answer) return Unexpected{HelloFailure::malformed};

  // From here on it is the host's own word, and whatever it is, it is the last.
  end();
  std::optional<Bundle> bundle;
  if (!take_bundle(*answer, network_, verifier, bundle)) return Unexpected{HelloFailure::bad_host};
  if (known != nullptr && (!bundle || known->epoch > bundle->epoch)) bundle = *known;
  if (bundle && !is_member(*host_, *bundle, network_, verifier)) return Unexpected{HelloFailure::bad_host};
  refused_ = answer->verdict == Verdict::refused;
  if (!refused_ && (!bundle || !redeems_us(*answer, verifier))) return Unexpected{HelloFailure::bad_host};
  Progress progress{.send_now = false, .answer = std::move(*answer), .host = std::nullopt};
  if (bundle) progress.host = std::move(*host_);
  return progress;
}

// A welcome's redemption is of our invitation, for us, and signed by the sponsor it names,
// who need not be the host: another member may have let us in before.
bool HelloCaller::redeems_us(const HelloAnswer& answer, Verifier& verifier) const {
  if (answer.redemption.empty()) return true;
  const auto redemption = decode_redemption(answer.redemption);
  return redemption && offered_.issuer == Issuer::grant && redemption->body.grant == offered_.grant() &&
         redemption->body.node == offered_.node && verify_redemption(*redemption, network_, verifier).has_value();
}

}  // namespace wigwag
