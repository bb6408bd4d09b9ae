#include "daemon/forwarding.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "daemon/file.hpp"
#include "daemon/words.hpp"
#include "gossip/base/packed.hpp"

namespace wigwag {
namespace {

constexpr std::uint64_t format = 1;
constexpr std::size_t switches_max = 4096;
constexpr std::size_t name_bytes = 64;
constexpr std::size_t value_bytes = 16;
const std::string all_ipv6 = "ipv6/conf/all/forwarding";

// The file of one switch; what is stored must not lead anywhere else.
bool is_switch(const std::string& name) {
  const auto parts = split(name, '/');
  if (parts.size() != 4 || (parts[0] != "ipv4" && parts[0] != "ipv6") || parts[1] != "conf") return false;
  if (parts[2].empty() || parts[2] == "." || parts[2] == "..") return false;
  return parts[3] == "forwarding" || parts[3] == "force_forwarding" || parts[3] == "accept_ra";
}

std::optional<Address> address_in(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(from);
    return Address::from_bytes(ByteView(reinterpret_cast<const std::uint8_t*>(&v4->sin_addr), 4));
  }
  if (from->sa_family != AF_INET6) return std::nullopt;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(from);
  return Address::from_bytes(ByteView(reinterpret_cast<const std::uint8_t*>(&v6->sin6_addr), 16));
}

std::uint8_t ones(const Address& mask) {
  int count = 0;
  for (const auto byte : mask.view()) count += __builtin_popcount(byte);
  return static_cast<std::uint8_t>(count);
}

// Our address towards a network that this host is not in, as the kernel would choose it; nothing is sent.
std::optional<Address> address_towards(const Prefix& subnet) {
  sockaddr_storage to{};
  socklen_t size = 0;
  if (subnet.address.family == Family::ipv4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&to);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(9);
    std::memcpy(&v4->sin_addr, subnet.address.bytes.data(), 4);
    size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&to);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(9);
    std::memcpy(&v6->sin6_addr, subnet.address.bytes.data(), 16);
    size = sizeof *v6;
  }
  const Descriptor probe(::socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0) return std::nullopt;
  sockaddr_storage here{};
  socklen_t length = sizeof here;
  if (::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&here), &length) != 0) return std::nullopt;
  return address_in(reinterpret_cast<const sockaddr*>(&here));
}

// The interfaces in that network, or else the one that leads there.
std::set<std::string> interfaces_towards(const Prefix& subnet, const std::vector<HostNetwork>& networks) {
  std::set<std::string> found;
  for (const auto& one : networks) {
    const Prefix network = Prefix::covering(one.address.address, one.address.length);
    if (network.overlaps(subnet)) found.insert(one.interface);
  }
  if (!found.empty()) return found;
  const auto source = address_towards(subnet);
  for (const auto& one : networks) {
    if (source && one.address.address == *source) found.insert(one.interface);
  }
  return found;
}

std::vector<std::string> interfaces_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name != "all" && name != "default" && name != "lo") names.push_back(name);
  }
  ::closedir(open);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Bytes encode_turned(const std::vector<TurnedSwitch>& turned) {
  Packer out;
  out.array(2).number(format).array(turned.size());
  for (const auto& one : turned) out.array(4).text(one.name).text(one.before).text(one.now).boolean(one.everywhere);
  return out.take();
}

std::optional<std::vector<TurnedSwitch>> decode_turned(ByteView stored) {
  Unpacker in(stored, 8 * switches_max);
  in.array(2, 2);
  if (in.number() != format) in.fail();
  std::vector<TurnedSwitch> turned(in.array(0, switches_max));
  for (auto& one : turned) {
    in.array(4, 4);
    one.name = in.text(name_bytes);
    one.before = in.text(value_bytes);
    one.now = in.text(value_bytes);
    one.everywhere = in.boolean();
    if (!is_switch(one.name)) in.fail();
  }
  return in.done() ? std::optional(std::move(turned)) : std::nullopt;
}

std::vector<HostNetwork> host_networks() {
  std::vector<HostNetwork> found;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const auto address = address_in(one->ifa_addr);
    const auto mask = address_in(one->ifa_netmask);
    if (!address || !mask || address->is_link_local() || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    found.push_back({one->ifa_name, {*address, std::min(ones(*mask), static_cast<std::uint8_t>(address->bits()))}});
  }
  ::freeifaddrs(all);
  return found;
}

Forwarding::Forwarding(std::string root, std::vector<TurnedSwitch> turned, Calls calls)
    : root_(std::move(root)), turned_(std::move(turned)), calls_(std::move(calls)) {}

std::vector<Forwarding::Wish> Forwarding::wishes(const std::vector<Prefix>& subnets, const std::vector<std::string>& tunnels,
                                                 const std::vector<HostNetwork>& networks) const {
  auto others = networks;
  std::erase_if(others, [&](const HostNetwork& one) { return std::find(tunnels.begin(), tunnels.end(), one.interface) != tunnels.end(); });
  std::set<std::string> v4, v6;
  for (const auto& subnet : subnets) {
    auto& interfaces = subnet.address.family == Family::ipv4 ? v4 : v6;
    interfaces.merge(interfaces_towards(subnet, others));
    interfaces.insert(tunnels.begin(), tunnels.end());
  }
  std::vector<Wish> wanted;
  for (const auto& interface : v4) wanted.push_back({"ipv4/conf/" + interface + "/forwarding", "1"});
  if (v6.empty()) return wanted;
  if (!exists("ipv6/conf/all/force_forwarding")) {
    add_all_of_ipv6(wanted);
    return wanted;
  }
  for (const auto& interface : v6) wanted.push_back({"ipv6/conf/" + interface + "/force_forwarding", "1"});
  return wanted;
}

