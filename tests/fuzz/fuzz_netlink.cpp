#include <linux/rtnetlink.h>

#include <cstddef>
#include <string_view>

#include "gossip/base/check.hpp"
#include "netlink/route_codec.hpp"
#include "netlink/uapi_codec.hpp"
#include "netlink/wireguard_codec.hpp"

using namespace wigwag;

// The first byte chooses the decoder, the rest is its input: a datagram from the kernel, or
// an answer of wireguard-go.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    WireguardDumpReader wireguard(0x1f);
    FamilyReader family;
    MessageReader messages(input);
    while (const auto one = messages.next()) {
      (void)wireguard.read(0x1f, one->body);
      (void)family.read(one->header.nlmsg_type, one->body);
      if (const auto route = decode_route(one->body))
        check(route->destination == Prefix::covering(route->destination.address, route->destination.length), "no host bits");
      (void)decode_link(one->body);
      (void)decode_address(one->body);
    }
    for (const TunnelPeerState& peer : wireguard.take().peers)
      for (const Prefix& prefix : peer.allowed_ips)
        check(prefix.length <= prefix.address.bits(), "a prefix is no longer than its address");
  } else {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    const auto answer = decode_uapi_answer(text);
    if (answer) check(text.find("errno=") != std::string_view::npos, "an answer ends with its errno");
  }
  return 0;
}
