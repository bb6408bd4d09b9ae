#include "daemon/forwarding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::vector<Prefix> lan4 = {*Prefix::parse("10.20.0.0/24")};
const std::vector<Prefix> lan6 = {*Prefix::parse("2001:db8:20::/64")};
const std::vector<std::string> tunnel = {"wigwag0"};

// A kernel's switches as files in a folder.
class ForwardingTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* interface : {"all", "default", "lo", "eth0", "eth1", "wigwag0"}) add_interface(interface);
  }
  void add_interface(const std::string& name) {
    for (const char* family : {"ipv4", "ipv6"}) std::filesystem::create_directories(root / (std::string(family) + "/conf/" + name));
    set("ipv4/conf/" + name + "/forwarding", "0");
    set("ipv6/conf/" + name + "/forwarding", "0");
    set("ipv6/conf/" + name + "/accept_ra", "0");
  }
  void set(const std::string& name, const std::string& value) { root.write(name, value + "\n"); }
  std::string get(const std::string& name) {
    std::string text = root.read(name);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }
  Forwarding fresh() {
    Forwarding::Calls calls;
    calls.persist = [this](const std::vector<TurnedSwitch>& now) {
      if (disk_full) return false;
      const auto again = decode_turned(encode_turned(now));
      EXPECT_TRUE(again && *again == now) << "what is stored is read again";
      stored = now;
      return true;
    };
    calls.note = [this](const std::string& kind, const std::string& detail, bool) { notes.push_back(kind + ": " + detail); };
    return Forwarding(root.path(), stored, std::move(calls));
  }
  std::vector<HostNetwork> networks() const {
    return {{"eth0", {*Address::parse("192.0.2.7"), 24}}, {"eth1", {*Address::parse("10.20.0.1"), 24}},
            {"eth1", {*Address::parse("2001:db8:20::1"), 64}}, {"wigwag0", {*Address::parse("10.99.0.1"), 32}}};
  }

  TemporaryFolder root;
  std::vector<TurnedSwitch> stored;
  std::vector<std::string> notes;
  bool disk_full = false;
};

TEST_F(ForwardingTest, IsSwitchedOnForTheTunnelAndTheLanAloneAndPutBack) {
  Forwarding forwarding = fresh();
  forwarding.want(lan4, tunnel, networks());
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "1");
  EXPECT_EQ(get("ipv4/conf/wigwag0/forwarding"), "1");
  EXPECT_EQ(get("ipv4/conf/eth0/forwarding"), "0");
  EXPECT_EQ(get("ipv6/conf/all/forwarding"), "0");
  EXPECT_THAT(forwarding.states(), SizeIs(2));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("forwarding_on")));
  EXPECT_THAT(forwarding.undo(), IsEmpty());
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "0");
  EXPECT_EQ(get("ipv4/conf/wigwag0/forwarding"), "0");
  EXPECT_THAT(stored, IsEmpty());
}

TEST_F(ForwardingTest, ThatWasOnBeforeStaysOn) {
  set("ipv4/conf/eth1/forwarding", "1");
  Forwarding forwarding = fresh();
  forwarding.want(lan4, tunnel, networks());
  forwarding.undo();
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "1");
  EXPECT_EQ(get("ipv4/conf/wigwag0/forwarding"), "0");
}

TEST_F(ForwardingTest, IsPutBackByALaterLifeFromWhatWasStored) {
  fresh().want(lan4, tunnel, networks());
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "1");
  fresh().want({}, tunnel, networks());
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "0") << "the network is not announced any more";
}

TEST_F(ForwardingTest, IsSwitchedOnAgainWhereAnInterfaceBeganAnew) {
  Forwarding forwarding = fresh();
  forwarding.want(lan4, tunnel, networks());
  set("ipv4/conf/wigwag0/forwarding", "0");
  forwarding.want(lan4, tunnel, networks());
  EXPECT_EQ(get("ipv4/conf/wigwag0/forwarding"), "1");
}

