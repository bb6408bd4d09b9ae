#pragma once

#include <map>
#include <string>
#include <vector>

#include "gossip/membership/message.hpp"
#include "gossip/node.hpp"
#include "sim/replay/replay.hpp"

namespace wigwag::sim {

// Puts what a node heard and did into words. Knows members by the names that the node knew when last asked.
class Wording {
 public:
  explicit Wording(const NetworkId& network) : network_(network) {}

  // Whom the node knows by now.
  void learn(const NodeStatus& status);
  void learn(const Event& event);

  // What an input is, and whose; a datagram without its MAC.
  std::string input(const Input& input, bool proven) const;
  std::string sender(const Input& input) const;
  // The effects of an output; `wish` is what the node desires after it, `before` what it desired at the last
  // call and becomes that.
  void effects(const Output& output, const Tunnel& wish, std::optional<Tunnel>& before, std::vector<Effect>& into) const;

 private:
  std::string name(const NodeId& id) const;
  std::string name(const Address& overlay) const;
  std::string name(const TunnelKey& key) const;
  std::string message(ByteView payload) const;
  std::string words(const Item& item) const;
  void changes(const std::optional<Tunnel>& before, const Tunnel& after, std::vector<Effect>& into) const;

  NetworkId network_;
  std::map<NodeId, std::string> names_;
  std::map<Address, NodeId> by_address_;
  std::map<TunnelKey, NodeId> by_key_;
};

}  // namespace wigwag::sim
