#include "sim/scenario/read.hpp"

#include <algorithm>

#include "sim/scenario/read_parts.hpp"
#include "sim/scenario/units.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

constexpr Duration clock_error_most = hours(24 * 366 * 100);
constexpr std::string_view clock_allowed = R"(how far it is ahead in whole seconds, as "90s", or behind, as "-365d"; at most a hundred years)";

std::optional<std::int64_t> parse_clock(std::string_view text) {
  const auto shift = parse_shift(text);
  if (!shift || *shift > clock_error_most || *shift < -clock_error_most || shift->count() % 1'000'000 != 0) return std::nullopt;
  return shift->count() / 1'000'000;
}

std::optional<std::uint64_t> parse_seed(std::string_view text) {
  std::uint64_t seed = 0;
  if (text.empty() || text.size() > 20) return std::nullopt;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (c < '0' || c > '9' || seed > (UINT64_MAX - digit) / 10) return std::nullopt;
    seed = seed * 10 + digit;
  }
  return seed;
}

void read_seed(Section& file, Scenario& scenario) {
  // TOML's whole numbers end at half of ours; the rest is written as a text.
  const auto* value = file.find("seed");
  if (value == nullptr) return;
  const bool plain = value->kind == TomlValue::Kind::integer || value->kind == TomlValue::Kind::text;
  const auto seed = plain ? parse_seed(value->text) : std::nullopt;
  if (seed) {
    scenario.seed = seed;
  } else {
    file.fault("seed", "cannot be " + value->text + "; allowed: a whole number from 0 to 18446744073709551615, in quotes above 9223372036854775807");
  }
}

void read_names(Section& file, const std::string& name, std::vector<std::string>& names) {
  const auto* value = file.find("names");
  if (value == nullptr) {
    names.push_back(name);
    return;
  }
  const auto is_text = [](const TomlValue& item) { return item.kind == TomlValue::Kind::text; };
  if (value->kind != TomlValue::Kind::list || !std::all_of(value->items.begin(), value->items.end(), is_text)) {
    file.fault("names", "cannot be " + value->text + "; allowed: a list of texts, what the scenario was composed of");
    return;
  }
  for (const auto& item : value->items) names.push_back(item.text);
}

void read_join(Section& join, Joining& joining) {
  join.take("pattern", joining.pattern, pattern_from, patterns_allowed());
  join.take_duration("over", joining.over, Duration::zero(), duration_most);
  join.take_count("seeds", joining.seeds, 1, 1000);
  join.take_truth("certify_themselves", joining.certify_themselves);
  join.finish();
}

void read_churn(Section& section, Churn& churn) {
  section.take("rate", churn.rate_per_minute, parse_rate, rate_allowed);
  section.take_duration("away", churn.away, Duration::zero(), duration_most);
  section.take("disk", churn.disk, fate_from, fates_allowed());
  section.take("fresh", churn.fresh, parse_share, share_allowed);
  section.finish();
}

void read_links(Section& links, Draft& draft) {
  const auto* latency = links.find("latency");
  const bool by_region = latency != nullptr && latency->kind == TomlValue::Kind::text && latency->text == "regions";
  if (latency != nullptr) draft.bundled_latencies = by_region;
  if (!by_region) {
    links.take("latency", draft.scenario.weather.latency, parse_latency,
               std::string(latency_allowed) + R"(; or "regions", the bundled ones between the regions)");
  }
  read_weather(links, draft.scenario.weather);
}

void read_region(Section& section, Scenario& scenario) {
  Region region;
  if (!section.has("name")) section.fault("name", "a region needs one");
  section.take_name("name", region.name);
  section.take_count("weight", region.weight, 0, 1'000'000);
  section.finish();
  const auto same = std::find_if(scenario.regions.begin(), scenario.regions.end(), [&](const Region& r) { return r.name == region.name; });
  if (same == scenario.regions.end()) {
    scenario.regions.push_back(region);
  } else {
    *same = region;
  }
}

void read_region_link(Section& section, Draft& draft) {
  RegionLink link;
  const auto* between = section.find("between");
  const bool two = between != nullptr && between->kind == TomlValue::Kind::list && between->items.size() == 2;
  if (two && is_name(between->items[0].text) && is_name(between->items[1].text)) {
    link.a = between->items[0].text, link.b = between->items[1].text;
  } else {
    section.fault("between", R"(allowed: the names of two regions, as ["eu-west", "us-east"], which may be the same)");
  }
  if (!section.has("latency")) section.fault("latency", "a link between regions needs one: " + std::string(latency_allowed));
  section.take("latency", link.latency, parse_latency, latency_allowed);
  section.finish();
  auto& links = draft.scenario.region_links;
  const auto same = std::find_if(links.begin(), links.end(), [&](const RegionLink& l) {
    return (l.a == link.a && l.b == link.b) || (l.a == link.b && l.b == link.a);
  });
  if (same == links.end()) {
    links.push_back(link);
    draft.region_links.push_back(section.place());
  } else {
    draft.region_links[static_cast<std::size_t>(same - links.begin())] = section.place();
    *same = link;
  }
}

