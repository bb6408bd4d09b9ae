#include "daemon/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace wigwag {

bool start_log(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("wigwag", std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l %v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  if (level == "debug") spdlog::set_level(spdlog::level::debug);
  else if (level == "info") spdlog::set_level(spdlog::level::info);
  else if (level == "warning") spdlog::set_level(spdlog::level::warn);
  else if (level == "error") spdlog::set_level(spdlog::level::err);
  else return false;
  return true;
}

void log_line(LogLevel level, const std::string& line) {
  switch (level) {
    case LogLevel::debug: spdlog::debug("{}", line); break;
    case LogLevel::info: spdlog::info("{}", line); break;
    case LogLevel::warning: spdlog::warn("{}", line); break;
    case LogLevel::error: spdlog::error("{}", line); break;
  }
}

}  // namespace wigwag
