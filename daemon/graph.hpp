#pragma once

#include <string>

#include "daemon/control_protocol.hpp"

// `wigwag graph`: the mesh as one node sees it, drawn from its status document. Edges are
// what that node knows at first hand: its own paths.
namespace wigwag {

Json graph_json(const Json& status);
std::string graph_dot(const Json& status);
// A picture that needs nothing else: members on a circle, this node's paths as lines.
std::string graph_svg(const Json& status);

}  // namespace wigwag
