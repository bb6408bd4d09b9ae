#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "sim/cli.hpp"
#include "sim/scenario/bundled.hpp"
#include "sim/scenario/words.hpp"

namespace wigwag::sim {
namespace {

int list() {
  std::size_t widest = 0;
  for (const auto& one : bundled_scenarios()) widest = std::max(widest, one.name.size());
  for (const auto& one : bundled_scenarios()) {
    std::printf("%-*s  %s\n", static_cast<int>(widest), std::string(one.name).c_str(), one.summary.c_str());
  }
  return status_good;
}

int show(const std::string& name) {
  if (const auto* one = bundled_scenario(name)) return std::printf("%s", std::string(one->text).c_str()), status_good;
  std::vector<std::string> known;
  for (const auto& one : bundled_scenarios()) known.emplace_back(one.name);
  const auto meant = nearest(name, known);
  return complain("there is no bundled scenario '" + name + "'" + (meant ? "; did you mean " + *meant + "?" : "; see `wigwag-sim list`"));
}

}  // namespace

void add_list(CLI::App& app, Todo& todo) {
  app.add_subcommand("list", "the bundled scenarios")->callback([&todo] { todo = list; });
  auto* command = app.add_subcommand("show", "print a bundled scenario, to read or to start from");
  const auto name = std::make_shared<std::string>();
  command->add_option("name", *name, "as `list` names it")->required()->type_name("NAME");
  command->callback([&todo, name] { todo = [name] { return show(*name); }; });
}

}  // namespace wigwag::sim
