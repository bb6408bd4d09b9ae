#include "gossip/membership/spread.hpp"

#include <algorithm>
#include <utility>

#include "gossip/membership/record.hpp"

namespace wigwag {

void Spread::Bucket::fill(Instant now) {
  level = std::min(burst, level + rate * to_seconds(now - filled));
  filled = now;
}

bool Spread::Bucket::take(std::size_t bytes) {
  if (level < static_cast<double>(bytes)) return false;
  level -= static_cast<double>(bytes);
  return true;
}

Spread::AwaitedPlace Spread::stop_awaiting(AwaitedPlace at) {
  const auto first = announced_.find(at->second.holders.front());
  if (--first->second == 0) announced_.erase(first);
  return awaited_.erase(at);
}

void Spread::note_held(std::uint64_t id) {
  if (const auto at = awaited_.find(id); at != awaited_.end()) stop_awaiting(at);
  if (!held_.insert(id).second) return;
  held_order_.push_back(id);
  if (held_order_.size() <= held_max) return;
  held_.erase(held_order_.front());
  held_order_.pop_front();
}

void Spread::add(Item item, Urgency urgency, std::optional<NodeId> from) {
  const auto id = statement_id(item.statement);
  note_held(id);
  std::optional<Accusation> said;
  if (item.kind == ItemKind::accusation) {
    if (const auto accusation = decode_accusation(item.statement)) said = accusation->body;
  }
  queues_[static_cast<std::size_t>(urgency)].push_back({std::move(item), id, from, said});
  auto& [liveness, records] = queues_;
  if (liveness.size() + records.size() <= queue_max) return;
  (records.empty() ? liveness : records).pop_front();
}

// However much one member announces, what others announce is awaited beside it.
void Spread::on_have(const NodeId& from, const Have& have, Instant now) {
  const auto before = announced_.find(from);
  std::size_t announced = before == announced_.end() ? 0 : before->second;
  for (const auto id : have.ids) {
    if (held_.contains(id)) continue;
    const auto found = awaited_.find(id);
    if (found == awaited_.end()) {
      if (awaited_.size() >= awaited_max || announced >= announced_max) continue;
      awaited_.emplace(id, Awaited{{from}, now + ask_after, 0});
      announced_[from] = ++announced;
      ask_due_ = std::min(ask_due_, now + ask_after);
      continue;
    }
    auto& holders = found->second.holders;
    if (holders.size() < holders_max && std::find(holders.begin(), holders.end(), from) == holders.end()) holders.push_back(from);
  }
}

void Spread::doubt(const NodeId& holder, Instant now) {
  std::erase_if(doubted_, [&](const auto& entry) { return now >= entry.second; });
  if (doubted_.size() >= doubted_max && !doubted_.contains(holder)) {
    doubted_.erase(std::min_element(doubted_.begin(), doubted_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  doubted_[holder] = now + doubted_for;
}

bool Spread::awaiting(Instant now) const {
  const auto believed = [&](const NodeId& holder) {
    const auto found = doubted_.find(holder);
    return found == doubted_.end() || now >= found->second;
  };
  return std::any_of(awaited_.begin(), awaited_.end(), [&](const auto& entry) {
    return std::any_of(entry.second.holders.begin(), entry.second.holders.end(), believed);
  });
}

void Spread::on_want(const NodeId& from, const Want& want, Outbox& out) {
  std::vector<Item> items;
  for (const auto id : want.ids) {
    if (const auto found = kept_.find(id); found != kept_.end()) items.push_back(found->second);
  }
  push_items(from, std::move(items), out);
}

void Spread::ask(Instant now, Outbox& out) {
  if (now < ask_due_) return;
  std::map<NodeId, Want> questions;
  for (auto at = awaited_.begin(); at != awaited_.end();) {
    auto& [id, awaited] = *at;
    if (now < awaited.due) {
      ++at;
      continue;
    }
    if (awaited.asked >= awaited.holders.size()) {
      for (const auto& holder : awaited.holders) doubt(holder, now);
      at = stop_awaiting(at);
      continue;
    }
    questions[awaited.holders[awaited.asked++]].ids.push_back(id);
    awaited.due = now + ask_again;
    ++at;
  }
  ask_due_ = never;
  for (const auto& [id, awaited] : awaited_) ask_due_ = std::min(ask_due_, awaited.due);
  for (auto& [holder, want] : questions) {
    for (std::size_t first = 0; first < want.ids.size(); first += message_limits::ids) {
      const auto last = std::min(first + message_limits::ids, want.ids.size());
      out.push_back({holder, Want{{want.ids.begin() + static_cast<std::ptrdiff_t>(first), want.ids.begin() + static_cast<std::ptrdiff_t>(last)}}});
    }
  }
}

// Liveness first; what the budget cannot carry stays queued for the next batch.
std::vector<Spread::Queued> Spread::affordable(Instant now, std::size_t eager) {
  std::vector<Queued> chosen;
  for (std::size_t urgency = 0; urgency < queues_.size(); ++urgency) {
    auto& bucket = buckets_[urgency];
    bucket.fill(now);
    std::deque<Queued> rest;
    for (auto& queued : queues_[urgency]) {
      const auto cost = queued.item.packed_size() * std::max<std::size_t>(eager, 1);
      if (bucket.take(cost)) {
        chosen.push_back(std::move(queued));
      } else {
        rest.push_back(std::move(queued));
      }
    }
    queues_[urgency] = std::move(rest);
  }
  return chosen;
}

void Spread::keep(const Queued& sent) {
  if (!kept_.emplace(sent.id, sent.item).second) return;
  kept_order_.push_back(sent.id);
  if (kept_order_.size() <= kept_max) return;
  kept_.erase(kept_order_.front());
  kept_order_.pop_front();
}

void Spread::flush(Instant now, const Edges& edges, Outbox& out) {
  last_flush_ = now;
  flushed_once_ = true;
  const auto batch_now = affordable(now, edges.eager.size());
  for (const auto& queued : batch_now) keep(queued);
  for (const auto& edge : edges.eager) {
    std::vector<Item> items;
    for (const auto& queued : batch_now) {
      if (queued.from != edge) items.push_back(queued.item);
    }
    push_items(edge, std::move(items), out);
  }
  for (const auto& edge : edges.lazy) {
    Have have;
    for (const auto& queued : batch_now) {
      if (queued.from == edge) continue;
      have.ids.push_back(queued.id);
      if (have.ids.size() == message_limits::ids) out.push_back({edge, std::exchange(have, {})});
    }
    if (!have.ids.empty()) out.push_back({edge, std::move(have)});
  }
}

void Spread::tick(Instant now, const Edges& edges, Outbox& out) {
  if (waiting() && (!flushed_once_ || now >= last_flush_ + batch)) flush(now, edges, out);
  ask(now, out);
}

Instant Spread::next_wakeup() const {
  const Instant next = waiting() ? last_flush_ + batch : never;
  return awaited_.empty() ? next : std::min(next, ask_due_);
}

}  // namespace wigwag
