#include "sim/scenario/write.hpp"

#include <limits>

#include "sim/scenario/toml_tree.hpp"
#include "sim/scenario/units.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

std::string quoted(std::string_view text) { return toml_text(text); }
std::string quoted(Duration duration) { return toml_text(print_duration(duration)); }

// Keys and values, to be put on lines of their own or in braces.
class Pairs {
 public:
  void add(std::string_view key, const std::string& value) { all_.push_back(std::string(key) + " = " + value); }
  template <class Value, class Print>
  void add_changed(std::string_view key, const Value& value, const Value& base, Print print) {
    if (value != base) add(key, print(value));
  }
  bool empty() const { return all_.empty(); }
  std::string lines() const {
    std::string text;
    for (const auto& pair : all_) text += pair + "\n";
    return text;
  }
  std::string inline_table() const {
    std::string text;
    for (const auto& pair : all_) text += (text.empty() ? " " : ", ") + pair;
    return "{" + text + " }";
  }

 private:
  std::vector<std::string> all_;
};

const auto share = [](Ppm value) { return toml_text(print_share(value)); };
const auto time_text = [](Duration value) { return quoted(value); };
const auto number = [](auto value) { return std::to_string(value); };
const auto truth = [](bool value) { return std::string(value ? "true" : "false"); };
const auto name_text = [](const std::string& value) { return toml_text(value); };
const auto word_text = [](auto value) { return toml_text(word(value)); };

Pairs links_pairs(const Weather& weather, const Weather& base) {
  Pairs pairs, bursts;
  pairs.add_changed("latency", weather.latency, base.latency, [](const Latency& l) { return quoted(print_latency(l)); });
  pairs.add_changed("loss", weather.loss, base.loss, share);
  pairs.add_changed("duplication", weather.duplication, base.duplication, share);
  pairs.add_changed("reordering", weather.reordering, base.reordering, share);
  pairs.add_changed("reordered_by", weather.reordered_by, base.reordered_by, time_text);
  pairs.add_changed("bandwidth", weather.bandwidth, base.bandwidth, [](std::uint64_t b) { return quoted(print_bandwidth(b)); });
  pairs.add_changed("queue", weather.queue, base.queue, time_text);
  pairs.add_changed("mtu", weather.mtu, base.mtu, number);
  bursts.add_changed("loss", weather.bursts.loss, base.bursts.loss, share);
  bursts.add_changed("lasting", weather.bursts.lasting, base.bursts.lasting, time_text);
  bursts.add_changed("between", weather.bursts.between, base.bursts.between, time_text);
  if (!bursts.empty()) pairs.add("bursts", bursts.inline_table());
  return pairs;
}

std::string nat_text(const NatKind& nat) {
  if (const auto plain = print_nat(nat)) return quoted(*plain);
  Pairs pairs;
  const NatKind base;
  pairs.add("filter", word_text(nat.filter));
  pairs.add_changed("symmetric", nat.symmetric, base.symmetric, truth);
  pairs.add_changed("hairpin", nat.hairpin, base.hairpin, truth);
  pairs.add_changed("idle", nat.idle, base.idle, time_text);
  return pairs.inline_table();
}

std::string selection_text(const Selection& who) {
  Pairs pairs;
  std::string nodes;
  for (const auto node : who.nodes) nodes += (nodes.empty() ? "" : ", ") + std::to_string(node);
  if (!nodes.empty()) pairs.add("nodes", "[" + nodes + "]");
  if (!who.group.empty()) pairs.add("group", quoted(who.group));
  if (!who.region.empty()) pairs.add("region", quoted(who.region));
  if (who.count) pairs.add("count", std::to_string(*who.count));
  if (who.share) pairs.add("share", share(*who.share));
  return pairs.inline_table();
}

std::string top_text(const Scenario& scenario) {
  Pairs pairs;
  std::string names;
  for (const auto& name : scenario.names) names += (names.empty() ? "" : ", ") + quoted(name);
  pairs.add("names", "[" + names + "]");
  if (!scenario.summary.empty()) pairs.add("summary", quoted(scenario.summary));
  pairs.add("nodes", std::to_string(scenario.nodes));
  pairs.add("duration", quoted(scenario.duration));
  pairs.add("calm", quoted(scenario.calm));
  // TOML's whole numbers end at half of ours.
  if (scenario.seed) {
    const auto digits = std::to_string(*scenario.seed);
    pairs.add("seed", *scenario.seed > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ? quoted(digits) : digits);
  }
  return pairs.lines();
}

