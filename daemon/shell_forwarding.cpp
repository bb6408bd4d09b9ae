#include <net/if.h>

#include "daemon/shell_impl.hpp"
#include "daemon/teardown.hpp"

namespace wigwag {

void Shell::open_forwarding() {
  std::vector<TurnedSwitch> turned;
  const auto content = directory_.load("forwarding");
  if (!content) note("forwarding_unknown", content.error().what + "; forwarding that an earlier run switched on stays on", LogLevel::warning);
  if (content && content->has_value()) {
    auto decoded = decode_turned(**content);
    if (decoded) turned = std::move(*decoded);
    else note("forwarding_damaged", directory_.file("forwarding") + " is damaged: forwarding that an earlier run switched on stays on", LogLevel::warning);
  }
  Forwarding::Calls calls;
  calls.persist = [this](const std::vector<TurnedSwitch>& now) {
    const auto saved = save_turned(directory_, now);
    if (!saved) note("state_unwritable", saved.error().what + "; forwarding is left alone meanwhile", LogLevel::error);
    return saved.has_value();
  };
  calls.note = [this](const std::string& kind, const std::string& detail, bool bad) { note(kind, detail, bad ? LogLevel::warning : LogLevel::info); };
  forwarding_ = std::make_unique<Forwarding>("/proc/sys/net", std::move(turned), std::move(calls));
}

// Every second, because interfaces come and go, and with a new one its switches begin anew.
void Shell::steer_forwarding() {
  if (!forwarding_ || torn_down_) return;
  const auto subnets = node_.subnets();
  std::vector<std::string> tunnels = {terms_.config.interface};
  if (::if_nametoindex((terms_.config.interface + "r").c_str()) != 0) tunnels.push_back(terms_.config.interface + "r");
  forwarding_->want(subnets, tunnels, subnets.empty() ? std::vector<HostNetwork>() : host_networks());
}

std::vector<std::string> Shell::end_forwarding() { return forwarding_ ? forwarding_->undo() : std::vector<std::string>(); }

}  // namespace wigwag