// A host that forwards takes no router advertisements unless told to, and loses the routes that it had from
// them. And what switches all off again one day switches off those that were on before: they are noted, too.
void Forwarding::add_all_of_ipv6(std::vector<Wish>& wishes) const {
  const bool turned_before = std::any_of(turned_.begin(), turned_.end(), [](const TurnedSwitch& one) { return one.name == all_ipv6; });
  if (turned_before) {
    for (const auto& one : turned_) {
      if (one.name.rfind("ipv6/", 0) == 0) wishes.push_back({one.name, one.now});
    }
    return;
  }
  if (read(all_ipv6) == "0") {
    for (const auto& interface : interfaces_in(root_ + "/ipv6/conf")) {
      const std::string folder = "ipv6/conf/" + interface + "/";
      if (read(folder + "forwarding") == "1") wishes.push_back({folder + "forwarding", "1"});
      else if (read(folder + "accept_ra") == "1") wishes.push_back({folder + "accept_ra", "2"});
    }
  }
  wishes.push_back({all_ipv6, "1"});
}

void Forwarding::want(const std::vector<Prefix>& subnets, const std::vector<std::string>& tunnels, const std::vector<HostNetwork>& networks) {
  if (subnets.empty() && turned_.empty()) return states_.clear();
  const auto wanted = wishes(subnets, tunnels, networks);
  put_back(wanted);
  states_.clear();
  bool good = true;
  std::vector<std::string> news;
  for (const auto& wish : wanted) {
    const bool was = read(wish.name) == wish.value;
    const bool is = turn(wish);
    if (is && !was) news.push_back(wish.name + " = " + wish.value);
    good = good && is;
    states_.push_back({wish.name, is});
  }
  if (!news.empty()) calls_.note("forwarding_on", "for the networks behind this node: " + joined(news, ", "), false);
  if (good) complaint_.clear();
}

// Whether it is as wished now.
bool Forwarding::turn(const Wish& wish) {
  const auto found = read(wish.name);
  if (!found) return false;  // its interface is not there (yet)
  const bool noted = std::any_of(turned_.begin(), turned_.end(), [&](const TurnedSwitch& one) { return one.name == wish.name; });
  // An IPv6 interface that is on already goes off with all of them when we go: that is to be remembered.
  const bool falls_with_all = wish.name.rfind("ipv6/", 0) == 0 && wish.name != all_ipv6 && wish.name.find("/forwarding") != std::string::npos;
  if (*found == wish.value && (noted || !falls_with_all)) return true;
  if (!noted) {
    const bool everywhere = wish.name.rfind("ipv4/", 0) == 0 && read("ipv4/conf/all/forwarding") != "0";
    auto next = turned_;
    next.push_back({wish.name, *found, wish.value, everywhere});
    if (!calls_.persist(next)) return complain("what was found cannot be written down, so " + wish.name + " stays as it is"), false;
    turned_ = std::move(next);
  }
  if (*found == wish.value || write(wish.name, wish.value)) return true;
  complain("cannot write " + wish.value + " to " + root_ + "/" + wish.name + ": " + std::strerror(errno) +
           ". Packets for the networks behind this node are dropped until an administrator does");
  return false;
}

// All but what is still wished, the last one first: what turns many at once gives way to those noted before it.
std::vector<std::string> Forwarding::put_back(const std::vector<Wish>& but) {
  std::vector<std::string> failures, done;
  std::vector<TurnedSwitch> left;
  for (auto one = turned_.rbegin(); one != turned_.rend(); ++one) {
    const bool wished = std::any_of(but.begin(), but.end(), [&](const Wish& wish) { return wish.name == one->name; });
    const auto found = read(one->name);
    // Somebody has had the whole host forward since: then our leaving must not end it.
    const bool anothers = one->name.rfind("ipv4/", 0) == 0 && !one->everywhere && read("ipv4/conf/all/forwarding") == "1";
    const bool falls_with_all = one->before == one->now;
    const bool ours = found && (falls_with_all || *found == one->now) && *found != one->before && !anothers;
    if (!wished && ours && !write(one->name, one->before)) {
      failures.push_back("cannot write " + one->before + " to " + root_ + "/" + one->name + ": " + std::strerror(errno));
      left.insert(left.begin(), *one);
      continue;
    }
    if (wished) left.insert(left.begin(), *one);
    else if (ours) done.push_back(one->name + " = " + one->before);
  }
  if (left.size() != turned_.size() && calls_.persist(left)) turned_ = std::move(left);
  if (!done.empty()) calls_.note("forwarding_off", "put back: " + joined(done, ", "), false);
  for (const auto& failure : failures) complain(failure);
  return failures;
}

std::vector<std::string> Forwarding::undo() {
  states_.clear();
  return turned_.empty() ? std::vector<std::string>() : put_back({});
}

std::optional<std::string> Forwarding::read(const std::string& name) const {
  const Descriptor file(::open((root_ + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, value_bytes> text{};
  const auto size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size <= 0) return std::nullopt;
  return std::string(trimmed(std::string_view(text.data(), static_cast<std::size_t>(size))));
}

bool Forwarding::write(const std::string& name, const std::string& value) const {
  const Descriptor file(::open((root_ + "/" + name).c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

bool Forwarding::exists(const std::string& name) const { return ::access((root_ + "/" + name).c_str(), F_OK) == 0; }

void Forwarding::complain(const std::string& text) {
  if (std::exchange(complaint_, text) != text) calls_.note("forwarding_failed", text, true);
}

}  // namespace wigwag
