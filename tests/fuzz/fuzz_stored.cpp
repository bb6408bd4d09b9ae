#include <cstddef>
#include <cstdint>

#include "tests/node/lone_node.hpp"

// A state file with anything in it: an error, or a node that starts from it, goes on for a while and
// counts nobody who was not admitted.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wigwag;
  const ByteView input(data, size);
  const auto state = decode_stored(input);
  if (!state) return 0;
  const auto again = decode_stored(encode_stored(*state));
  check(again && encode_stored(*again) == encode_stored(*state), "what was read can be written and read again");
  LoneNode lone(1);
  lone.disk.assign(input.begin(), input.end());
  lone.start();
  lone.settle();
  lone.run_for(seconds(3));
  for (const auto& member : lone.status().members) check(lone.admissible(member.id), "nobody is a member by chance");
  check(decode_stored(lone.node->stored()).has_value(), "what it stores can be read");
  return 0;
}
