#include <cerrno>

#include "netlink/backend.hpp"
#include "netlink/route_codec.hpp"
#include "netlink/wireguard_uapi.hpp"

namespace wigwag {
namespace {

// WireGuard in the kernel, through generic netlink.
class KernelBackend : public WireguardBackend {
 public:
  KernelBackend(std::unique_ptr<NetlinkSocket> generic, NetlinkSocket& route) : generic_(std::move(generic)), route_(route) {}

  BackendKind kind() const override { return BackendKind::kernel; }
  const char* link_kind() const override { return "wireguard"; }

  Task<void> create(std::string interface) override {
    co_return co_await route_.ask(encode_create_link(interface, link_kind()), nullptr, "create WireGuard interface " + interface);
  }
  boost::asio::awaitable<void> removed(std::string) override { co_return; }

  Task<WireguardState> read(std::string interface) override {
    const auto known = co_await learn_family();
    if (!known) co_return Unexpected{known.error()};
    WireguardDumpReader reader(family_);
    const auto asked = co_await ask(encode_get_device(family_, interface), &reader, "read WireGuard interface " + interface);
    if (!asked) co_return Unexpected{asked.error()};
    co_return reader.take();
  }

  Task<void> set_device(std::string interface, std::optional<TunnelSecret> key, std::optional<std::uint16_t> port) override {
    const auto known = co_await learn_family();
    if (!known) co_return known;
    std::string what =
        port ? "set listen port " + std::to_string(*port) + " of " + interface : "set the private key of " + interface;
    auto message = encode_set_device(family_, interface, key ? &*key : nullptr, port);
    co_return co_await ask(std::move(message), nullptr, std::move(what));
  }

  Task<void> set_peers(std::string interface, std::vector<PeerChange> changes) override {
    const auto known = co_await learn_family();
    if (!known) co_return known;
    auto messages = encode_set_peers(family_, interface, changes);
    for (Message& message : messages) {
      const auto done = co_await ask(std::move(message), nullptr, "configure peers of " + interface);
      if (!done) co_return done;
    }
    co_return Result<void, NetError>{};
  }

 private:
  // The family's number changes when the module is loaded again.
  Task<void> ask(Message message, AnswerReader* reader, std::string what) {
    const auto done = co_await generic_->ask(std::move(message), reader, std::move(what));
    if (!done && done.error().code == ENOENT) family_ = 0;
    co_return done;
  }

  Task<void> learn_family() {
    if (family_ != 0) co_return Result<void, NetError>{};
    FamilyReader reader;
    const auto asked = co_await generic_->ask(encode_get_family(wg::family_name), &reader, "find WireGuard in the kernel");
    if (!asked || !reader.id()) co_return Unexpected{NetError{NetFault::no_backend, ENOENT, "find WireGuard in the kernel"}};
    family_ = *reader.id();
    co_return Result<void, NetError>{};
  }

  std::unique_ptr<NetlinkSocket> generic_;
  NetlinkSocket& route_;
  std::uint16_t family_ = 0;
};

}  // namespace

std::unique_ptr<WireguardBackend> make_kernel_backend(std::unique_ptr<NetlinkSocket> generic, NetlinkSocket& route) {
  return std::make_unique<KernelBackend>(std::move(generic), route);
}

boost::asio::awaitable<bool> kernel_has_wireguard(NetlinkSocket& generic) {
  FamilyReader reader;
  const auto asked = co_await generic.ask(encode_get_family(wg::family_name), &reader, "find WireGuard in the kernel");
  co_return asked&& reader.id();
}

}  // namespace wigwag
