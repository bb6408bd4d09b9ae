#include "gossip/base/secret.hpp"

#include <cstring>

namespace wigwag {

void wipe(void* memory, std::size_t size) {
  std::memset(memory, 0, size);
  asm volatile("" : : "r"(memory) : "memory");  // the store is now observable
}

}  // namespace wigwag
