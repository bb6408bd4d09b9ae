#include "daemon/control_protocol.hpp"

namespace wigwag {

std::string ControlRequest::text(const char* key, std::string absent) const {
  const auto at = arguments.find(key);
  return at != arguments.end() && at->is_string() ? at->get<std::string>() : std::move(absent);
}

bool ControlRequest::truth(const char* key) const {
  const auto at = arguments.find(key);
  return at != arguments.end() && at->is_boolean() && at->get<bool>();
}

std::optional<std::int64_t> ControlRequest::number(const char* key) const {
  const auto at = arguments.find(key);
  if (at == arguments.end() || !at->is_number_integer()) return std::nullopt;
  if (at->is_number_unsigned() && at->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return at->get<std::int64_t>();
}

std::vector<std::string> ControlRequest::texts(const char* key) const {
  std::vector<std::string> all;
  const auto at = arguments.find(key);
  if (at == arguments.end() || !at->is_array()) return all;
  for (const auto& item : *at) {
    if (item.is_string()) all.push_back(item.get<std::string>());
  }
  return all;
}

Outcome<ControlRequest> decode_request(std::string_view line) {
  // The depth is bounded before the parser, which recurses, sees the text.
  int depth = 0;
  for (const char c : line) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > 8) return Unexpected{Failure{"the request is nested too deeply"}};
  }
  Json document = Json::parse(line, nullptr, false);
  if (!document.is_object()) return Unexpected{Failure{"the request is not one JSON object on one line"}};
  const auto command = document.find("command");
  if (command == document.end() || !command->is_string()) return Unexpected{Failure{"the request names no command"}};
  ControlRequest request;
  request.command = command->get<std::string>();
  request.arguments = std::move(document);
  return request;
}

std::string json_line(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string encode_result(const Json& result) { return json_line({{"ok", true}, {"result", result}}); }

std::string encode_refusal(const std::string& error, int exit_status) {
  return json_line({{"ok", false}, {"error", error}, {"exit", exit_status}});
}

Outcome<ControlReply> decode_reply(std::string_view line) {
  const Json document = Json::parse(line, nullptr, false);
  if (!document.is_object() || !document.contains("ok") || !document["ok"].is_boolean()) {
    return Unexpected{Failure{"the daemon's answer is not understood: is it another version? restart it"}};
  }
  ControlReply reply;
  reply.ok = document["ok"].get<bool>();
  if (document.contains("result")) reply.result = document["result"];
  if (document.contains("error") && document["error"].is_string()) reply.error = document["error"].get<std::string>();
  if (document.contains("exit") && document["exit"].is_number_integer()) reply.exit_status = document["exit"].get<int>();
  return reply;
}

}  // namespace wigwag
