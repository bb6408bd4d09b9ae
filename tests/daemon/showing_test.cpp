#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/event_log.hpp"
#include "daemon/graph.hpp"
#include "daemon/path_watch.hpp"
#include "daemon/status_json.hpp"
#include "daemon/status_text.hpp"
#include "daemon/table.hpp"
#include "daemon/words.hpp"
#include "netlink/error.hpp"

namespace wigwag {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

template <class Key>
Key key_of(std::uint8_t byte) {
  Key key;
  key.bytes.fill(byte);
  return key;
}

MemberStatus member(const std::string& name, std::uint8_t byte) {
  MemberStatus made;
  made.id = key_of<NodeId>(byte);
  made.name = name;
  made.tunnel_key = key_of<TunnelKey>(byte);
  made.ipv4 = Address::parse("10.99.0." + std::to_string(byte));
  made.ipv6 = *Address::parse("fd00::" + std::to_string(byte));
  made.epoch = 1'795'000'000;
  made.sequence = 3;
  return made;
}

NodeStatus two_members() {
  NodeStatus status;
  status.network = key_of<NetworkId>(9);
  status.network_name = "home";
  status.ipv4_prefix = Prefix::parse("10.99.0.0/16");
  status.ipv6_prefix = *Prefix::parse("fd00::/48");
  status.joined = status.converged = true;
  status.self = member("fra-1", 1);
  status.self.path = PathKind::self;
  MemberStatus other = member("ams-2", 2);
  other.path = PathKind::direct;
  other.endpoint = Endpoint::parse("198.51.100.7:51820");
  other.rtt = microseconds(12'412);
  other.last_handshake_unix_s = 1'795'000'100 - 41;
  other.rx_bytes = 1234;
  other.tx_bytes = 5'600'000;
  other.subnets = {*Prefix::parse("10.20.0.0/24")};
  status.members = {other, status.self};
  status.subnets = {{*Prefix::parse("10.20.0.0/24"), other.id, "ams-2", {"fra-1"}, true, ""},
                    {*Prefix::parse("10.30.0.0/24"), std::nullopt, "", {}, false, "this node's certificate does not confer it"}};
  status.announced = {*Endpoint::parse("203.0.113.5:51820")};
  return status;
}

Json document() { return status_json(two_members(), {"wigwag0", "kernel", 51820, 51822, true}, {1'795'000'100}); }

// The fields that scripts rely on, by name and type.
TEST(StatusDocument, HasTheFieldsOfTheContract) {
  const Json status = document();
  const Json expected = Json::parse(R"({"name":"ams-2","id":"0202020202020202020202020202020202020202020202020202020202020202",
    "public_key":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=","ipv4":"10.99.0.2","ipv6":"fd00::2","health":"alive","relay":false,
    "subnets":["10.20.0.0/24"],"path":{"kind":"direct","via":[],"endpoint":"198.51.100.7:51820"},"version":1882193920000003,
    "rtt_ms":12.41,"last_handshake_s":41,"rx_bytes":1234,"tx_bytes":5600000})");
  EXPECT_EQ(status["members"][0], expected);
  EXPECT_EQ(status["network"], Json::parse(R"({"name":"home","id":"0909090909090909090909090909090909090909090909090909090909090909",
    "ipv4":"10.99.0.0/16","ipv6":"fd00::/48"})"));
  EXPECT_EQ(status["self"], Json::parse(R"({"name":"fra-1","id":"0101010101010101010101010101010101010101010101010101010101010101",
    "public_key":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","ipv4":"10.99.0.1","ipv6":"fd00::1","relay":false,
    "version":1882193920000003,"interface":"wigwag0","backend":"kernel","listen_port":51820,"hello_port":51822,
    "endpoints":["203.0.113.5:51820"]})"));
  EXPECT_EQ(status["subnets"][0], Json::parse(R"({"subnet":"10.20.0.0/24","carrier":"ams-2",
    "carrier_id":"0202020202020202020202020202020202020202020202020202020202020202","others":["fra-1"],"routed":true,"why_not":""})"));
  EXPECT_TRUE(status["subnets"][1]["carrier"].is_null());
  EXPECT_EQ(status["converged"], true);
  EXPECT_EQ(status["digest"].get<std::string>().size(), 64U);
  EXPECT_EQ(status["members"][1]["path"]["kind"], "self");
  EXPECT_TRUE(status["members"][1]["rtt_ms"].is_null());
  EXPECT_TRUE(status["members"][1]["last_handshake_s"].is_null());
}

TEST(StatusDocument, IsConvergedOnlyWhenCoreAndKernelAre) {
  NodeStatus status = two_members();
  EXPECT_EQ(status_json(status, {"w", "kernel", 1, 3, false}, {})["converged"], false);
  status.converged = false;
  EXPECT_EQ(status_json(status, {"w", "kernel", 1, 3, true}, {})["converged"], false);
  status.converged = true;
  status.joined = false;
  EXPECT_EQ(status_json(status, {"w", "kernel", 1, 3, true}, {})["converged"], false);
}

TEST(VersionNumber, GrowsWithTheVersionAndStaysCountable) {
  EXPECT_LT(version_number(5, 7), version_number(5, 8));
  EXPECT_LT(version_number(5, 0xffffffff), version_number(6, 0));
  EXPECT_LT(version_number(0xffffffff, 0xffffffff), 1ULL << 53);
}

TEST(StatusText, ShowsEveryMemberInColumns) {
  const std::string text = status_text(document(), false);
  EXPECT_THAT(text, HasSubstr("network home  10.99.0.0/16"));
  EXPECT_THAT(text, HasSubstr("converged"));
  EXPECT_THAT(text, HasSubstr("ams-2"));
  EXPECT_THAT(text, HasSubstr("12.4 ms"));
  EXPECT_THAT(text, HasSubstr("41 s ago"));
  EXPECT_THAT(text, HasSubstr("5.6 MB"));
  EXPECT_THAT(text, HasSubstr("fra-1 *"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(status_text(document(), true), HasSubstr("\033[32malive"));
}

TEST(StatusText, ShowsWhoCarriesWhatAndWhatIsNotAnnounced) {
  const std::string text = status_text(document(), false);
  EXPECT_THAT(text, HasSubstr("CARRIED BY"));
  EXPECT_THAT(text, HasSubstr("10.20.0.0/24"));
  EXPECT_THAT(text, HasSubstr("not announced: this node's certificate does not confer it"));
}

TEST(StatusText, TakesDocumentsThatLackEverything) {
  for (const char* text : {"{}", R"({"members":[1,{}]})", R"({"members":{},"self":[],"network":5})"}) {
    EXPECT_THAT(status_text(Json::parse(text), false), HasSubstr("not joined yet"));
  }
}

TEST(StatusText, NeverSteersATerminal) {
  Json status = document();
  status["members"][0]["name"] = "evil\033[2J\n";
  EXPECT_THAT(status_text(status, false), Not(HasSubstr("\033")));
}

TEST(Graph, DrawsEveryMemberAndEveryPathOfThisNode) {
  const Json graph = graph_json(document());
  EXPECT_THAT(graph["nodes"], SizeIs(2));
  ASSERT_THAT(graph["edges"], SizeIs(1));
  EXPECT_EQ(graph["edges"][0]["kind"], "direct");
  const std::string dot = graph_dot(document());
  EXPECT_THAT(dot, HasSubstr("label=\"ams-2\\n10.99.0.2\""));
  EXPECT_THAT(dot, HasSubstr(" -- "));
  const std::string svg = graph_svg(document());
  EXPECT_THAT(svg, testing::StartsWith("<svg xmlns"));
  EXPECT_THAT(svg, HasSubstr("12.4 ms"));
  EXPECT_THAT(svg, HasSubstr(">ams-2</text>"));
  EXPECT_EQ(svg.find("href"), std::string::npos) << "it needs nothing else";
}

TEST(Graph, EscapesWhatItPrints) {
  Json status = document();
  status["members"][0]["name"] = "<b>&\"";
  EXPECT_THAT(graph_svg(status), HasSubstr("&lt;b&gt;&amp;&quot;"));
  status["network"]["name"] = "a\"]; evil";
  EXPECT_THAT(graph_dot(status), HasSubstr("graph \"a\\\"]; evil\" {"));
}

TEST(Graph, OfNobodyIsStillAPicture) {
  EXPECT_THAT(graph_svg(Json::object()), HasSubstr("</svg>"));
  EXPECT_THAT(graph_dot(Json::object()), HasSubstr("}"));
}

class Log : public testing::Test {
 protected:
  EventLog log{[this](LogLevel, const std::string& line) { lines.push_back(line); }};
  std::vector<std::string> lines;
  static Now at(double s) { return {Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s))), {1'795'000'000}}; }
  static Event event(EventKind kind, std::uint8_t subject, const std::string& name, const std::string& detail = {}) {
    return {kind, key_of<NodeId>(subject), name, detail};
  }
};

TEST_F(Log, TellsOneMembersChangeOnOneLine) {
  log.add(event(EventKind::member_joined, 1, "fra-1"), at(0));
  log.add(event(EventKind::member_suspect, 1, "fra-1"), at(0));
  log.add(event(EventKind::member_down, 1, "fra-1", "5 of 8"), at(0));
  EXPECT_THAT(lines, ElementsAre("member_joined member=fra-1 now=alive id=010101010101",
                                 "member_suspect member=fra-1 was=alive now=suspect id=010101010101",
                                 "member_down member=fra-1 was=suspect now=dead id=010101010101 detail=\"5 of 8\""));
}

TEST_F(Log, NeverLeavesOutAMembersComingOrGoing) {
  for (std::uint8_t i = 1; i <= 50; ++i) {
    log.add(event(EventKind::member_joined, i, "n"), at(0));
    log.add(event(EventKind::member_down, i, "n"), at(0));
  }
  EXPECT_THAT(lines, SizeIs(100));
}

TEST_F(Log, TellsWhatStrangersCauseOnceASecondAndCountsTheRest) {
  for (int i = 0; i < 1000; ++i) log.add(event(EventKind::caller_refused, 7, "", "bad"), at(i * 0.0005));
  EXPECT_THAT(lines, SizeIs(1));
  log.add(event(EventKind::caller_refused, 7, "", "bad"), at(1.2));
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines.back(), HasSubstr("left_out=999"));
  log.add(event(EventKind::caller_refused, 7, "", "bad"), at(1.3));
  log.flush(at(1.4));
  EXPECT_THAT(lines, SizeIs(2));
  log.flush(at(3));
  EXPECT_EQ(lines.back(), "caller_refused left_out=1");
}

TEST_F(Log, KeepsTheLastThousandAndNumbersThem) {
  for (int i = 0; i < 1500; ++i) log.add(event(EventKind::member_alive, 1, "n"), at(i));
  EXPECT_THAT(log.kept(), SizeIs(EventLog::kept_max));
  EXPECT_EQ(log.kept().back().number, 1500U);
  const Json json = event_json(log.kept().back());
  EXPECT_EQ(json["kind"], "member_alive");
  EXPECT_EQ(json["member"], "n");
  EXPECT_EQ(json["time"], "2026-11-18T11:06:40Z");
}

TEST_F(Log, CannotBeForgedByAName) {
  log.add(event(EventKind::member_joined, 1, "a\nmember_down member=b", "x\033[2J"), at(0));
  EXPECT_EQ(lines[0].find('\n'), std::string::npos);
  EXPECT_EQ(lines[0].find('\033'), std::string::npos);
}

class Paths : public testing::Test {
 protected:
  Paths() {
    status.members = {member("fra-1", 1), member("ams-2", 2)};
    status.members[0].path = PathKind::self;
  }
  std::vector<PathChange> look(double s) { return watch.look(status, Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s)))); }
  MemberStatus& other() { return status.members[1]; }
  NodeStatus status;
  PathWatch watch;
};

TEST_F(Paths, AreToldWhenTheyChangeAndNotAtTheStart) {
  other().path = PathKind::direct;
  EXPECT_THAT(look(0), SizeIs(0));
  EXPECT_THAT(look(5), SizeIs(0));
  other().path = PathKind::none;
  const auto lost = look(20);
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].name, "ams-2");
  EXPECT_EQ(lost[0].was, PathKind::direct);
  EXPECT_EQ(lost[0].now, PathKind::none);
  other().path = PathKind::direct;
  other().endpoint = Endpoint::parse("198.51.100.7:51820");
  const auto found = look(40);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].detail, "at 198.51.100.7:51820");
}

