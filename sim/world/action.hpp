#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace wigwag::sim {

// Something to do once. Holds what it needs in itself and never on the heap, because millions of
// them come and go in a run: what is larger than `room` does not compile.
class Action {
 public:
  static constexpr std::size_t room = 48;

  Action() = default;
  template <class Call>
    requires(!std::is_same_v<std::decay_t<Call>, Action>)
  Action(Call&& call) {  // NOLINT(google-explicit-constructor): a lambda is written where an action is asked for
    using Held = std::decay_t<Call>;
    static_assert(sizeof(Held) <= room && alignof(Held) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Held>);
    new (static_cast<void*>(held_)) Held(std::forward<Call>(call));
    run_ = [](void* held) { (*static_cast<Held*>(held))(); };
    if constexpr (!std::is_trivially_copyable_v<Held>) {
      relocate_ = [](void* from, void* to) {
        if (to != nullptr) new (to) Held(std::move(*static_cast<Held*>(from)));
        static_cast<Held*>(from)->~Held();
      };
    }
  }
  Action(Action&& other) noexcept { take(other); }
  Action& operator=(Action&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  Action(const Action&) = delete;
  Action& operator=(const Action&) = delete;
  ~Action() { clear(); }

  void operator()() { run_(held_); }

 private:
  void take(Action& other) noexcept {
    run_ = std::exchange(other.run_, nullptr);
    relocate_ = std::exchange(other.relocate_, nullptr);
    if (run_ == nullptr) return;
    if (relocate_ != nullptr) relocate_(other.held_, held_);
    else for (std::size_t i = 0; i < room; ++i) held_[i] = other.held_[i];
  }
  void clear() noexcept {
    if (relocate_ != nullptr) relocate_(held_, nullptr);
    run_ = nullptr;
    relocate_ = nullptr;
  }

  alignas(std::max_align_t) unsigned char held_[room]{};
  void (*run_)(void*) = nullptr;
  void (*relocate_)(void* from, void* to) = nullptr;  // to nowhere: destroys; nullptr: bytes may be copied and dropped
};

}  // namespace wigwag::sim
