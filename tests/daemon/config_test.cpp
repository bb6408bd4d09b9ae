#include "daemon/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Result<LoadedConfig, std::vector<ConfigFault>> load(const std::string& text, const std::vector<std::string>& sets = {}) {
  std::vector<ConfigOverride> overrides;
  for (const auto& set : sets) overrides.push_back(parse_override(set).value());
  const auto entries = read_toml(text, "w.toml");
  if (!entries) return Unexpected{std::vector{entries.error()}};
  return read_config(*entries, overrides, "Fra-1.example.net");
}

std::vector<std::string> faults(const std::string& text, const std::vector<std::string>& sets = {}) {
  std::vector<std::string> lines;
  const auto loaded = load(text, sets);
  if (loaded) return lines;
  for (const auto& fault : loaded.error()) lines.push_back(to_string(fault));
  return lines;
}

TEST(Configuration, OfAnEmptyFileIsTheDefaults) {
  const Config config = load("").value().config;
  EXPECT_EQ(config.node_name, "fra-1");
  EXPECT_EQ(config.interface, "wigwag0");
  EXPECT_EQ(config.port, 51820);
  EXPECT_EQ(config.hello_port(), 51822);
  EXPECT_TRUE(config.accept_hello);
  EXPECT_EQ(config.backend, BackendWish::automatic);
}

TEST(Configuration, TakesEveryKeyOfTheContract) {
  const auto loaded = load(R"([node]
name = "fra-1"
relay = "auto"
subnets = ["10.20.0.0/24"]
endpoints = ["fra.example.net:51820", "198.51.100.20:51820"]
[network]
secret_file = "/etc/wigwag/secret"
seeds = ["203.0.113.5", "[2001:db8::7]:5000", "2001:db8::8", "host.example:99"]
ipv4 = "10.99.0.0/16"
[wireguard]
interface = "wigwag0"
port = 51820
mtu = "auto"
keepalive = "auto"
backend = "auto"
[hello]
port = 51822
accept = true
[dns]
enabled = true
[metrics]
listen = "overlay:9586"
)");
  ASSERT_TRUE(loaded) << to_string(loaded.error().front());
  const Config& config = loaded->config;
  EXPECT_THAT(config.seeds, ElementsAre(HostPort{"203.0.113.5", 51822}, HostPort{"2001:db8::7", 5000}, HostPort{"2001:db8::8", 51822},
                                        HostPort{"host.example", 99}));
  EXPECT_THAT(config.endpoints, ElementsAre(HostPort{"fra.example.net", 51820}, HostPort{"198.51.100.20", 51820}));
  EXPECT_EQ(config.network_ipv4, Prefix::parse("10.99.0.0/16"));
}

TEST(Configuration, SaysWhatIsSetAndNotActedOn) {
  const auto notes = load("[node]\nrelay = \"yes\"\nsubnets = [\"10.20.0.0/24\"]\n[wireguard]\nmtu = \"auto\"\n[dns]\nenabled = true\n"
                          "[metrics]\nlisten = \"overlay:9586\"\n").value().notes;
  EXPECT_THAT(notes, ElementsAre(HasSubstr("node.relay = \"yes\""), HasSubstr("wireguard.mtu = \"auto\""),
                                 HasSubstr("dns.enabled"), HasSubstr("metrics.listen")));
}

TEST(Configuration, SaysNothingAboutWhatAsksForNothing) {
  EXPECT_TRUE(load("[node]\n[hello]\n[network]\nseeds = []\n"));
  EXPECT_THAT(load("[node]\nrelay = \"no\"\nsubnets = []\n[dns]\nenabled = false\n[wireguard]\nmtu = 1400\n").value().notes, SizeIs(0));
}