TEST_F(Paths, OfANewMemberBeginWithNone) {
  look(0);
  status.members.push_back(member("lon-3", 3));
  EXPECT_THAT(look(1), SizeIs(0));
  status.members[2].path = PathKind::direct;
  EXPECT_THAT(look(2), SizeIs(1));
}

TEST_F(Paths, ThatComeAndGoAreToldOnceInTenSeconds) {
  look(0);
  std::size_t told = 0;
  for (int i = 1; i <= 1000; ++i) {
    other().path = i % 2 == 0 ? PathKind::none : PathKind::direct;
    told += look(i * 0.1).size();
  }
  EXPECT_LE(told, 10U);
  EXPECT_GE(told, 5U);
  other().path = PathKind::direct;
  look(200);
  EXPECT_THAT(look(300), SizeIs(0)) << "what was held back is told once it is so for good";
}

TEST_F(Paths, OfManyMembersAreToldAFewAtATime) {
  for (std::uint8_t i = 3; i < 103; ++i) status.members.push_back(member("m" + std::to_string(i), i));
  look(0);
  for (auto& one : status.members) one.path = one.path == PathKind::self ? PathKind::self : PathKind::direct;
  std::size_t told = 0;
  for (int i = 0; i < 4; ++i) {
    const auto now = look(i).size();
    EXPECT_LE(now, PathWatch::told_at_once);
    told += now;
  }
  EXPECT_EQ(told, 101U);
}

