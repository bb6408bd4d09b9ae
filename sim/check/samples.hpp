#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wigwag::sim {

// At most `most` of the numbers below `size`, evenly spread over them, the first always among them.
inline std::vector<std::size_t> spread_over(std::size_t size, std::size_t most) {
  std::vector<std::size_t> chosen;
  const auto count = std::min(size, most);
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(i * size / count);
  return chosen;
}

// What costs as much as there are nodes is done at every look in networks of up to so many, and the
// more rarely the larger the network is, so that it costs the same at any size.
class Turn {
 public:
  explicit Turn(std::size_t always_up_to) : always_up_to_(always_up_to) {}
  bool comes(std::size_t nodes) {
    due_ += always_up_to_;
    if (nodes == 0 || due_ < nodes) return false;
    due_ = 0;
    return true;
  }

 private:
  std::size_t always_up_to_;
  std::size_t due_ = 0;
};

}  // namespace wigwag::sim
