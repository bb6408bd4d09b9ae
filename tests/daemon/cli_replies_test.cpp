#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "daemon/cli.hpp"
#include "daemon/control_server.hpp"
#include "tests/daemon/temporary_folder.hpp"

namespace wigwag {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::Not;

// Answers every request with one document, and shows what the commands make of it.
class Replies : public testing::Test {
 protected:
  std::string shown(std::vector<std::string> words, const Json& document) {
    const std::string socket = folder_ / "s";
    words.insert(words.begin(), "wigwag");
    words.insert(words.end(), {"--socket", socket});
    std::vector<const char*> arguments;
    for (const auto& word : words) arguments.push_back(word.c_str());
    asio::io_context io(1);
    auto server = ControlServer::open(io, socket, [&](const ControlRequest&, const ControlCall& call) { call.end(encode_result(document)); });
    EXPECT_TRUE(server);
    std::thread loop([&] { io.run(); });
    testing::internal::CaptureStdout();
    (void)run_cli(static_cast<int>(arguments.size()), arguments.data());
    const std::string out = testing::internal::GetCapturedStdout();
    asio::post(io, [&] {
      server->reset();
      io.stop();
    });
    loop.join();
    return out;
  }
  std::string doctor(const Json& facts) {
    Json all = {{"state_dir", folder_.path()}, {"interface", "wigwag0"}, {"listen_port", 9}, {"hello_port", 9}, {"accept_hello", false}, {"mtu", 1420}};
    all.update(facts);
    return shown({"doctor", "--config", folder_ / "w.toml"}, all);
  }

  TemporaryFolder folder_;
};

TEST_F(Replies, OfDoctorFollowTheReasonForNotBeingJoined) {
  const auto joining = [&](const std::string& reason) { return doctor({{"joined", false}, {"waiting_for", reason}}); };
  EXPECT_THAT(joining("no seed has answered yet"), HasSubstr("mend: check that the seed runs and that UDP"));
  const std::string spent = joining("203.0.113.5:51822 refused: invitation used up. Ask for a new token (wigwag invite).");
  EXPECT_THAT(spent, HasSubstr("mend: Ask for a new token (wigwag invite).\n"));
  EXPECT_THAT(spent, Not(HasSubstr("UDP to its hello port")));
  EXPECT_THAT(doctor({{"joined", true}, {"waiting_for", "no answer from 203.0.113.5:51822. Check that UDP gets through."}}),
              HasSubstr("mend: Check that UDP gets through.\n"));
  EXPECT_THAT(joining("no invitation: ask a member for one"), HasSubstr("mend: ask a member for one\n"));
}

TEST_F(Replies, OfDoctorFindNoFaultWithAPortThatIsNotNeededYet) {
  EXPECT_THAT(doctor({{"joined", false}, {"waiting_for", "no seed has answered yet"}}), HasSubstr("ok\tport 9: not needed before this node has joined"));
  EXPECT_THAT(doctor({{"joined", true}}), HasSubstr("WRONG\tport 9: nobody listens"));
}

TEST_F(Replies, OfDoctorCountInGoodEnglish) {
  EXPECT_THAT(doctor({{"joined", true}, {"members", 2}, {"unreached", 1}}), HasSubstr("membership: 1 living member has no direct path"));
  EXPECT_THAT(doctor({{"joined", true}, {"members", 4}, {"unreached", 2}}), HasSubstr("membership: 2 living members have no direct path"));
  EXPECT_THAT(doctor({{"joined", true}, {"members", 2}, {"unreached", 0}}), HasSubstr("membership: 1 other member, all"));
  EXPECT_THAT(doctor({{"joined", true}, {"members", 1}, {"unreached", 0}}), HasSubstr("membership: no other member"));
}

TEST_F(Replies, OfPlanSayThatThisNodeIsNoMemberYet) {
  const Json nothing = {{"interface", "wigwag0"}, {"changes", Json::array()}, {"conflicts", Json::array()}};
  EXPECT_THAT(shown({"plan"}, nothing), HasSubstr("wigwag0 is as wanted"));
  Json waiting = nothing;
  waiting.update({{"joined", false}, {"waiting_for", "no seed has answered yet"}});
  EXPECT_EQ(shown({"plan"}, waiting), "nothing to change: this node is no member yet, so it wants no interface: no seed has answered yet\n");
}

TEST_F(Replies, OfReloadTellWhatARestartInterrupts) {
  const auto waiting = [](const char* key) { return Json{{"applied", Json::array()}, {"needs_restart", {key}}, {"notes", Json::array()}}; };
  EXPECT_THAT(shown({"reload"}, waiting("wireguard.mtu")), HasSubstr("no traffic is lost"));
  const std::string interface = shown({"reload"}, waiting("wireguard.interface"));
  EXPECT_THAT(interface, HasSubstr("takes the old interface down before"));
  EXPECT_THAT(interface, Not(HasSubstr("no traffic is lost")));
}

}  // namespace
}  // namespace wigwag
