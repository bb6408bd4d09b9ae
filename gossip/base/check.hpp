#pragma once

namespace wigwag {

// States one of our own invariants, in release builds too: prints `what` and
// aborts when it does not hold. Never used on anything a peer, a file or a user
// sent: those are answered with an error.
void check(bool holds, const char* what);

}  // namespace wigwag
