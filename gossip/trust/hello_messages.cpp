#include "gossip/trust/hello_messages.hpp"

#include <algorithm>

#include "gossip/base/limits.hpp"
#include "gossip/base/packed.hpp"

namespace wigwag {
namespace {

constexpr std::array<std::uint8_t, 3> hello_family = {'w', 'h', 1};
constexpr std::size_t header_bytes = 4;
constexpr std::size_t session_bytes = 8;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t tag_bytes = 16;

constexpr std::size_t introduction_bytes_min = header_bytes + session_bytes + key_bytes + tag_bytes + HelloMac::size;
constexpr std::size_t boxed_bytes_min = header_bytes + session_bytes + tag_bytes;
constexpr std::size_t cookie_bytes = header_bytes + sizeof(HelloCookie) + HelloMac::size;
static_assert(cookie_bytes <= limits::datagram_payload, "a cookie is no longer than the call it answers");

Bytes begin(HelloKind kind) {
  Bytes message(hello_family.begin(), hello_family.end());
  message.push_back(static_cast<std::uint8_t>(kind));
  return message;
}

void add(Bytes& message, ByteView part) { message.insert(message.end(), part.begin(), part.end()); }

void add_session(Bytes& message, std::uint64_t session) {
  std::array<std::uint8_t, session_bytes> raw{};
  store_be64(raw.data(), session);
  add(message, raw);
}

void pack_parts(Packer& out, const Chain& chain) {
  out.binary(chain.certificate.wire);
  out.binary(chain.grant ? ByteView(chain.grant->wire) : ByteView{});
  out.binary(chain.redemption ? ByteView(chain.redemption->wire) : ByteView{});
}

std::optional<Chain> read_parts(Unpacker& in) {
  const ByteView certificate = in.binary(1, limits::certificate_bytes);
  const ByteView grant = in.binary(0, limits::grant_bytes);
  const ByteView redemption = in.binary(0, limits::redemption_bytes);
  if (in.failed()) return std::nullopt;
  auto chain = decode_chain(certificate, grant, redemption);
  if (!chain) return std::nullopt;
  return std::move(*chain);
}

Bytes copy(ByteView view) { return Bytes(view.begin(), view.end()); }

}  // namespace

std::optional<HelloKind> hello_kind(ByteView datagram) {
  if (datagram.size() < header_bytes || !std::equal(hello_family.begin(), hello_family.end(), datagram.begin())) return std::nullopt;
  const auto within = [&](std::size_t least, std::size_t most) { return datagram.size() >= least && datagram.size() <= most; };
  bool sized = false;
  const auto kind = static_cast<HelloKind>(datagram[hello_family.size()]);
  switch (kind) {
    case HelloKind::call: sized = datagram.size() == limits::datagram_payload; break;
    case HelloKind::introduction: sized = within(introduction_bytes_min, limits::datagram_payload); break;
    case HelloKind::proof: sized = within(boxed_bytes_min, limits::hello_bytes); break;
    case HelloKind::answer: sized = within(boxed_bytes_min, limits::hello_bytes); break;
    case HelloKind::cookie: sized = datagram.size() == cookie_bytes; break;
  }
  return sized ? std::optional(kind) : std::nullopt;
}

Bytes write_call(const HelloCall& call, const HelloMac& mac) {
  Bytes message = begin(HelloKind::call);
  add(message, call.caller.view());
  add(message, call.cookie);
  message.resize(limits::datagram_payload - HelloMac::size);
  mac.seal(message);
  return message;
}

HelloCall read_call(ByteView datagram) {
  HelloCall call;
  call.caller = *HelloKey::from(datagram.subspan(header_bytes, key_bytes));
  const ByteView cookie = datagram.subspan(header_bytes + key_bytes, call.cookie.size());
  std::copy(cookie.begin(), cookie.end(), call.cookie.begin());
  return call;
}

Bytes write_cookie(const HelloCookie& cookie, const HelloKey& caller, const HelloMac& mac) {
  Bytes message = begin(HelloKind::cookie);
  add(message, cookie);
  mac.seal(message, caller.view());
  return message;
}

HelloCookie read_cookie(ByteView datagram) {
  HelloCookie cookie{};
  const ByteView raw = datagram.subspan(header_bytes, cookie.size());
  std::copy(raw.begin(), raw.end(), cookie.begin());
  return cookie;
}

Bytes write_introduction(const HelloIntroduction& introduction, const HelloKey& caller, const HelloMac& mac) {
  Bytes message = begin(HelloKind::introduction);
  add_session(message, introduction.session);
  add(message, introduction.host.view());
  add(message, introduction.box);
  mac.seal(message, caller.view());
  return message;
}

HelloIntroduction read_introduction(ByteView datagram) {
  constexpr std::size_t box_at = header_bytes + session_bytes + key_bytes;
  return {.session = load_be64(datagram.data() + header_bytes),
          .host = *HelloKey::from(datagram.subspan(header_bytes + session_bytes, key_bytes)),
          .box = datagram.subspan(box_at, datagram.size() - box_at - HelloMac::size)};
}

Bytes write_boxed(HelloKind kind, const HelloBoxed& message) {
  Bytes datagram = begin(kind);
  add_session(datagram, message.session);
  add(datagram, message.box);
  return datagram;
}

HelloBoxed read_boxed(ByteView datagram) {
  return {.session = load_be64(datagram.data() + header_bytes), .box = datagram.subspan(header_bytes + session_bytes)};
}

Bytes pack_chain(const Chain& chain) {
  Packer out;
  out.array(3);
  pack_parts(out, chain);
  return out.take();
}

std::optional<Chain> unpack_chain(ByteView content) {
  Unpacker in(content, 4);
  in.array(3, 3);
  auto chain = read_parts(in);
  return in.done() ? std::move(chain) : std::nullopt;
}

Bytes pack_offer(const HelloOffer& offer) {
  Packer out;
  out.array(4);
  pack_parts(out, offer.chain);
  out.binary(offer.record);
  return out.take();
}

std::optional<HelloOffer> unpack_offer(ByteView content) {
  Unpacker in(content, 5);
  in.array(4, 4);
  auto chain = read_parts(in);
  const ByteView record = in.binary(0, limits::record_bytes);
  if (!chain || !in.done()) return std::nullopt;
  return HelloOffer{std::move(*chain), copy(record)};
}

Bytes pack_answer(const HelloAnswer& answer) {
  Packer out;
  out.array(7).number(static_cast<std::uint64_t>(answer.verdict)).number(static_cast<std::uint64_t>(answer.reason));
  out.number(static_cast<std::uint64_t>(std::clamp<std::int64_t>(answer.host_time.seconds, 0, latest_unix_second)));
  out.endpoint(answer.observed).binary(answer.bundle).binary(answer.redemption).binary(answer.record);
  return out.take();
}

std::optional<HelloAnswer> unpack_answer(ByteView content) {
  Unpacker in(content, 10);
  in.array(7, 7);
  HelloAnswer answer;
  answer.verdict = in.enumerator(Verdict::refused);
  answer.reason = in.enumerator(TrustError::redemption_invalid);
  answer.host_time = UnixTime{static_cast<std::int64_t>(in.number(latest_unix_second))};
  answer.observed = in.endpoint();
  answer.bundle = copy(in.binary(0, limits::bundle_bytes));
  answer.redemption = copy(in.binary(0, limits::redemption_bytes));
  answer.record = copy(in.binary(0, limits::record_bytes));
  if (!in.done()) return std::nullopt;
  return answer;
}

}  // namespace wigwag
