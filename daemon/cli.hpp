#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/control_client.hpp"
#include "daemon/flags.hpp"
#include "gossip/base/wire_version.hpp"

namespace wigwag {

inline constexpr int status_done = 0;
inline constexpr int status_failed = 1;   // it could not be done
inline constexpr int status_wrong = 2;    // wrong usage
inline constexpr int status_nobody = 3;   // no daemon answers

// The whole of `wigwag`; returns its exit status.
int run_cli(int argc, const char* const* argv);

// What the commands share: asking, answering, complaining.
int complain(const std::string& why, int status = status_failed);
int complain(const ControlClient::Error& error);
int complain(const std::vector<ConfigFault>& faults);
void say(const std::string& text);

// The result of one request; the complaint has been made when there is none.
Result<Json, int> ask(const std::string& socket, const Json& request, std::chrono::milliseconds at_most = std::chrono::seconds(30));

struct ShowTerms {
  std::string socket;
  bool json = false;
  bool follow = false;      // --watch, --follow
  std::string format;       // of the graph
};
int run_status(const ShowTerms& terms);
int run_events(const ShowTerms& terms);
int run_plan(const ShowTerms& terms);
int run_graph(const ShowTerms& terms);

struct InviteFlags {
  std::string socket;
  std::uint32_t uses = 1;
  std::string expires = "24h";
  bool relay = false;
  bool json = false;
  std::vector<std::string> subnets;
  std::vector<std::string> seeds;
};
int run_invite(const InviteFlags& flags);
int run_invites(const ShowTerms& terms);
int run_uninvite(const std::string& socket, const std::string& id);
int run_reload(const std::string& socket);

struct UpFlags {
  DaemonFlags daemon;
  std::string token;
  std::string network_name;
  bool foreground = false;
  std::string wait = "30s";
};
int run_up(const UpFlags& flags);
int run_down(const DaemonFlags& flags);
int run_leave(const DaemonFlags& flags);
int run_doctor(const DaemonFlags& flags, bool json);

}  // namespace wigwag
