#include <algorithm>

#include "sim/hostile/member.hpp"

namespace wigwag::sim {
namespace {

// Signs against the version that everybody holds, as an observer whose subject is silent would, and
// again after every refutation. The accused is not told.
class Accuser : public HostileMember {
 public:
  using HostileMember::HostileMember;

 protected:
  void accuse(std::size_t subject, std::size_t ears) {
    const auto against = version(subject);
    auto& last = accused_[subject];
    if (against == Version{} || last == against) return;
    last = against;
    const auto statement = make_accusation({.subject = id(subject), .version = against, .accuser = seat().id()}, seat().network(), seat().identity());
    ++gang().deeds.accusations;
    for (const auto ear : some_honest(ears)) {
      if (ear != subject) push(ear, {ItemKind::accusation, statement.wire, {}, {}, {}});
    }
  }

 private:
  std::map<std::size_t, Version> accused_;
};

class AccuserOfEveryone final : public Accuser {
 public:
  using Accuser::Accuser;

 private:
  static constexpr std::size_t a_beat = 64;
  void act(Now) override {
    for (std::size_t i = 0; i < std::min(a_beat, machines()); ++i) {
      const auto subject = next_++ % machines();
      if (honest(subject)) accuse(subject, 4);
    }
  }
  std::size_t next_ = 0;
};

class AccuserOfOne final : public Accuser {
 public:
  using Accuser::Accuser;

 private:
  Duration beat() const override { return milliseconds(100); }
  void act(Now) override {
    if (const auto victim = gang().first_honest(machines())) accuse(*victim, 8);
  }
};

}  // namespace

std::unique_ptr<Meddler> make_accuser_of_everyone(const HostileFacts& facts) { return std::make_unique<AccuserOfEveryone>(facts); }
std::unique_ptr<Meddler> make_accuser_of_one(const HostileFacts& facts) { return std::make_unique<AccuserOfOne>(facts); }

}  // namespace wigwag::sim
