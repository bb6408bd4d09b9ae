#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "gossip/base/check.hpp"

namespace wigwag {

// The error side of a Result, as std::unexpected.
template <class E>
struct Unexpected {
  E error;
};
template <class E>
Unexpected(E) -> Unexpected<E>;

// A value or the reason why there is none; member names as in std::expected, so
// that it can become one. Asking for the side that is not there is a bug and aborts.
template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : side_(std::in_place_index<0>, std::move(value)) {}                   // NOLINT(google-explicit-constructor)
  Result(Unexpected<E> error) : side_(std::in_place_index<1>, std::move(error.error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return side_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return need_value(), *std::get_if<0>(&side_); }
  const T& value() const& { return need_value(), *std::get_if<0>(&side_); }
  T&& value() && { return need_value(), std::move(*std::get_if<0>(&side_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const {
    check(!has_value(), "Result::error() of a result that holds a value");
    return *std::get_if<1>(&side_);
  }

  T value_or(T other) const& { return has_value() ? value() : std::move(other); }

 private:
  void need_value() const { check(has_value(), "Result::value() of a result that holds an error"); }
  std::variant<T, E> side_;
};

// Success without a value, or an error.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(Unexpected<E> error) : error_(std::move(error.error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  const E& error() const {
    check(error_.has_value(), "Result::error() of a result without an error");
    return *error_;
  }

 private:
  std::optional<E> error_;
};

}  // namespace wigwag
