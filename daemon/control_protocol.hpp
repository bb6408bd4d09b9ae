#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/failure.hpp"

// What `wigwag` and `wigwagd` say to each other over the control socket: one JSON
// document on one line each way.
//   request  {"command": "status", ...arguments}
//   reply    {"ok": true, "result": ...}
//            {"ok": false, "error": "why and what to try", "exit": 1}
// A command that follows (`events`, `status` with "watch") answers with many lines.
namespace wigwag {

using Json = nlohmann::json;

inline constexpr std::size_t control_request_max = 64 << 10;  // a longer request is refused
inline constexpr std::size_t control_reply_max = 64 << 20;    // a longer reply is not read

struct ControlRequest {
  std::string command;
  Json arguments;  // the whole request: an object

  // Arguments of the wanted type, or what stands for an absent one.
  std::string text(const char* key, std::string absent = {}) const;
  bool truth(const char* key) const;
  std::optional<std::int64_t> number(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
};
Outcome<ControlRequest> decode_request(std::string_view line);

std::string encode_result(const Json& result);
std::string encode_refusal(const std::string& error, int exit_status = 1);

struct ControlReply {
  bool ok = false;
  Json result;
  std::string error;
  int exit_status = 1;
};
Outcome<ControlReply> decode_reply(std::string_view line);

// Text that is no UTF-8 becomes replacement characters: a reply is always valid JSON.
std::string json_line(const Json& document);

}  // namespace wigwag
