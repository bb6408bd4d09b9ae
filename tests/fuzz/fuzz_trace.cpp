#include <cstddef>
#include <cstdint>

#include "gossip/trace.hpp"

// A trace with anything in it. Its frames bear hashes, which no fuzzer finds: the input is also taken as what
// stands in one frame, behind a good beginning.
namespace wigwag {
namespace {

// What was read can be written, and reads the same again.
void look_at(ByteView file) {
  TraceDecoder decoder(file);
  TraceEncoder encoder;
  Bytes again(trace_magic.begin(), trace_magic.end());
  std::size_t entries = 0;
  while (const auto entry = decoder.next()) {
    const Bytes frame = encoder.frame(*entry);
    again.insert(again.end(), frame.begin(), frame.end());
    ++entries;
  }
  TraceDecoder second(again);
  TraceEncoder third;
  Bytes same(trace_magic.begin(), trace_magic.end());
  while (const auto entry = second.next()) {
    const Bytes frame = third.frame(*entry);
    same.insert(same.end(), frame.begin(), frame.end());
    --entries;
  }
  check(entries == 0 && !second.error(), "what was read can be written and read again");
  check(same == again, "and is then the same");
}

}  // namespace
}  // namespace wigwag

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wigwag;
  const ByteView input(data, size);
  look_at(input);
  Bytes file(trace_magic.begin(), trace_magic.end());
  Bytes header(8);
  const auto hash = load_be64(blake2b(input).bytes.data()) >> 32;
  store_be64(header.data(), static_cast<std::uint64_t>(size) << 32 | hash);
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), input.begin(), input.end());
  look_at(file);
  return 0;
}
