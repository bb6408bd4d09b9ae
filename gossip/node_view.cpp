#include "gossip/node_impl.hpp"

// Looks at a node that are cheap enough to be taken of thousands of nodes all the time.
namespace wigwag {

std::uint64_t live_mark(const NodeId& id) { return key_of(id); }

Node::View Node::view() const { return impl_->view(); }
bool Node::joined() const { return impl_->joined(); }
std::uint64_t Node::revision() const { return impl_->revision(); }
Node::LiveSet Node::live_set() const { return impl_->live_set(); }
std::optional<Health> Node::health_of(const NodeId& id) const { return impl_->health_of(id); }
bool Node::has_path(const NodeId& id, Instant now) const { return impl_->has_path(id, now); }
bool Node::ignores(const NodeId& accuser, const NodeId& subject, Instant now) const { return impl_->ignores(accuser, subject, now); }
Version Node::version_of(const NodeId& id) const { return impl_->version_of(id); }
std::vector<Prefix> Node::subnets() const { return impl_->subnets(); }

Node::View Node::Impl::view() const {
  if (digest_seen_ != seen_now()) {
    digest_ = roster_.digest();
    digest_seen_ = seen_now();
  }
  return {joined_, live_set().count, digest_, roster_.revision()};
}

Node::LiveSet Node::Impl::live_set() const {
  if (live_seen_ != seen_now()) {
    live_set_ = {};
    for (const Member* member : roster_.live()) {
      ++live_set_.count;
      live_set_.marks += live_mark(member->id());
    }
    live_seen_ = seen_now();
  }
  return live_set_;
}

std::optional<Health> Node::Impl::health_of(const NodeId& id) const {
  const Member* member = roster_.find(id);
  if (member == nullptr) return std::nullopt;
  return member->excluded || member->expired ? Health::dead : member->health;
}

bool Node::Impl::has_path(const NodeId& id, Instant now) const {
  const Member* member = roster_.find(id);
  return member != nullptr && kernel_peer(*member) != nullptr && peer_endpoints_.stands(id, now);
}

std::vector<Prefix> Node::Impl::subnets() const {
  const Member* own = joined_ ? self() : nullptr;
  return own != nullptr && !own->record->body.left ? own->record->body.subnets : std::vector<Prefix>();
}

Version Node::Impl::version_of(const NodeId& id) const {
  const Member* member = roster_.find(id);
  return member != nullptr ? member->record->body.version : Version{};
}

}  // namespace wigwag