TEST_F(Log, TellsOfAPath) {
  log.add(PathChange{key_of<NodeId>(1), "fra-1", PathKind::none, PathKind::direct, "at 198.51.100.7:51820"}, at(0));
  EXPECT_THAT(lines, ElementsAre("path_changed member=fra-1 was=none now=direct id=010101010101 detail=\"at 198.51.100.7:51820\""));
  EXPECT_EQ(event_json(log.kept().back())["kind"], "path_changed");
}

TEST(Table, AlignsByCharactersAndNotBytes) {
  Table table({"A", "B"});
  table.add({{"ü"}, {"1", Colour::none, true}});
  table.add({{"xyz"}, {"100", Colour::none, true}});
  EXPECT_EQ(table.text(false), "A      B\nü      1\nxyz  100\n");
}

TEST(NetErrors, OfAForeignInterfaceAreASentence) {
  const std::string text = to_string(NetError{NetFault::foreign_device, 0, "use interface eth0: it exists and is no WireGuard interface"});
  EXPECT_THAT(text, testing::StartsWith("cannot use interface eth0: it exists and is no WireGuard interface ("));
  EXPECT_THAT(to_string(NetError{NetFault::busy, 0, "add route"}), testing::StartsWith("add route failed ("));
}

TEST(Words, FindTheNearestKey) {
  const std::vector<std::string> keys = {"node.name", "node.relay", "wireguard.port"};
  EXPECT_EQ(nearest_word("node.nmae", keys), "node.name");
  EXPECT_EQ(nearest_word("wiregaurd.port", keys), "wireguard.port");
  EXPECT_FALSE(nearest_word("completely.different", keys));
  EXPECT_FALSE(nearest_word(std::string(5000, 'a'), keys));
}

