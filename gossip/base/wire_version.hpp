#pragma once

namespace wigwag {

// The wire protocol that these programs speak; a changed golden vector raises it, and a test
// holds it against what the core writes.
inline constexpr int wire_version = 1;

}  // namespace wigwag
