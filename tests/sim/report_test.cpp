#include "sim/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/report/figures.hpp"
#include "sim/report/numbers.hpp"
#include "sim/scenario/write.hpp"

namespace wigwag::sim {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

RunOutcome eventful() {
  RunOutcome outcome;
  outcome.scenario.names = {"join-storm", "partition"};
  outcome.scenario.summary = "Three nodes, one of which is cut off";
  outcome.scenario.nodes = 3;
  outcome.scenario.duration = minutes(1);
  outcome.scenario.weather.loss = 50'000;
  outcome.seed = 18'446'744'073'709'551'615U;
  outcome.simulated_s = 60;
  outcome.wall_s = 0.5;
  outcome.nodes = 3;
  outcome.all_joined = 1.25;
  outcome.all_agreed = 1.5;
  outcome.join = {2, 0.5, 0.75, 0.8, 1.25};
  outcome.detection = {4, 3.25, 3.75, 4.125, 6.5};
  outcome.false_downs = 7;
  outcome.node_hours = 0.05;
  outcome.bytes_per_node_s = {3, 1234, 2345, 3456, 4567};
  outcome.seed_bytes_per_joiner = 9876;
  outcome.handshakes_per_node_min = 0.625;
  outcome.reachable = 0.875;
  outcome.samples = {{0, 3, 1, 1, 0, 0, 300, 6, 0, 0, 0}, {30, 3, 3, 0.5, 0.25, 0.5, 200, 1, 2, 1, 1}, {60, 3, 3, 1, 1, 1, 100, 0, 0, 0, 0}};
  outcome.identities = {{"home", "eu-west", ""}, {"office", "us-east", "laptops"}, {"phone", "", ""}};
  outcome.moments = {{0, 0, Moment::What::started, 0}, {0.5, 1, Moment::What::joined, 0}, {31.5, 2, Moment::What::down, 2}};
  outcome.played = {{25, 40, "partition: 1 node"}};
  outcome.trace.bytes[0] = 0xab;
  outcome.replay = "wigwag-sim run join-storm partition --nodes 3 --seed 18446744073709551615";
  return outcome;
}

// Interrupted before anything happened.
RunOutcome barren() {
  RunOutcome outcome;
  outcome.interrupted = true;
  return outcome;
}

RunOutcome broken() {
  RunOutcome outcome = eventful();
  outcome.broken = {{31.5, "I4", "phone was Down at home for 3 s although it could be reached", 2}, {60, "I5", "the fingerprints differ", std::nullopt}};
  return outcome;
}

// Divisions by nothing, wherever a number stands.
RunOutcome unnumbered() {
  RunOutcome outcome = eventful();
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double endless = std::numeric_limits<double>::infinity();
  for (Figure* figure : {&outcome.join, &outcome.convergence, &outcome.update, &outcome.detection, &outcome.detection_half, &outcome.detection_all, &outcome.failover, &outcome.healing, &outcome.bytes_per_node_s}) {
    *figure = {1, none, endless, -endless, none};
  }
  outcome.all_joined = none;
  outcome.all_agreed = endless;
  outcome.wall_s = none;
  outcome.node_hours = none;
  outcome.simulated_s = none;
  outcome.reachable = outcome.handshakes_per_node_min = outcome.seed_bytes_per_joiner = none;
  for (Sample& sample : outcome.samples) {
    sample.agreeing = sample.true_views = sample.reachable = sample.bytes_per_node_s = sample.handshakes_per_node_min = none;
  }
  outcome.moments.push_back({none, 0, Moment::What::left, 0});
  outcome.played.push_back({none, endless, "never"});
  outcome.broken.push_back({none, "I1", "when?", std::nullopt});
  return outcome;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string line_with(const std::string& text, const std::string& part) {
  for (const std::string& line : lines_of(text)) {
    if (line.find(part) != std::string::npos) {
      return line;
    }
  }
  return "";
}

// As a browser would: what stands between the element's opening and the first that could close it.
std::string data_of(const std::string& page) {
  const std::string opening = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(opening) + opening.size();
  return page.substr(from, page.find("</script", from) - from);
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

bool holds_the_word(const std::string& text, const std::string& word) {
  const auto letter = [&](std::size_t at) { return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_'); };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (!letter(at + word.size()) && (at == 0 || !letter(at - 1))) {
      return true;
    }
  }
  return false;
}

TEST(ReportTable, NamesEveryFigureWithItsValues) {
  const std::string text = table(eventful());
  for (const Spread& spread : spreads(eventful())) {
    EXPECT_THAT(text, HasSubstr(spread.meaning));
  }
  for (const Single& single : singles(eventful())) {
    EXPECT_THAT(text, HasSubstr(single.meaning));
  }
  EXPECT_THAT(line_with(text, "crash to 99 %"), testing::ContainsRegex("4 +3.25 +3.75 +4.12 +6.50 +p50<=4 p99<=7"));
  EXPECT_THAT(line_with(text, "sent per node"), testing::ContainsRegex("3 +1,234 +2,345 +3,456 +4,567"));
  EXPECT_THAT(line_with(text, "false deaths"), testing::ContainsRegex(" 7 "));
  EXPECT_THAT(line_with(text, "first node"), HasSubstr("9,876"));
  EXPECT_THAT(line_with(text, "node-seconds simulated"), HasSubstr("360"));
  EXPECT_THAT(line_with(text, "reachable random pairs"), testing::ContainsRegex("0.0 +50.0 +100$"));
}

TEST(ReportTable, SaysWithADashWhatWasNotObserved) {
  EXPECT_THAT(line_with(table(eventful()), "home lost"), testing::ContainsRegex(" 0 +- +- +- +-"));
  EXPECT_THAT(line_with(table(barren()), "every daemon a member"), testing::ContainsRegex(" - "));
  EXPECT_THAT(line_with(table(barren()), "random pairs, mean"), testing::ContainsRegex(" - "));
}

TEST(ReportTable, IsAtMostAHundredColumnsWide) {
  RunOutcome wide = broken();
  wide.broken[0].text = "a long story: ";
  for (int i = 0; i < 60; ++i) {
    wide.broken[0].text += "word" + std::to_string(i) + " ";
  }
  wide.scenario.names.assign(30, "scenario");
  for (Figure* figure : {&wide.join, &wide.convergence, &wide.update, &wide.detection, &wide.detection_half, &wide.detection_all, &wide.failover, &wide.healing, &wide.bytes_per_node_s}) {
    *figure = {1'234'567, 86'400, 86'400, 86'400, 604'800};
  }
  wide.samples.assign(1000, {604'800, 50'000, 50'000, 0.99999, 0.99999, 0.99999, 123'456, 1234, 0, 0, 0});
  for (const std::string& line : lines_of(table(wide))) {
    EXPECT_LE(line.size(), 100U) << line;
  }
}

TEST(ReportTable, EndsWithWhatBrokeAndHowToRunItAgain) {
  const std::string text = table(broken());
  EXPECT_THAT(text, HasSubstr("2 promises were broken"));
  EXPECT_THAT(line_with(text, "I4"), HasSubstr("31.500 s"));
  EXPECT_EQ(lines_of(text).back(), "  " + broken().replay);
  EXPECT_THAT(table(eventful()), HasSubstr("All promises were kept"));
  EXPECT_THAT(table(barren()), Not(HasSubstr("All promises were kept")));
}

TEST(ReportTable, LetsNoNameMoveTheCursor) {
  RunOutcome outcome = broken();
  outcome.scenario.names = {"a\x1b[2Jb"};
  outcome.broken[0].text = "line one\r\nline\x1b[31m two";
  EXPECT_THAT(table(outcome), Not(HasSubstr("\x1b")));
  EXPECT_THAT(table(outcome), Not(HasSubstr("\r")));
}

TEST(ReportJson, HoldsEverythingUnderItsName) {
  const json whole = json::parse(sim::json(broken()));
  EXPECT_EQ(whole["format"], 1);
  EXPECT_EQ(whole["scenario"]["names"], json({"join-storm", "partition"}));
  EXPECT_EQ(whole["scenario"]["duration"], "1m");
  EXPECT_EQ(whole["scenario"]["loss_percent"], 5.0);
  EXPECT_EQ(whole["scenario"]["toml"], write_scenario(broken().scenario));
  EXPECT_EQ(whole["run"]["seed"], "18446744073709551615");
  EXPECT_EQ(whole["run"]["simulated_s"], 60.0);
  for (const Spread& spread : spreads(broken())) {
    EXPECT_EQ(whole["figures"][spread.key]["count"], spread.figure.count) << spread.key;
    EXPECT_EQ(whole["figures"][spread.key]["max"], spread.figure.max) << spread.key;
  }
  for (const Single& single : singles(broken())) {
    EXPECT_TRUE(whole["figures"].contains(single.key)) << single.key;
  }
  EXPECT_EQ(whole["figures"]["reachable"], 0.875);
  EXPECT_EQ(whole["figures"]["all_joined_s"], 1.25);
  EXPECT_EQ(whole["samples"][1]["true_views"], 0.25);
  EXPECT_EQ(whole["samples"][1]["false_downs"], 1);
  EXPECT_EQ(whole["played"][0]["until_s"], 40.0);
  EXPECT_EQ(whole["broken"][0]["node"], 2);
  EXPECT_TRUE(whole["broken"][1]["node"].is_null());
  EXPECT_EQ(whole["trace_hash"].get<std::string>().substr(0, 4), "ab00");
  EXPECT_EQ(whole["replay"], broken().replay);
}

TEST(ReportJson, IsNotLostToANameThatIsNoUtf8) {
  RunOutcome outcome = eventful();
  outcome.scenario.summary = "caf\xe9";
  EXPECT_THAT(json::parse(sim::json(outcome))["scenario"]["summary"].get<std::string>(), HasSubstr("caf"));
}

TEST(ReportCsv, HasALineOfNamesAndOneForEachSample) {
  const std::vector<std::string> lines = lines_of(csv(eventful()));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "at_s,running,joined,agreeing,true_views,reachable,bytes_per_node_s,handshakes_per_node_min,suspects,downs,false_downs,faults\r");
  EXPECT_EQ(lines[2], "30,3,3,0.5,0.25,0.5,200,1,2,1,1,partition: 1 node\r");
  EXPECT_EQ(lines[3], "60,3,3,1,1,1,100,0,0,0,0,\r");
}

TEST(ReportCsv, QuotesWhatWouldEndAField) {
  RunOutcome outcome = eventful();
  outcome.played = {{30, 30, "cut: \"a\", b"}, {20, 50, "weather"}};
  EXPECT_THAT(csv(outcome), HasSubstr(",1,\"cut: \"\"a\"\", b; weather\"\r\n"));
}

TEST(ReportHtml, NeedsNothingFromOutside) {
  const std::string page = html(broken());
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST(ReportHtml, CarriesItsDataUnharmed) {
  const json data = json::parse(data_of(html(broken())));
  EXPECT_EQ(data["identities"][1], json({"office", "us-east", "laptops"}));
  EXPECT_EQ(data["moments"], json::parse(R"([[0,0,"started",0],[500,1,"joined",0],[31500,2,"down",2]])"));
  EXPECT_EQ(data["broken"][0]["text"], broken().broken[0].text);
  EXPECT_EQ(data["cards"].size(), spreads(broken()).size() + singles(broken()).size());
}

TEST(ReportHtml, LetsNoTextOutOfItsPlace) {
  const std::string evil = "</script><script>alert(1)</script><!-- & {{style}} \xe2\x80\xa8";
  RunOutcome outcome = broken();
  const std::size_t elements = count_of(html(outcome), "<script");
  outcome.identities[0].name = outcome.identities[0].region = evil;
  outcome.scenario.summary = outcome.scenario.names[0] = evil;
  outcome.played[0].text = outcome.broken[0].text = outcome.broken[0].invariant = outcome.replay = evil;
  const std::string page = html(outcome);
  EXPECT_EQ(count_of(page, "<script"), elements);
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script")));
  EXPECT_THAT(page, Not(HasSubstr("<!-- ")));
  const json data = json::parse(data_of(page));
  EXPECT_EQ(data["identities"][0][0], evil);
  EXPECT_EQ(data["replay"], evil);
}

// The page's own code sets text as text alone, so that what the data hold cannot become elements.
TEST(ReportHtml, WritesNoMarkupFromData) {
  const std::string page = html(eventful());
  for (const char* door : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("}) {
    EXPECT_THAT(page, Not(HasSubstr(door)));
  }
}

TEST(Report, IsWholeForARunThatWasInterruptedAtOnce) {
  EXPECT_THAT(table(barren()), HasSubstr("interrupted after 0s"));
  EXPECT_TRUE(json::parse(sim::json(barren()))["figures"]["all_joined_s"].is_null());
  EXPECT_EQ(lines_of(csv(barren())).size(), 1U);
  EXPECT_TRUE(json::parse(data_of(html(barren())))["run"]["interrupted"].get<bool>());
}

TEST(Report, NeverSaysNan) {
  const RunOutcome outcome = unnumbered();
  for (const std::string& text : {table(outcome), sim::json(outcome), csv(outcome), data_of(html(outcome))}) {
    for (const char* word : {"nan", "-nan", "inf", "-inf", "NaN", "Infinity"}) {
      EXPECT_FALSE(holds_the_word(text, word)) << word << " in " << text.substr(0, 2000);
    }
  }
  EXPECT_TRUE(json::accept(sim::json(outcome)));
}

TEST(Report, SaysTheSameOfTheSame) {
  EXPECT_EQ(html(broken()), html(broken()));
  EXPECT_EQ(sim::json(broken()), sim::json(broken()));
}

TEST(Numbers, AreSaidWithThreeDigitsThatMatter) {
  EXPECT_EQ(rounded(0), "0");
  EXPECT_EQ(rounded(0.0421), "0.042");
  EXPECT_EQ(rounded(3.14159), "3.14");
  EXPECT_EQ(rounded(27.18), "27.2");
  EXPECT_EQ(rounded(99.96), "100");
  EXPECT_EQ(rounded(1234567.8), "1,234,568");
  EXPECT_EQ(fixed(-1234.5, 1), "-1,234.5");
  EXPECT_EQ(fixed(-0.001, 2), "0.00");
  EXPECT_EQ(fixed(1e300, 2), "-");
}

TEST(Numbers, SayDurationsAsScenariosDo) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(0.25), "250ms");
  EXPECT_EQ(duration_text(90), "1m30s");
  EXPECT_EQ(duration_text(7200), "2h");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "-");
}

}  // namespace
}  // namespace wigwag::sim