std::string join_text(const Joining& joining) {
  Pairs pairs;
  const Joining base;
  pairs.add_changed("pattern", joining.pattern, base.pattern, word_text);
  pairs.add_changed("over", joining.over, base.over, time_text);
  pairs.add_changed("seeds", joining.seeds, base.seeds, number);
  pairs.add_changed("certify_themselves", joining.certify_themselves, base.certify_themselves, truth);
  return pairs.empty() ? "" : "\n[join]\n" + pairs.lines();
}

std::string churn_text(const Churn& churn) {
  Pairs pairs;
  const Churn base;
  pairs.add_changed("rate", churn.rate_per_minute, base.rate_per_minute, [](Ppm rate) { return quoted(print_rate(rate)); });
  pairs.add_changed("away", churn.away, base.away, time_text);
  pairs.add_changed("disk", churn.disk, base.disk, word_text);
  pairs.add_changed("fresh", churn.fresh, base.fresh, share);
  return pairs.empty() ? "" : "\n[churn]\n" + pairs.lines();
}

std::string regions_text(const Scenario& scenario) {
  std::string text;
  for (const auto& region : scenario.regions) {
    Pairs pairs;
    pairs.add("name", quoted(region.name));
    pairs.add_changed("weight", region.weight, Region{}.weight, number);
    text += "\n[[region]]\n" + pairs.lines();
  }
  for (const auto& link : scenario.region_links) {
    Pairs pairs;
    pairs.add("between", "[" + quoted(link.a) + ", " + quoted(link.b) + "]");
    pairs.add("latency", quoted(print_latency(link.latency)));
    text += "\n[[region_link]]\n" + pairs.lines();
  }
  return text;
}

std::string group_text(const NodeGroup& group, const Weather& ordinary) {
  Pairs pairs;
  const NodeGroup base;
  pairs.add("name", quoted(group.name));
  if (group.count) pairs.add("count", std::to_string(*group.count));
  if (group.share) pairs.add("share", share(*group.share));
  pairs.add_changed("region", group.region, base.region, name_text);
  if (group.nat) pairs.add("nat", nat_text(*group.nat));
  pairs.add_changed("behind_one", group.behind_one, base.behind_one, number);
  if (group.clock_s != 0) pairs.add("clock", quoted(seconds(group.clock_s)));
  pairs.add_changed("cpu", group.cpu, base.cpu, time_text);
  pairs.add_changed("newer", group.newer, base.newer, truth);
  if (group.hostile) pairs.add("hostile", word_text(*group.hostile));
  if (group.weather) pairs.add("links", links_pairs(*group.weather, ordinary).inline_table());
  return "\n[[group]]\n" + pairs.lines();
}

std::string event_text(const Happening& event, const Weather& ordinary) {
  Pairs pairs;
  const Happening base;
  pairs.add("at", quoted(event.at));
  pairs.add("do", word_text(event.kind));
  if (event.lasting) pairs.add("for", quoted(*event.lasting));
  if (event.who != base.who) pairs.add("who", selection_text(event.who));
  if (event.kind == Happening::Kind::one_way) pairs.add("other", selection_text(event.other));
  if (event.kind == Happening::Kind::clock || event.amount != base.amount) pairs.add("amount", quoted(event.amount));
  pairs.add_changed("over", event.spread, base.spread, time_text);
  pairs.add_changed("disk", event.disk, base.disk, word_text);
  if (event.weather) pairs.add("links", links_pairs(*event.weather, ordinary).inline_table());
  if (event.behaviour) pairs.add("behaviour", word_text(*event.behaviour));
  return "\n[[event]]\n" + pairs.lines();
}

}  // namespace

std::string write_scenario(const Scenario& scenario) {
  std::string text = top_text(scenario);
  const auto links = links_pairs(scenario.weather, Weather{});
  if (!links.empty()) text += "\n[links]\n" + links.lines();
  text += join_text(scenario.joining) + churn_text(scenario.churn) + regions_text(scenario);
  for (const auto& group : scenario.groups) text += group_text(group, scenario.weather);
  for (const auto& event : scenario.happenings) text += event_text(event, scenario.weather);
  return text;
}

}  // namespace wigwag::sim
