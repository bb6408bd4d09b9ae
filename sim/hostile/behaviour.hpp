#pragma once

#include <cstdint>

namespace wigwag::sim {

// What a member that is properly admitted does against the rest. All of a kind work together.
enum class Behaviour : std::uint8_t {
  accuse_everyone,  // signs accusations of all, again after every refutation
  accuse_one,       // all of them against one honest member, the one with the lowest number
  forge,            // puts records, accusations and goodbyes into others' mouths, with broken signatures
  replay,           // keeps all it ever heard and sends the old again and again
  equivocate,       // signs different records of one version for different ears
  flood,            // sends as much as it can of every kind of message
  ack_and_drop,     // answers probes and passes nothing on
  accuse_beyond,    // accuses all at versions that they never used, up to the last that there is
  mingle,           // is of another network too, and takes each of the two for the other
};

}  // namespace wigwag::sim
