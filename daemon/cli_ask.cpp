#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "daemon/cli.hpp"
#include "daemon/graph.hpp"
#include "daemon/status_text.hpp"
#include "daemon/table.hpp"
#include "daemon/words.hpp"

namespace wigwag {
namespace {

constexpr auto next_line_time = std::chrono::hours(24 * 365);

// Asks, and hands every line of the answer to `show` until the daemon goes away.
template <class Show>
int follow(const std::string& socket, const Json& request, Show show) {
  auto client = ControlClient::ask(socket, request);
  if (!client) return complain(client.error());
  while (true) {
    const auto reply = client->next(next_line_time);
    if (!reply) return complain(reply.error());
    if (!reply->ok) return complain(reply->error, reply->exit_status);
    show(reply->result);
    std::fflush(stdout);
  }
}

std::string document(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

void print_events(const Json& events, bool json) {
  for (const auto& event : events) {
    if (json) {
      std::printf("%s\n", json_line(event).c_str());
      continue;
    }
    std::string line = text_of(event, "time") + " " + text_of(event, "kind");
    for (const char* key : {"member", "was", "now"}) {
      if (const std::string value = text_of(event, key); !value.empty()) line += std::string(" ") + key + "=" + value;
    }
    if (const std::string detail = text_of(event, "detail"); !detail.empty()) line += "  " + detail;
    std::printf("%s\n", line.c_str());
  }
}

std::string expiry_words(const Json& invite) {
  const auto at = invite.value("expires_unix_s", std::int64_t{0});
  return at == 0 ? "never" : utc_words(at);
}

std::string uses_words(const Json& invite) {
  const auto uses = invite.value("uses", std::uint64_t{0});
  const std::string used = invite.contains("used") ? std::to_string(invite.value("used", std::uint64_t{0})) + " of " : "";
  return used + (uses == 0 ? "any number" : std::to_string(uses));
}

}  // namespace

int run_status(const ShowTerms& terms) {
  const bool colours = wants_colour(STDOUT_FILENO);
  const auto show = [&](const Json& status) {
    if (terms.json) {
      std::printf("%s\n", terms.follow ? json_line(status).c_str() : document(status).c_str());
      return;
    }
    if (terms.follow && ::isatty(STDOUT_FILENO) == 1) std::printf("\033[H\033[2J");
    std::printf("%s", status_text(status, colours).c_str());
  };
  if (terms.follow) return follow(terms.socket, {{"command", "status"}, {"watch", true}}, show);
  const auto status = ask(terms.socket, {{"command", "status"}});
  if (!status) return status.error();
  show(*status);
  return status_done;
}

int run_events(const ShowTerms& terms) {
  const auto show = [&](const Json& events) { print_events(events, terms.json); };
  if (terms.follow) return follow(terms.socket, {{"command", "events"}, {"follow", true}}, show);
  const auto events = ask(terms.socket, {{"command", "events"}});
  if (!events) return events.error();
  show(*events);
  return status_done;
}

int run_plan(const ShowTerms& terms) {
  const auto plan = ask(terms.socket, {{"command", "plan"}});
  if (!plan) return plan.error();
  if (terms.json) return say(document(*plan)), status_done;
  const Json changes = plan->value("changes", Json::array());
  const Json conflicts = plan->value("conflicts", Json::array());
  if (changes.empty() && !plan->value("joined", true)) {
    say("nothing to change: this node is no member yet, so it wants no interface: " + text_of(*plan, "waiting_for"));
  } else if (changes.empty()) {
    say("nothing to change: " + text_of(*plan, "interface") + " is as wanted");
  }
  for (const auto& change : changes) say(change.get<std::string>());
  for (const auto& conflict : conflicts) say("left alone: " + conflict.get<std::string>());
  return status_done;
}

int run_graph(const ShowTerms& terms) {
  const auto status = ask(terms.socket, {{"command", "status"}});
  if (!status) return status.error();
  if (terms.format == "json") say(document(graph_json(*status)));
  if (terms.format == "dot") std::printf("%s", graph_dot(*status).c_str());
  if (terms.format == "svg") std::printf("%s", graph_svg(*status).c_str());
  return status_done;
}

int run_invite(const InviteFlags& flags) {
  Json request = {{"command", "invite"}, {"uses", flags.uses}, {"relay", flags.relay}, {"subnets", flags.subnets}, {"seeds", flags.seeds}};
  const auto lifetime = parse_span(flags.expires);
  if (flags.expires != "never" && (!lifetime || lifetime->count() == 0)) {
    return complain("--expires must be a time such as 90s, 30m, 24h, 7d, or never, not '" + printable(flags.expires, 40) + "'", status_wrong);
  }
  request["expires_s"] = flags.expires == "never" ? 0 : lifetime->count();
  for (const auto& subnet : flags.subnets) {
    if (!Prefix::parse(subnet)) return complain("--subnet must be a network such as 10.20.0.0/24, not '" + printable(subnet, 60) + "'", status_wrong);
  }
  for (const auto& seed : flags.seeds) {
    if (!HostPort::parse(seed, default_hello_port)) return complain("--seed must be HOST or HOST:PORT, not '" + printable(seed, 60) + "'", status_wrong);
  }
  const auto made = ask(flags.socket, request);
  if (!made) return made.error();
  if (flags.json) return say(document(*made)), status_done;
  // The token alone goes to standard output, so that it can be piped; the rest is for the eye.
  say(text_of(*made, "token").empty() ? "" : (*made)["token"].get<std::string>());
  if (::isatty(STDERR_FILENO) == 1) {
    std::fprintf(stderr, "# for %s node%s, until %s; on the other machine: wigwag up TOKEN\n", uses_words(*made).c_str(),
                 uses_words(*made) == "1" ? "" : "s", expiry_words(*made).c_str());
  }
  return status_done;
}

int run_invites(const ShowTerms& terms) {
  const auto list = ask(terms.socket, {{"command", "invites"}});
  if (!list) return list.error();
  if (terms.json) return say(document(*list)), status_done;
  if (list->empty()) return say("no invitation was made on this node; `wigwag invite` makes one"), status_done;
  Table table({"ID", "STATE", "USED", "MADE", "EXPIRES", "CONFERS"});
  for (const auto& invite : *list) {
    const std::string state = text_of(invite, "state");
    std::vector<std::string> confers;
    if (invite.value("relay", false)) confers.emplace_back("relay");
    for (const auto& subnet : invite.value("subnets", Json::array())) confers.push_back(subnet.get<std::string>());
    table.add({{text_of(invite, "id").substr(0, 16)},
               {state, state == "open" ? Colour::good : Colour::dim},
               {uses_words(invite)},
               {utc_words(invite.value("issued_unix_s", std::int64_t{0}))},
               {expiry_words(invite)},
               {confers.empty() ? "-" : joined(confers, ", ")}});
  }
  std::printf("%s", table.text(wants_colour(STDOUT_FILENO)).c_str());
  return status_done;
}

int run_uninvite(const std::string& socket, const std::string& id) {
  const auto done = ask(socket, {{"command", "uninvite"}, {"id", id}});
  if (!done) return done.error();
  const auto used = done->value("used", std::uint64_t{0});
  say("withdrawn: " + text_of(*done, "id").substr(0, 16) + (used == 0 ? "" : "; the " + std::to_string(used) + " it let in stay members"));
  return status_done;
}

int run_reload(const std::string& socket) {
  const auto done = ask(socket, {{"command", "reload"}});
  if (!done) return done.error();
  const auto applied = done->value("applied", std::vector<std::string>{});
  say(applied.empty() ? "reloaded: nothing new to apply" : "reloaded: applied " + joined(applied, ", "));
  const auto waiting = done->value("needs_restart", std::vector<std::string>{});
  if (!waiting.empty()) {
    const bool interface = std::find(waiting.begin(), waiting.end(), "wireguard.interface") != waiting.end();
    say("cannot change while running: " + joined(waiting, ", ") + "; restart the daemon (" +
        (interface ? "it takes the old interface down before it makes the new one, so traffic stops for a moment)" : "no traffic is lost by that)"));
  }
  for (const auto& note : done->value("notes", std::vector<std::string>{})) say("note: " + note);
  return status_done;
}

}  // namespace wigwag
