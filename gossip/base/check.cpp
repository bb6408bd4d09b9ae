#include "gossip/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace wigwag {

void check(bool holds, const char* what) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "wigwag: broken invariant: %s\n", what);
  std::abort();
}

}  // namespace wigwag
