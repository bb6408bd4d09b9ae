#include "netlink/uapi_codec.hpp"

#include <algorithm>
#include <charconv>

#include "netlink/limits.hpp"

namespace wigwag {
namespace {

void line(std::string& out, std::string_view key, std::string_view value) {
  out.append(key).append("=").append(value).append("\n");
}

void write(std::string& out, const SetPeer& change) {
  line(out, "public_key", to_hex(change.key));
  if (!change.create) line(out, "update_only", "true");
  if (change.endpoint) line(out, "endpoint", to_string(*change.endpoint));
  if (change.replace) line(out, "replace_allowed_ips", "true");
  for (const Prefix& prefix : change.add) line(out, "allowed_ip", to_string(prefix));
  for (const Prefix& prefix : change.remove) line(out, "allowed_ip", "-" + to_string(prefix));
  if (change.keepalive) line(out, "persistent_keepalive_interval", std::to_string(change.keepalive->count()));
}

void write(std::string& out, const RemovePeer& change) {
  line(out, "public_key", to_hex(change.key));
  line(out, "update_only", "true");
  line(out, "remove", "true");
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "[fe80::1%eth0]:51820": the scope has no place in an Endpoint.
std::optional<Endpoint> endpoint(std::string_view text) {
  const auto scope = text.find('%');
  const auto end = text.find(']');
  if (scope == std::string_view::npos || end == std::string_view::npos || scope > end) return Endpoint::parse(text);
  return Endpoint::parse(std::string(text.substr(0, scope)) + std::string(text.substr(end)));
}

class Decoder {
 public:
  std::optional<UapiAnswer> decode(std::string_view text) {
    bool ended = false;
    while (!text.empty()) {
      const auto end = text.find('\n');
      if (end == std::string_view::npos) return std::nullopt;
      const auto one = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (one.empty()) break;
      const auto equals = one.find('=');
      if (equals == std::string_view::npos) return std::nullopt;
      const auto key = one.substr(0, equals), value = one.substr(equals + 1);
      if (key == "errno") {
        const auto code = number<int>(value);
        if (!code) return std::nullopt;
        // wireguard-go writes errno negative, as the kernel would return it.
        answer_.code = *code < 0 && *code > -4096 ? -*code : *code;
        ended = true;
      } else if (!take(key, value)) {
        return std::nullopt;
      }
    }
    if (!ended) return std::nullopt;
    sort();
    return std::move(answer_);
  }

 private:
  bool take(std::string_view key, std::string_view value) {
    WireguardState& state = answer_.interface.state;
    if (key == "public_key") {
      const auto read = key_from_hex<TunnelKey>(value);
      if (!read || state.peers.size() == netlink_limits::peers) return false;
      state.peers.emplace_back();
      state.peers.back().key = *read;
      return true;
    }
    return state.peers.empty() ? take_device(key, value, state) : take_peer(key, value, state.peers.back());
  }

  bool take_device(std::string_view key, std::string_view value, WireguardState& state) {
    if (key == "private_key") {
      auto raw = from_hex(value);
      if (!raw) return false;
      auto secret = TunnelSecret::from(*raw);
      const bool set = std::any_of(raw->begin(), raw->end(), [](std::uint8_t byte) { return byte != 0; });
      wipe(raw->data(), raw->size());
      if (!secret) return false;
      if (set) answer_.interface.key = std::move(secret);
      return true;
    }
    if (key == "listen_port") {
      const auto port = number<std::uint16_t>(value);
      state.listen_port = port.value_or(0);
      return port.has_value();
    }
    return true;
  }

  bool take_peer(std::string_view key, std::string_view value, TunnelPeerState& peer) {
    if (key == "endpoint") {
      peer.endpoint = endpoint(value);
      return true;
    }
    if (key == "allowed_ip") {
      if (value.find("::ffff:") == 0) return true;  // v4-mapped: no value of ours
      const auto prefix = Prefix::parse(value);
      if (!prefix || ++allowed_ips_ > netlink_limits::allowed_ips) return false;
      peer.allowed_ips.push_back(*prefix);
      return true;
    }
    if (key == "persistent_keepalive_interval")
      return put<std::uint16_t>(value, [&](auto n) { peer.keepalive = std::chrono::seconds{n}; });
    if (key == "last_handshake_time_sec") return put<std::int64_t>(value, [&](auto n) { peer.last_handshake_unix_s = n; });
    if (key == "rx_bytes") return put<std::uint64_t>(value, [&](auto n) { peer.rx_bytes = n; });
    if (key == "tx_bytes") return put<std::uint64_t>(value, [&](auto n) { peer.tx_bytes = n; });
    return true;
  }

  template <class Number, class Put>
  bool put(std::string_view value, Put&& into) {
    const auto read = number<Number>(value);
    if (read) into(*read);
    return read.has_value();
  }

  void sort() {
    auto& peers = answer_.interface.state.peers;
    for (TunnelPeerState& peer : peers) std::sort(peer.allowed_ips.begin(), peer.allowed_ips.end());
    std::sort(peers.begin(), peers.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  }

  UapiAnswer answer_;
  std::size_t allowed_ips_ = 0;
};

}  // namespace

std::string encode_uapi_get() { return "get=1\n\n"; }

std::string encode_uapi_set_device(const TunnelSecret* key, std::optional<std::uint16_t> port) {
  std::string out;
  out.reserve(256);  // grown in place: no copies of the key are left behind
  line(out, "set", "1");
  if (key) {
    std::string hex = to_hex(key->open());
    line(out, "private_key", hex);
    wipe(hex.data(), hex.size());
  }
  if (port) line(out, "listen_port", std::to_string(*port));
  return out += "\n";
}

std::string encode_uapi_set_peers(const std::vector<PeerChange>& changes) {
  std::string out = "set=1\n";
  for (const PeerChange& change : changes) std::visit([&out](const auto& one) { write(out, one); }, change);
  return out += "\n";
}

std::optional<UapiAnswer> decode_uapi_answer(std::string_view text) { return Decoder().decode(text); }

bool uapi_answer_ends(std::string_view text) { return text.size() >= 2 && text.substr(text.size() - 2) == "\n\n"; }

}  // namespace wigwag
