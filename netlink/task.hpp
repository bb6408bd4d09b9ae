#pragma once

#include <boost/asio/awaitable.hpp>

#include "netlink/error.hpp"

namespace wigwag {

// A coroutine that ends in a value or in the reason why there is none.
template <class T>
using Task = boost::asio::awaitable<Result<T, NetError>>;

}  // namespace wigwag