TEST_F(ForwardingTest, IsNotTakenFromAHostThatForwardsForOthersMeanwhile) {
  Forwarding forwarding = fresh();
  forwarding.want(lan4, tunnel, networks());
  set("ipv4/conf/all/forwarding", "1");
  forwarding.undo();
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "1");
  EXPECT_THAT(stored, IsEmpty());
}

TEST_F(ForwardingTest, ChangesNothingThatCouldNotBeRemembered) {
  disk_full = true;
  Forwarding forwarding = fresh();
  forwarding.want(lan4, tunnel, networks());
  forwarding.want(lan4, tunnel, networks());
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "0");
  EXPECT_FALSE(forwarding.states().front().on);
}

TEST_F(ForwardingTest, OfIpv6IsByInterfaceWhereTheKernelKnowsHow) {
  for (const char* interface : {"all", "eth0", "eth1", "wigwag0"}) set("ipv6/conf/" + std::string(interface) + "/force_forwarding", "0");
  Forwarding forwarding = fresh();
  forwarding.want(lan6, tunnel, networks());
  EXPECT_EQ(get("ipv6/conf/eth1/force_forwarding"), "1");
  EXPECT_EQ(get("ipv6/conf/wigwag0/force_forwarding"), "1");
  EXPECT_EQ(get("ipv6/conf/eth0/force_forwarding"), "0");
  EXPECT_EQ(get("ipv6/conf/all/forwarding"), "0");
  EXPECT_EQ(get("ipv4/conf/eth1/forwarding"), "0");
  forwarding.undo();
  EXPECT_EQ(get("ipv6/conf/eth1/force_forwarding"), "0");
}

// Whoever switches it off for all takes it from those that had it of their own.
TEST_F(ForwardingTest, OfIpv6ForAllKeepsRouterAdvertisementsAndWhatWasOn) {
  set("ipv6/conf/eth0/accept_ra", "1");
  set("ipv6/conf/eth1/forwarding", "1");
  Forwarding forwarding = fresh();
  forwarding.want(lan6, tunnel, networks());
  EXPECT_EQ(get("ipv6/conf/all/forwarding"), "1");
  EXPECT_EQ(get("ipv6/conf/eth0/accept_ra"), "2");
  forwarding.want(lan6, tunnel, networks());
  EXPECT_THAT(stored, SizeIs(3));
  set("ipv6/conf/eth1/forwarding", "0");  // as the kernel does when `all` is switched off
  forwarding.undo();
  EXPECT_EQ(get("ipv6/conf/all/forwarding"), "0");
  EXPECT_EQ(get("ipv6/conf/eth0/accept_ra"), "1");
  EXPECT_EQ(get("ipv6/conf/eth1/forwarding"), "1");
}

TEST_F(ForwardingTest, OfOneInterfaceDoesNotWaitForAnother) {
  std::filesystem::remove(root / "ipv4/conf/eth1/forwarding");
  std::filesystem::create_directories(root / "ipv4/conf/eth1/forwarding");
  Forwarding forwarding = fresh();
  for (int times = 0; times < 3; ++times) forwarding.want(lan4, tunnel, networks());
  EXPECT_FALSE(forwarding.states().front().on);
  EXPECT_TRUE(forwarding.states().back().on);
}

TEST_F(ForwardingTest, IsReadFromNoFileThatNamesAnythingElse) {
  for (const char* name : {"ipv4/conf/../forwarding", "ipv4/conf/eth0/rp_filter", "core/conf/eth0/forwarding", "ipv4/conf//forwarding", "forwarding",
                           "ipv4/conf/eth0/x/forwarding"}) {
    EXPECT_FALSE(decode_turned(encode_turned({{name, "0", "1", false}}))) << name;
  }
  EXPECT_TRUE(decode_turned(encode_turned({{"ipv4/conf/eth0.100/forwarding", "0", "1", true}})));
}

}  // namespace
}  // namespace wigwag
