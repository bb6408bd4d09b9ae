#pragma once

#include <vector>

#include "tests/trust/golden_files.hpp"

namespace wigwag::golden {

std::vector<Vector> good_statements();
std::vector<Vector> rejected_statements();
std::vector<Vector> good_hellos();
std::vector<Vector> rejected_hellos();

}  // namespace wigwag::golden
