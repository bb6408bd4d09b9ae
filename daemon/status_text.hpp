#pragma once

#include <string>

#include "daemon/control_protocol.hpp"

namespace wigwag {

// `wigwag status` for people, from the document that `status --json` prints.
std::string status_text(const Json& status, bool colours);

// A text member of a document, "" when there is none: documents of other versions may
// lack what we expect, and a table must not fail on that.
std::string text_of(const Json& document, const char* key);

}  // namespace wigwag
