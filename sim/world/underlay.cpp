#include "sim/world/underlay.hpp"

namespace wigwag::sim {

constexpr std::size_t udp_and_ip_bytes = 28;

Underlay::HostId Underlay::add_host(const Address& address, Receiver receiver) {
  const HostId id = hosts_.size();
  hosts_.push_back({.address = address, .outside = {}, .allowed = {}, .receiver = std::move(receiver)});
  by_address_[address] = id;
  return id;
}

Underlay::HostId Underlay::add_host_behind_nat(const Address& inside, const Address& outside, Receiver receiver) {
  const HostId id = hosts_.size();
  hosts_.push_back({.address = inside, .outside = outside, .allowed = {}, .receiver = std::move(receiver)});
  by_address_[outside] = id;
  return id;
}

void Underlay::set_address(HostId host, const Address& address) {
  by_address_.erase(hosts_[host].address);
  hosts_[host].address = address;
  by_address_[address] = host;
}

std::optional<Underlay::HostId> Underlay::owner(const Address& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? std::nullopt : std::optional(found->second);
}

void Underlay::send(HostId from, std::uint16_t from_port, const Endpoint& to, Bytes bytes) {
  Host& sender = hosts_[from];
  ++counts_.sent;
  counts_.bytes_sent += bytes.size() + udp_and_ip_bytes;
  sender.bytes_sent += bytes.size() + udp_and_ip_bytes;
  Packet packet{{sender.outside.value_or(sender.address), from_port}, to, std::move(bytes)};
  if (sender.outside) sender.allowed.insert({from_port, to});
  const auto receiver = owner(to.address);
  if (!receiver || !sender.cable || rng_.chance(weather_.loss_permille)) {
    ++counts_.dropped;
    return;
  }
  if (rng_.chance(weather_.duplication_permille)) {
    ++counts_.duplicated;
    carry(from, *receiver, packet);
  }
  carry(from, *receiver, std::move(packet));
}

void Underlay::carry(HostId from, HostId to, Packet packet) {
  ++counts_.in_flight;
  const auto latency = weather_.latency_least + rng_.below(weather_.latency_most - weather_.latency_least);
  events_.after(latency, [this, from, to, packet = std::move(packet)] {
    --counts_.in_flight;
    const Host& receiver = hosts_[to];
    const bool together = receiver.group == hosts_[from].group && receiver.cable && hosts_[from].cable;
    const bool let_in = !receiver.outside || receiver.allowed.contains({packet.to.port, packet.from});
    const bool still_there = packet.to.address == receiver.outside.value_or(receiver.address);
    if (!together || !let_in || !still_there) {
      ++counts_.dropped;
      return;
    }
    ++counts_.delivered;
    receiver.receiver(packet);
  });
}

}  // namespace wigwag::sim
