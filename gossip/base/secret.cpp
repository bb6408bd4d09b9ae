#include "gossip/base/secret.hpp"

#include <cstring>

namespace wigwag {

void wipe(void* memory, std::size_t size) {
  if (size == 0) return;  // an empty vector's memory may be null, which memset must not be given
  std::memset(memory, 0, size);
  asm volatile("" : : "r"(memory) : "memory");  // the store is now observable
}

}  // namespace wigwag