TEST(Words, ReadSpans) {
  EXPECT_EQ(parse_span("24h"), std::chrono::hours(24));
  EXPECT_EQ(parse_span("90"), std::chrono::seconds(90));
  EXPECT_EQ(parse_span("2w"), std::chrono::hours(14 * 24));
  for (const char* text : {"", "h", "-1h", "1y", "1.5h", "1 h", "99999999999s", "4000d", "4294967295w"}) EXPECT_FALSE(parse_span(text)) << text;
}

TEST(Words, MakeANameOfAnyHost) {
  EXPECT_EQ(name_from_host("Web_01.example.net"), "web-01");
  EXPECT_EQ(name_from_host("--"), "node");
  EXPECT_EQ(name_from_host(""), "node");
  EXPECT_EQ(name_from_host(std::string(100, 'a')).size(), 63U);
}

TEST(Words, SayBytesAndSpans) {
  EXPECT_EQ(byte_words(999), "999 B");
  EXPECT_EQ(byte_words(1'234'567), "1.2 MB");
  EXPECT_EQ(byte_words(999'999), "1.0 MB");
  EXPECT_EQ(span_words(std::chrono::seconds(200)), "3 min");
  EXPECT_EQ(span_words(std::chrono::seconds(-5)), "0 s");
}

}  // namespace
}  // namespace wigwag
