#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "daemon/forwarding.hpp"
#include "daemon/reconciler.hpp"
#include "daemon/state_dir.hpp"

namespace wigwag {

// Takes out of the kernel what an earlier run noted as its own, without wanting anything
// there: where no daemon runs, or where another interface than this daemon's is meant.
// `directory` outlives the call; what could not be taken away stays noted in it.
boost::asio::awaitable<Outcome<TeardownReport>> take_away(boost::asio::any_io_executor executor, const StateDir& directory,
                                                          std::string interface, AppliedTunnel applied);

// Notes which switches are turned; without any there is no note.
Outcome<void> save_turned(const StateDir& directory, const std::vector<TurnedSwitch>& turned);

// The same of what was noted of forwarding; answers with what could not be put back.
std::vector<std::string> put_back_forwarding(const StateDir& directory);

}  // namespace wigwag
