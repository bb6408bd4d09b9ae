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

// Against versions that nobody ever signed, the next and the last of an epoch and of all: who answers one of
// them by going past it comes round to the beginning. The accused is told as well.
class AccuserBeyond final : public HostileMember {
 public:
  using HostileMember::HostileMember;

 private:
  static constexpr std::uint32_t last = UINT32_MAX;
  static constexpr std::size_t a_beat = 8;

  void act(Now) override {
    for (std::size_t i = 0; i < std::min(a_beat, machines()); ++i) {
      const auto subject = next_++ % machines();
      const auto held = version(subject);
      if (!honest(subject) || held == Version{}) continue;
      for (const Version beyond : {next_version(held), Version{held.epoch, last}, Version{last, 0}, Version{last, last - 1}, Version{last, last}}) {
        accuse(subject, beyond);
      }
    }
  }
  void accuse(std::size_t subject, Version beyond) {
    const auto statement = make_accusation({.subject = id(subject), .version = beyond, .accuser = seat().id()}, seat().network(), seat().identity());
    ++gang().deeds.accusations;
    push(subject, {ItemKind::accusation, statement.wire, {}, {}, {}});
    for (const auto ear : some_honest(2)) push(ear, {ItemKind::accusation, statement.wire, {}, {}, {}});
  }
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Meddler> make_accuser_of_everyone(const HostileFacts& facts) { return std::make_unique<AccuserOfEveryone>(facts); }
std::unique_ptr<Meddler> make_accuser_of_one(const HostileFacts& facts) { return std::make_unique<AccuserOfOne>(facts); }
std::unique_ptr<Meddler> make_accuser_beyond(const HostileFacts& facts) { return std::make_unique<AccuserBeyond>(facts); }

}  // namespace wigwag::sim
