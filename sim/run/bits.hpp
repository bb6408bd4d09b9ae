#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wigwag::sim {

// A set of machines, by number: an eighth of a byte each, for there are as many such sets as machines.
class Bits {
 public:
  bool has(std::size_t at) const { return at / 64 < words_.size() && (words_[at / 64] >> at % 64 & 1) != 0; }
  // True when it was not in it.
  bool add(std::size_t at) {
    if (at / 64 >= words_.size()) words_.resize(at / 64 + 1);
    const std::uint64_t bit = std::uint64_t{1} << at % 64;
    const bool fresh = (words_[at / 64] & bit) == 0;
    words_[at / 64] |= bit;
    count_ += fresh ? 1 : 0;
    return fresh;
  }
  // True when it was in it.
  bool drop(std::size_t at) {
    if (!has(at)) return false;
    words_[at / 64] &= ~(std::uint64_t{1} << at % 64);
    if (--count_ == 0) words_ = {};
    return true;
  }
  std::size_t count() const { return count_; }
  void clear() { *this = {}; }

  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t word = 0; word < words_.size(); ++word) {
      for (auto left = words_[word]; left != 0; left &= left - 1) visit(word * 64 + static_cast<std::size_t>(std::countr_zero(left)));
    }
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace wigwag::sim
