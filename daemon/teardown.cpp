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

Outcome<void> save_turned(const StateDir& directory, const std::vector<TurnedSwitch>& turned) {
  return turned.empty() ? directory.remove("forwarding") : directory.save("forwarding", encode_turned(turned));
}

std::vector<std::string> put_back_forwarding(const StateDir& directory) {
  const auto content = directory.load("forwarding");
  if (!content) return {content.error().what};
  if (!content->has_value()) return {};
  auto turned = decode_turned(**content);
  if (!turned) return {directory.file("forwarding") + " is damaged, so it is not known what was switched on"};
  Forwarding::Calls calls;
  calls.persist = [&directory](const std::vector<TurnedSwitch>& now) { return save_turned(directory, now).has_value(); };
  calls.note = [](const std::string&, const std::string&, bool) {};
  return Forwarding("/proc/sys/net", std::move(*turned), std::move(calls)).undo();
}

}  // namespace wigwag
