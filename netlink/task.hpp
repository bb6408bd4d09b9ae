#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "netlink/error.hpp"

namespace wigwag {

// A coroutine that ends in a value or in the reason why there is none.
template <class T>
using Task = boost::asio::awaitable<Result<T, NetError>>;

// Lets one coroutine through at a time; the others wait in the order they came. For one
// executor: nothing here is locked.
class Turns {
 public:
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->pass_on();
    }

   private:
    Turns* turns_;
  };

  boost::asio::awaitable<Turn> take() {
    if (taken_) {
      boost::asio::steady_timer mine(co_await boost::asio::this_coro::executor, boost::asio::steady_timer::time_point::max());
      const Waiting entry(*this, mine);
      boost::system::error_code woken;
      co_await mine.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    taken_ = true;
    co_return Turn(*this);
  }

 private:
  // A place in the queue, given up also when the coroutine is destroyed while it waits.
  class Waiting {
   public:
    Waiting(Turns& turns, boost::asio::steady_timer& timer) : turns_(turns), timer_(&timer) { turns_.waiting_.push_back(timer_); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { std::erase(turns_.waiting_, timer_); }

   private:
    Turns& turns_;
    boost::asio::steady_timer* timer_;
  };

  // The turn stays taken while it goes from one to the next, so that nobody slips in.
  void pass_on() {
    taken_ = !waiting_.empty();
    if (waiting_.empty()) return;
    waiting_.front()->cancel();
    waiting_.pop_front();
  }

  bool taken_ = false;
  std::deque<boost::asio::steady_timer*> waiting_;
};

// Waits; also returns when it is cancelled from outside.
boost::asio::awaitable<void> pause_for(boost::asio::steady_timer::duration duration);

}  // namespace wigwag