void read_group(Section& section, Draft& draft) {
  NodeGroup group;
  if (!section.has("name")) section.fault("name", "a group needs one");
  section.take_name("name", group.name);
  std::size_t count = 0;
  Ppm share = 0;
  if (section.take_count("count", count, 0, nodes_most)) group.count = count;
  if (section.take("share", share, parse_share, share_allowed)) group.share = share;
  if (section.has("count") == section.has("share")) section.fault("share", R"(a group needs either a count, as 3, or a share, as "10%")");
  section.take_name("region", group.region);
  group.nat = read_nat(section, "nat");
  section.take_count("behind_one", group.behind_one, 1, behind_one_most);
  section.take("clock", group.clock_s, parse_clock, clock_allowed);
  section.take_duration("cpu", group.cpu, Duration::zero(), seconds(10));
  section.take_truth("newer", group.newer);
  Behaviour hostile{};
  if (section.take("hostile", hostile, behaviour_from, behaviours_allowed())) group.hostile = hostile;
  if (auto links = section.table("links")) {
    group.weather = draft.scenario.weather;
    links->take("latency", group.weather->latency, parse_latency, latency_allowed);
    read_weather(*links, *group.weather);
  }
  section.finish();
  put_group(draft, std::move(group), section.place());
}

void read_top(Section& file, Draft& draft, const std::string& name) {
  Scenario& scenario = draft.scenario;
  read_names(file, name, scenario.names);
  std::string summary;
  if (file.take_text("summary", summary)) scenario.summary += (scenario.summary.empty() ? "" : "; ") + summary;
  file.take_count("nodes", scenario.nodes, 1, nodes_most);
  if (file.take_duration("duration", scenario.duration, duration_least, duration_most)) draft.duration = file.place_of("duration");
  if (file.take_duration("calm", scenario.calm, Duration::zero(), duration_most)) {
    draft.calm_said = true;
    draft.calm = file.place_of("calm");
  }
  read_seed(file, scenario);
}

}  // namespace

void read_weather(Section& links, Weather& weather) {
  links.take("loss", weather.loss, parse_share, share_allowed);
  links.take("duplication", weather.duplication, parse_share, share_allowed);
  links.take("reordering", weather.reordering, parse_share, share_allowed);
  links.take_duration("reordered_by", weather.reordered_by, Duration::zero(), minutes(1));
  links.take("bandwidth", weather.bandwidth, parse_bandwidth, bandwidth_allowed);
  links.take_duration("queue", weather.queue, Duration::zero(), minutes(1));
  links.take_count("mtu", weather.mtu, 0, 65'535);
  if (auto bursts = links.table("bursts")) {
    bursts->take("loss", weather.bursts.loss, parse_share, share_allowed);
    bursts->take_duration("lasting", weather.bursts.lasting, milliseconds(1), hours(24));
    bursts->take_duration("between", weather.bursts.between, milliseconds(1), hours(24));
    bursts->finish();
  }
  links.finish();
}

std::optional<NatKind> read_nat(Section& section, std::string_view key) {
  const auto* value = section.find(key);
  if (value == nullptr) return std::nullopt;
  NatKind nat;
  if (value->kind != TomlValue::Kind::table) {
    const std::string allowed = std::string(nat_allowed) + ", or a table with filter, symmetric, hairpin and idle";
    return section.take(key, nat, parse_nat, allowed) ? std::optional(nat) : std::nullopt;
  }
  auto table = section.table(key);
  table->take("filter", nat.filter, filter_from, filters_allowed());
  table->take_truth("symmetric", nat.symmetric);
  table->take_truth("hairpin", nat.hairpin);
  table->take_duration("idle", nat.idle, seconds(1), hours(24));
  table->finish();
  return nat;
}

std::vector<Fault> lay_over(Draft& draft, std::string_view text, const std::string& path, const std::string& name) {
  std::vector<Fault> faults;
  const auto tree = parse_toml(text, path);
  if (!tree) return {tree.error()};
  Section file(*tree, "", path, faults);
  read_top(file, draft, name);
  // Groups and events that say something of their links say it over these.
  if (auto links = file.table("links")) read_links(*links, draft);
  if (auto join = file.table("join")) read_join(*join, draft.scenario.joining);
  if (auto churn = file.table("churn")) read_churn(*churn, draft.scenario.churn);
  for (auto& region : file.tables("region")) read_region(region, draft.scenario);
  for (auto& link : file.tables("region_link")) read_region_link(link, draft);
  for (auto& group : file.tables("group")) read_group(group, draft);
  for (auto& event : file.tables("event")) read_event(event, draft);
  file.finish();
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.place.line < b.place.line; });
  return faults;
}

Result<Scenario, std::vector<Fault>> read_scenario(std::string_view text, const std::string& path) {
  Draft draft;
  const auto slash = path.rfind('/') + 1;
  if (auto faults = lay_over(draft, text, path, path.substr(slash, path.rfind(".toml") - slash)); !faults.empty()) return Unexpected{faults};
  auto finished = finish(std::move(draft));
  if (!finished) return Unexpected{finished.error()};
  return std::move(*finished).scenario;
}

}  // namespace wigwag::sim
