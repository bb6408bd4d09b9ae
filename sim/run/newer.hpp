#pragma once

#include <memory>

#include "sim/world/meddler.hpp"

namespace wigwag::sim {

// A member whose daemon is newer than all we have written: it says everything that ours says, and beside
// it, once a second and to one member after the other, what only its own kind understands: messages of
// kinds that we do not know, and of kinds that we do with more in them. Ours must take no harm by it.
std::unique_ptr<Meddler> make_newer();

}  // namespace wigwag::sim
