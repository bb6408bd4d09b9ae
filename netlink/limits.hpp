#pragma once

#include <chrono>
#include <cstddef>

// Every bound of the netlink folder, each with what happens at its edge.
namespace wigwag::netlink_limits {

inline constexpr std::size_t message_bytes = 32 * 1024;  // a longer configuration is split into several messages
inline constexpr std::size_t receive_bytes = 64 * 1024;  // always, because the kernel sizes its answers by the largest ever used
inline constexpr std::size_t peers = 65'536;             // an interface with more cannot be read: malformed
inline constexpr std::size_t allowed_ips = 1'000'000;    // of one interface; likewise
inline constexpr std::size_t routes = 200'000;           // of interest to us; likewise
inline constexpr std::size_t interface_name = 15;        // the kernel's own bound; a longer one is no note of ours
inline constexpr std::size_t links = 65'536;             // further ones are not read
inline constexpr std::size_t uapi_answer_bytes = 64 * 1024 * 1024;  // a longer answer is malformed
inline constexpr std::size_t child_output_bytes = 4096;             // what wireguard-go says beyond it is dropped
inline constexpr int parts_at_once = 8;                             // datagrams of a dump; then the event loop goes on in between
inline constexpr int dump_attempts = 8;                             // a dump that changes under every one of them is busy
inline constexpr std::chrono::seconds answer_timeout{10};           // then the socket is opened afresh
inline constexpr std::chrono::seconds spawn_timeout{15};            // then wireguard-go is ended

}  // namespace wigwag::netlink_limits
