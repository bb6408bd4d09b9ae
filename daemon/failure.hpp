#pragma once

#include <string>

#include "gossip/base/result.hpp"

namespace wigwag {

// Why something could not be done, for a person: what failed, on what, and what to try.
struct Failure {
  std::string what;
  int exit_status = 1;  // of a program that ends by it
};

template <class T>
using Outcome = Result<T, Failure>;

// "cannot open /etc/x: Permission denied" from errno as it stands.
Failure system_failure(const std::string& doing);

}  // namespace wigwag
