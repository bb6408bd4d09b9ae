#pragma once

#include "gossip/node.hpp"
#include "sim/check/checker.hpp"

// The checkers one by one; what each takes for granted stands beside it. Bounds that are times are
// those of a promise that must never break, well above the figures that are aimed at.
namespace wigwag::sim {

using MakeChecker = std::unique_ptr<Checker>(World&, const CheckFacts&, std::vector<Broken>&);

MakeChecker check_versions;      // I1: no version goes back, at a node while it lives, and of its own record ever
MakeChecker check_signatures;    // I2: whatever a node holds was signed by whom it speaks for
MakeChecker check_verdicts;      // I3: no Down without the evidence that it takes
MakeChecker check_refutations;   // I4 and, where there are hostile members, I12: the correct are not Down for long
MakeChecker check_agreement;     // I5: after quiet, equal views
MakeChecker check_detection;     // I6: the crashed are Down everywhere in time
MakeChecker check_removals;      // I7: the left, revoked and expired stay away
MakeChecker check_bounds;        // I8: datagrams, steps and state are bounded, and hello answers before a proof
MakeChecker check_kernels;       // I9: the kernel is what was planned, and reconciling again changes nothing
MakeChecker check_traffic;       // I10: bytes under budget in any storm
MakeChecker check_owners;        // I13: no inner address has two owners, and what comes in comes to the right one
MakeChecker check_reach;         // I14: who has a path reaches the other
MakeChecker check_conservation;  // sent + duplicated = delivered + dropped + in flight

// What I2 asks of one node's state: nullopt when everything in it was signed by whom it speaks for.
std::optional<std::string> fault_of(const StoredState& stored, Verifier& verifier);

}  // namespace wigwag::sim
