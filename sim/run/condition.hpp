#pragma once

#include <cstddef>
#include <cstdint>

namespace wigwag::sim {

// What the play does to a machine now and its daemon cannot show: the stage sets it, the meter judges by it.
struct Condition {
  bool paused = false;
  bool cut = false;                      // its cable is out
  bool deaf = false;                     // one-way cuts part it from more than a quarter of all others
  bool hostile = false;                  // meddles, or ever did
  bool leaving = false;                  // has been told to say goodbye
  std::uint64_t side = 0;                // of partitions, a bit each: only equal sides reach each other
  bool operator==(const Condition&) const = default;
};

// Who wants to know about what is played: the meter.
class Audience {
 public:
  virtual ~Audience() = default;
  virtual void condition_changed(std::size_t machine, const Condition& condition) = 0;
  virtual void moved(std::size_t machine) = 0;
  virtual void healed() = 0;             // a partition has ended
};

}  // namespace wigwag::sim
