#include <algorithm>

#include "sim/scenario/read_parts.hpp"
#include "sim/scenario/units.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

using Kind = Happening::Kind;

// What a kind of event is made of beside `at`, `do` and `who`.
struct Takes {
  bool lasting = false, spread = false, disk = false, amount = false, other = false, links = false, behaviour = false;
};

Takes takes(Kind kind) {
  Takes t;
  switch (kind) {
    case Kind::crash: t.lasting = t.spread = true; break;
    case Kind::reboot: t.lasting = t.spread = t.disk = true; break;
    case Kind::restart: t.spread = t.disk = true; break;
    case Kind::upgrade: t.spread = t.disk = true; break;
    case Kind::leave: t.spread = true; break;
    case Kind::join: t.spread = true; break;
    case Kind::pause: t.lasting = true; break;
    case Kind::busy: t.lasting = t.amount = true; break;
    case Kind::cut: t.lasting = true; break;
    case Kind::one_way: t.lasting = t.other = true; break;
    case Kind::partition: t.lasting = true; break;
    case Kind::weather: t.lasting = t.links = true; break;
    case Kind::clock: t.lasting = t.amount = true; break;
    case Kind::move: t.spread = true; break;
    case Kind::rebind: t.spread = true; break;
    case Kind::disk_fails: t.lasting = true; break;
    case Kind::flap: t.lasting = t.amount = true; break;
    case Kind::turn_hostile: t.lasting = t.behaviour = true; break;
    case Kind::swap: break;
  }
  return t;
}

void read_amount(Section& event, Happening& happening) {
  const bool said = event.has("amount");
  if (happening.kind == Kind::clock) {
    if (!said) event.fault("amount", R"(needed: how far the clock jumps, as "1h" or "-365d")");
    const auto parse = [](std::string_view text) {
      const auto shift = parse_shift(text);
      constexpr Duration most = hours(24 * 366 * 100);
      return shift && *shift <= most && *shift >= -most ? shift : std::nullopt;
    };
    event.take("amount", happening.amount, parse, R"(how far the clock jumps, as "1h" or "-365d"; at most a hundred years)");
    return;
  }
  if (!said) {
    event.fault("amount", happening.kind == Kind::busy ? R"(needed: what each input costs, as "5ms")"
                                                       : R"(needed: how long the cable is out, and then in, as "3s")");
  }
  const bool busy = happening.kind == Kind::busy;
  event.take_duration("amount", happening.amount, busy ? microseconds(1) : milliseconds(1), busy ? Duration(seconds(10)) : Duration(hours(24)));
}

void read_weather_of(Section& event, const Weather& ordinary, Happening& happening) {
  auto links = event.table("links");
  if (!links) {
    if (!event.has("links")) event.fault("links", R"(needed: what changes, as { loss = "30%" })");
    return;
  }
  happening.weather = ordinary;
  links->take("latency", happening.weather->latency, parse_latency, latency_allowed);
  read_weather(*links, *happening.weather);
}

void read_rest(Section& event, const Weather& ordinary, Happening& happening) {
  const Takes takes_it = takes(happening.kind);
  if (takes_it.lasting && event.has("for")) {
    Duration lasting{};
    if (event.take_duration("for", lasting, milliseconds(1), duration_most)) happening.lasting = lasting;
  }
  if (takes_it.spread) event.take_duration("over", happening.spread, Duration::zero(), duration_most);
  if (takes_it.disk) event.take("disk", happening.disk, fate_from, fates_allowed());
  if (takes_it.amount) read_amount(event, happening);
  if (takes_it.links) read_weather_of(event, ordinary, happening);
  if (takes_it.behaviour) {
    Behaviour behaviour{};
    if (!event.has("behaviour")) event.fault("behaviour", "needed: " + behaviours_allowed());
    if (event.take("behaviour", behaviour, behaviour_from, behaviours_allowed())) happening.behaviour = behaviour;
  }
  if (!takes_it.other) return;
  if (!event.has("other")) event.fault("other", R"(needed: whom the nodes of `who` no longer hear, as { count = 3 })");
  if (auto other = event.table("other")) happening.other = read_selection(*other);
}

}  // namespace

Selection read_selection(Section& who) {
  Selection selection;
  if (const auto* nodes = who.find("nodes")) {
    const auto is_number = [](const TomlValue& item) {
      return item.kind == TomlValue::Kind::integer && item.integer >= 0 && item.integer < nodes_most;
    };
    if (nodes->kind == TomlValue::Kind::list && !nodes->items.empty() && std::all_of(nodes->items.begin(), nodes->items.end(), is_number)) {
      for (const auto& item : nodes->items) selection.nodes.push_back(static_cast<std::size_t>(item.integer));
    } else {
      who.fault("nodes", "allowed: a list of node numbers, from 0 (the founder), as [0, 3]");
    }
  }
  who.take_name("group", selection.group);
  who.take_name("region", selection.region);
  std::size_t count = 0;
  Ppm share = 0;
  if (who.take_count("count", count, 1, nodes_most)) selection.count = count;
  if (who.take("share", share, parse_share, share_allowed)) selection.share = share;
  if (who.has("count") && who.has("share")) who.fault("share", "either a count or a share, not both");
  if (who.has("nodes") && (who.has("group") || who.has("region") || who.has("count") || who.has("share"))) {
    who.fault("nodes", "names the nodes; nothing else goes beside it");
  }
  who.finish();
  return selection;
}

void read_event(Section& event, Draft& draft) {
  Happening happening;
  if (!event.has("at")) event.fault("at", R"(needed: when it happens, from the start of the run, as "2m")");
  event.take_duration("at", happening.at, Duration::zero(), duration_most);
  if (!event.has("do")) event.fault("do", "needed: what happens; allowed: " + kinds_allowed());
  const bool known = event.take("do", happening.kind, kind_from, kinds_allowed());
  if (auto who = event.table("who")) happening.who = read_selection(*who);
  // Without knowing what happens nobody can say which other keys are right.
  if (!known) return;
  if (happening.kind == Kind::join && !happening.who.count) event.fault("who", "needed: how many join, as { count = 5 }");
  read_rest(event, draft.scenario.weather, happening);
  event.finish();
  draft.scenario.happenings.push_back(std::move(happening));
  draft.happenings.push_back(event.place());
}

}  // namespace wigwag::sim
