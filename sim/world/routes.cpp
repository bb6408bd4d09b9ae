#include "sim/world/routes.hpp"

#include <algorithm>

namespace wigwag::sim {
namespace {

ActualRoute as_made(const TunnelRoute& route) {
  const auto target = route.kind == RouteKind::through_tunnel ? RouteTarget::this_tunnel : RouteTarget::unreachable;
  return {route.destination, target, route.metric, true};
}

// Those to one destination stand side by side.
template <class Table, class Call>
void each_to(const Table& table, const Prefix& destination, const Call& call) {
  auto at = std::lower_bound(table.begin(), table.end(), destination, [](const ActualRoute& route, const Prefix& wanted) { return route.destination < wanted; });
  for (; at != table.end() && at->destination == destination; ++at) call(*at);
}

}  // namespace

void Routes::add(const TunnelRoute& route) {
  const ActualRoute made = as_made(route);
  auto& routes = table(made.destination);
  bool taken = false;
  each_to(routes, made.destination, [&](const ActualRoute& one) { taken = taken || one.metric == made.metric; });
  if (!taken) routes.insert(std::lower_bound(routes.begin(), routes.end(), made), made);
}

void Routes::remove(const TunnelRoute& route) {
  const ActualRoute made = as_made(route);
  auto& routes = table(made.destination);
  if (const auto at = std::lower_bound(routes.begin(), routes.end(), made); at != routes.end() && *at == made) routes.erase(at);
}

void Routes::clear_through_tunnel() {
  for (auto* routes : {&hosts_, &ranges_}) {
    std::erase_if(*routes, [](const ActualRoute& one) { return one.target == RouteTarget::this_tunnel; });
  }
}

bool Routes::lead_into_tunnel(const Address& to) const {
  const ActualRoute* best = nullptr;
  const auto consider = [&](const ActualRoute& route) {
    const bool better = best == nullptr || route.destination.length > best->destination.length ||
                        (route.destination.length == best->destination.length && route.metric < best->metric);
    if (better) best = &route;
  };
  each_to(hosts_, Prefix::host(to), consider);
  if (best == nullptr) {
    for (const ActualRoute& route : ranges_) {
      if (route.destination.contains(to)) consider(route);
    }
  }
  return best != nullptr && best->target == RouteTarget::this_tunnel;
}

std::vector<ActualRoute> Routes::all() const {
  auto both = hosts_;
  both.insert(both.end(), ranges_.begin(), ranges_.end());
  return both;
}

std::vector<ActualRoute> Routes::to(const std::vector<Prefix>& destinations) const {
  std::vector<ActualRoute> some;
  for (const Prefix& destination : destinations) {
    each_to(is_host(destination) ? hosts_ : ranges_, destination, [&](const ActualRoute& route) { some.push_back(route); });
  }
  return some;
}

}  // namespace wigwag::sim
