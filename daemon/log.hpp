#pragma once

#include <cstdint>
#include <string>

namespace wigwag {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// Lines on standard error, one a happening. Under a journal, which stamps them itself,
// they carry no time. False for a level that is none: debug, info, warning, error.
bool start_log(const std::string& level);
void log_line(LogLevel level, const std::string& line);

}  // namespace wigwag