struct Wrong {
  const char* text;
  const char* place;
  const char* says;
};
class WrongConfiguration : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfiguration, IsAFaultWithItsPlaceAndWhatIsAllowed) {
  const auto found = faults(GetParam().text);
  ASSERT_THAT(found, SizeIs(1)) << GetParam().text;
  EXPECT_THAT(found.front(), HasSubstr(GetParam().place));
  EXPECT_THAT(found.front(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongConfiguration,
    testing::Values(Wrong{"[node\n", "w.toml:1:", "not TOML"}, Wrong{"[node]\nname = \"a\"\nname = \"b\"\n", "w.toml:3:", "not TOML"},
                    Wrong{"[node]\nnmae = \"a\"\n", "w.toml:2:8: node.nmae", "did you mean node.name?"},
                    Wrong{"[wireguard]\nprot = 1\n", "wireguard.prot", "did you mean wireguard.port?"},
                    Wrong{"[node]\nseeds = []\n", "node.seeds", "did you mean network.seeds?"},
                    Wrong{"[helo]\nport = 1000\n", "helo.port", "did you mean hello.port?"},
                    Wrong{"[netwrk]\nipv4 = \"10.0.0.0/8\"\n", "netwrk.ipv4", "did you mean network.ipv4?"},
                    Wrong{"[udp]\nport = 1000\n", "udp.port", "did you mean wireguard.port or hello.port?"},
                    Wrong{"[[node]]\nname = \"a\"\n", "w.toml:1:", "node: must be a section: [node]"},
                    Wrong{"node = 1.5\n", "w.toml:1:8", "node: must be a section: [node]"},
                    Wrong{"wireguard = 2024-01-01\n", "w.toml:1:", "wireguard: must be a section: [wireguard]"},
                    Wrong{"hello = \"yes\"\n", "w.toml:1:", "hello: must be a section: [hello]"},
                    Wrong{"[nonsense]\nqqqqqq = 1\n", "nonsense.qqqqqq", "the keys are"},
                    Wrong{"frobnicate = 1\n", "w.toml:1:14: frobnicate", "no such key"},
                    Wrong{"[node]\nname = \"Fra_1\"\n", "w.toml:2:8: node.name", "letters a-z"}, Wrong{"[node]\nname = 5\n", "node.name", "cannot be 5"},
                    Wrong{"[node]\nname = \"\"\n", "node.name", "allowed"}, Wrong{"[node]\nrelay = \"maybe\"\n", "node.relay", "\"yes\", \"no\" or \"auto\""},
                    Wrong{"[node]\nsubnets = [\"10.20.0.1/24\"]\n", "node.subnets", "without host bits"},
                    Wrong{"[node]\nsubnets = [\"10.20.0.0/24\", \"0.0.0.0/0\"]\n", "w.toml:2:11: node.subnets", "0.0.0.0/0 cannot be announced: it is a default route"},
                    Wrong{"[node]\nsubnets = [\"127.0.0.0/24\"]\n", "node.subnets", "it overlaps loopback addresses"},
                    Wrong{"[node]\nsubnets = [\"fe80::/64\"]\n", "node.subnets", "it overlaps link-local addresses"},
                    Wrong{"[node]\nsubnets = [\"224.0.1.0/24\"]\n", "node.subnets", "it overlaps multicast addresses"},
                    Wrong{"[network]\nipv4 = \"10.99.0.0/16\"\n[node]\nsubnets = [\"10.99.1.0/24\"]\n", "node.subnets", "it overlaps the mesh's own addresses"},
                    Wrong{"[node]\nsubnets = [1]\n", "node.subnets", "a list of something other than strings"},
                    Wrong{"[node]\nendpoints = [\"a:1\",\"b:1\",\"c:1\",\"d:1\",\"e:1\"]\n", "node.endpoints", "at most 4"},
                    Wrong{"[node]\nendpoints = [\"300.1.2.3:5\"]\n", "node.endpoints", "HOST:PORT"},
                    Wrong{"[node]\nipv4 = \"fd00::1\"\n", "node.ipv4", "an IPv4 address"}, Wrong{"[node]\nipv4 = \"224.0.0.1\"\n", "node.ipv4", "an IPv4 address"},
                    Wrong{"[network]\nsecret_file = \"secret\"\n", "network.secret_file", "absolute path"},
                    Wrong{"[network]\nipv4 = \"10.99.0.0/31\"\n", "network.ipv4", "/8 to /30"}, Wrong{"[network]\nipv4 = \"10.99.0.5\"\n", "network.ipv4", "/8 to /30"},
                    Wrong{"[network]\nseeds = [\"bad host\"]\n", "network.seeds", "HOST or HOST:PORT"},
                    Wrong{"[network]\nseeds = [\"a:0\"]\n", "network.seeds", "HOST or HOST:PORT"},
                    Wrong{"[wireguard]\ninterface = \"abcdefghijklmno\"\n", "wireguard.interface", "at most 14"},
                    Wrong{"[wireguard]\ninterface = \"a/b\"\n", "wireguard.interface", "interface name"},
                    Wrong{"[wireguard]\ninterface = \"all\"\n", "wireguard.interface", "interface name"},
                    Wrong{"[wireguard]\nport = 0\n", "wireguard.port", "1 to 65533"}, Wrong{"[wireguard]\nport = \"51820\"\n", "wireguard.port", "1 to 65533"},
                    Wrong{"[wireguard]\nport = 1.5\n", "wireguard.port", "a number with a fraction"},
                    Wrong{"[wireguard]\nmtu = 1279\n", "wireguard.mtu", "1280 to 65535"}, Wrong{"[wireguard]\nkeepalive = \"on\"\n", "wireguard.keepalive", "auto"},
                    Wrong{"[wireguard]\nbackend = \"magic\"\n", "wireguard.backend", "\"userspace\""},
                    Wrong{"[hello]\naccept = \"yes\"\n", "hello.accept", "true or false"},
                    Wrong{"[hello]\nport = 51820\n", "w.toml:2:8: hello.port", "the same as wireguard.port"},
                    Wrong{"[hello]\nport = 51821\n", "hello.port", "the relay plane"}, Wrong{"[hello]\nport = 51830\n", "hello.port", "gossip"},
                    Wrong{"[wireguard]\nport = 51830\n", "wireguard.port", "gossip"}, Wrong{"[wireguard]\nport = 51829\n", "wireguard.port", "gossip"},
                    Wrong{"[wireguard]\nport = 51828\n", "hello.port", "gossip"},
                    Wrong{"[node]\nipv4 = \"10.1.0.1\"\n[network]\nipv4 = \"10.99.0.0/16\"\n", "node.ipv4", "is not in network.ipv4"},
                    Wrong{"[metrics]\nlisten = \"nowhere\"\n", "metrics.listen", "overlay:PORT"}));

TEST(Configuration, TellsAllFaultsAtOnce) {
  const auto found = faults("[node]\nnaem = 1\nrelay = 2\n[wireguard]\nport = 99999\nbackend = \"magic\"\n", {"hello.accept=perhaps", "no.such=1"});
  EXPECT_THAT(found, SizeIs(6));
}

TEST(Overrides, WinOverTheFile) {
  const Config config = load("[wireguard]\nport = 1000\n[node]\nname = \"a\"\n",
                             {"wireguard.port=2000", "node.name=b-1", "network.seeds=a.example,203.0.113.5:9", "wireguard.keepalive=25",
                              "wireguard.mtu=auto", "hello.accept=false", "node.subnets=[\"10.0.0.0/8\"]", "wireguard.interface=\"mesh0\""}).value().config;
  EXPECT_EQ(config.port, 2000);
  EXPECT_EQ(config.hello_port(), 2002);
  EXPECT_EQ(config.node_name, "b-1");
  EXPECT_EQ(config.seeds.size(), 2U);
  EXPECT_EQ(config.keepalive, std::chrono::seconds(25));
  EXPECT_FALSE(config.accept_hello);
  EXPECT_EQ(config.interface, "mesh0");
}

TEST(Overrides, HaveFaultsThatNameTheFlag) {
  EXPECT_THAT(faults("", {"wireguard.port=abc"}), ElementsAre(HasSubstr("--set: wireguard.port: cannot read abc")));
  EXPECT_THAT(faults("", {"node.relya=no"}), ElementsAre(HasSubstr("did you mean node.relay?")));
  EXPECT_FALSE(parse_override("node.name"));
  EXPECT_FALSE(parse_override("=x"));
}

TEST(Overrides, MendAFaultOfTheFile) { EXPECT_THAT(faults("[wireguard]\nport = 99999\n", {"wireguard.port=51820"}), SizeIs(0)); }

TEST(Configuration, OfAFileThatMustExistIsAFaultWhenItDoesNot) {
  const TemporaryFolder folder;
  EXPECT_FALSE(load_config(folder / "none.toml", true, {}, "a"));
  const auto absent = load_config(folder / "none.toml", false, {}, "a");
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->file_found);
  EXPECT_TRUE(load_config(folder.write("some.toml", "[node]\n"), true, {}, "a").value().file_found);
  EXPECT_FALSE(load_config(folder.path(), true, {}, "a")) << "a directory is no configuration file";
}

// The example stays true: with every key switched on it is good, and it leaves none out.
TEST(ConfigurationExample, IsGoodAndComplete) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../daemon/wigwag.toml.example");
  ASSERT_TRUE(file);
  std::string text, line;
  while (std::getline(file, line)) {
    const bool prose = line.rfind("# ", 0) == 0;
    text += (line.rfind('#', 0) == 0 && !prose ? line.substr(1) : line) + "\n";
  }
  EXPECT_THAT(faults(text), SizeIs(0));
  std::vector<std::string> keys;
  const auto entries = read_toml(text, "");
  for (const auto& entry : entries.value()) keys.push_back(entry.key);
  EXPECT_THAT(keys, testing::UnorderedElementsAreArray(config_keys()));
}

TEST(ConfigurationChanges, AreNamedAndToldApart) {
  const Config before = load("").value().config;
  const Config after = load("[wireguard]\nport = 1000\n[network]\nseeds = [\"a.example\"]\n").value().config;
  std::vector<std::string> live, waiting;
  for (const auto& change : config_changes(before, after)) (change.live ? live : waiting).push_back(change.key);
  EXPECT_THAT(live, ElementsAre("network.seeds"));
  EXPECT_THAT(waiting, ElementsAre("wireguard.port", "hello.port"));
  EXPECT_THAT(config_changes(before, before), SizeIs(0));
}

TEST(HostPort, IsWrittenAsItIsRead) {
  for (const char* text : {"203.0.113.5:1", "[2001:db8::7]:51820", "fra.example.net:51822", "localhost:5"}) {
    EXPECT_EQ(to_string(HostPort::parse(text, 9).value()), text);
  }
  for (const char* text : {"", ":", ":5", "a:", "a:65536", "a:-1", "a b:1", "-a:1", "1.2.3:4", "[::1", "[::1]:0", "a:1:2", "café:1"}) {
    EXPECT_FALSE(HostPort::parse(text, 9)) << text;
  }
}

}  // namespace
}  // namespace wigwag
