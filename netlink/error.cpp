#include "netlink/error.hpp"

#include <cerrno>
#include <cstring>

namespace wigwag {
namespace {

NetFault fault_of(int code) {
  switch (code) {
    case ENODEV:
      return NetFault::no_device;
    case EADDRINUSE:
      return NetFault::port_in_use;
    case EPERM:
    case EACCES:
      return NetFault::denied;
    case EEXIST:
      return NetFault::exists;
    case ENOENT:
    case ESRCH:
    case EADDRNOTAVAIL:
      return NetFault::missing;
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case ENOBUFS:
      return NetFault::busy;
    case ETIMEDOUT:
      return NetFault::timed_out;
    default:
      return NetFault::refused;
  }
}

const char* advice(NetFault fault) {
  switch (fault) {
    case NetFault::no_backend:
      return "install the kernel module (modprobe wireguard) or the package wireguard-go";
    case NetFault::no_device:
      return "the interface is gone; it is created again at the next run";
    case NetFault::foreign_device:
      return "choose another interface name, or remove that interface";
    case NetFault::port_in_use:
      return "another program listens on this UDP port: choose another one or stop that program";
    case NetFault::denied:
      return "run as root or with CAP_NET_ADMIN";
    case NetFault::exists:
      return "something that wigwag did not make stands in this place";
    case NetFault::missing:
      return "someone else removed it meanwhile";
    case NetFault::busy:
      return "it is tried again";
    case NetFault::malformed:
      return "the kernel or wireguard-go is newer than this program knows; please report it";
    case NetFault::timed_out:
      return "it is tried again; if that goes on, look at the kernel's log";
    case NetFault::refused:
      return "see the kernel's log for more";
  }
  return "";
}

}  // namespace

std::string to_string(const NetError& error) {
  // What stands in the way was looked at before anything was tried.
  std::string text = error.fault == NetFault::foreign_device ? "cannot " + error.what : error.what + " failed";
  if (error.code != 0) text += std::string(": ") + std::strerror(error.code);
  return text + " (" + advice(error.fault) + ")";
}

NetError net_error(int code, std::string what) { return {fault_of(code), code, std::move(what)}; }

}  // namespace wigwag
