#pragma once

#include <vector>

#include "tests/trust/golden_files.hpp"

// Records, accusations and gossip messages as bytes on file.
namespace wigwag::golden {

std::vector<Vector> good_records();
std::vector<Vector> rejected_records();
std::vector<Vector> good_messages();
std::vector<Vector> rejected_messages();

}  // namespace wigwag::golden
