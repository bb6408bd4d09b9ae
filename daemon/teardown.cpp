#include "daemon/teardown.hpp"

#include "gossip/trust/crypto.hpp"

namespace wigwag {

boost::asio::awaitable<Outcome<TeardownReport>> take_away(boost::asio::any_io_executor executor, const StateDir& directory,
                                                          std::string interface, AppliedTunnel applied) {
  auto host = co_await open_tunnel_host(executor, interface, BackendChoice::automatic, [](const TunnelSecret& secret) { return public_key(secret); });
  if (!host) co_return Unexpected{Failure{to_string(host.error())}};
  Reconciler::Calls calls;
  calls.persist = [&directory](AppliedTunnel next) -> boost::asio::awaitable<bool> {
    co_return directory.save("applied", encode_applied(next)).has_value();
  };
  calls.event = [](const TunnelEvent&) {};
  calls.peers = [](std::vector<TunnelPeerState>) {};
  Reconciler reconciler(executor, std::move(*host), std::move(applied), std::move(calls));
  co_return co_await reconciler.teardown();
}

}  // namespace wigwag
