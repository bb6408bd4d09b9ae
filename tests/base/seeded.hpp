#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "gossip/base/bytes.hpp"
#include "gossip/base/rng.hpp"

namespace wigwag {

// Calls body(rng) for `runs` seeds from a fresh one on, and stops at the first that fails. The first
// line of output says how to replay; WIGWAG_TEST_SEED=N runs that seed alone.
template <class Body>
void for_seeds(std::uint64_t runs, Body body) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const char* replay = std::getenv("WIGWAG_TEST_SEED");
  const std::uint64_t first = replay != nullptr ? std::strtoull(replay, nullptr, 10) : std::random_device{}();
  if (replay != nullptr) runs = 1;
  std::cout << "seeds " << first << " to " << first + runs - 1
            << "; replay one with WIGWAG_TEST_SEED=N and --gtest_filter=" << test->test_suite_name() << "." << test->name()
            << "\n";
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    SCOPED_TRACE("WIGWAG_TEST_SEED=" + std::to_string(seed));
    Rng rng(seed);
    body(rng);
    if (::testing::Test::HasFailure()) return;
  }
}

inline Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
  return bytes;
}

}  // namespace wigwag
