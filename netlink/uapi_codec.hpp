#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/base/secret.hpp"
#include "netlink/error.hpp"
#include "netlink/wireguard_codec.hpp"

// wireguard-go's configuration protocol (https://www.wireguard.com/xplatform/): lines
// of text on a stream. Pure.
namespace wigwag {

std::string encode_uapi_get();
// With the private key: the caller wipes it.
std::string encode_uapi_set_device(const TunnelSecret* key, std::optional<std::uint16_t> port);
std::string encode_uapi_set_peers(const std::vector<PeerChange>& changes);

struct UapiState {
  WireguardState state;             // without the public key
  std::optional<TunnelSecret> key;  // nullopt: none set
};
// The answer to a get, with its last line "errno=N". nullopt: malformed.
struct UapiAnswer {
  int code = 0;  // positive errno
  UapiState interface;
};
std::optional<UapiAnswer> decode_uapi_answer(std::string_view text);

// The answer is complete.
bool uapi_answer_ends(std::string_view text);

}  // namespace wigwag
