#include "daemon/names.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

namespace wigwag {
namespace asio = boost::asio;
using boost::system::error_code;
using asio::ip::udp;

namespace {

constexpr auto again_when_well = std::chrono::minutes(5);
constexpr auto again_when_ill = std::chrono::seconds(15);

std::optional<Address> address_of(const asio::ip::address& from) {
  if (from.is_v4()) return Address::from_bytes(from.to_v4().to_bytes());
  // Scoped addresses mean something on one link only, and endpoints travel.
  if (from.to_v6().scope_id() != 0) return std::nullopt;
  return Address::from_bytes(from.to_v6().to_bytes());
}

}  // namespace

class Names::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, Changed changed, Failed failed)
      : resolver_(context), timer_(context), changed_(std::move(changed)), failed_(std::move(failed)) {}

  void resolve(std::vector<HostPort> seeds, std::vector<HostPort> endpoints) {
    seeds_ = std::move(seeds);
    endpoints_ = std::move(endpoints);
    told_ = false;
    std::map<std::string, std::vector<Address>> kept;
    hosts_.clear();
    for (const auto* list : {&seeds_, &endpoints_}) {
      for (const auto& item : *list) {
        if (const auto address = Address::parse(item.host)) {
          kept[item.host] = {*address};
        } else {
          if (std::find(hosts_.begin(), hosts_.end(), item.host) == hosts_.end()) hosts_.push_back(item.host);
          if (const auto known = addresses_.find(item.host); known != addresses_.end()) kept[item.host] = known->second;
        }
      }
    }
    addresses_ = std::move(kept);
    tell();
    ask_all();
  }

  void refresh() {
    if (!asking_ && !hosts_.empty() && std::chrono::steady_clock::now() - asked_ >= again_when_ill) ask_all();
  }

  void stop() {
    stopped_ = true;
    resolver_.cancel();
    timer_.cancel();
  }

 private:
  void ask_all() {
    if (asking_ || hosts_.empty() || stopped_) return;
    asking_ = true;
    asked_ = std::chrono::steady_clock::now();
    ill_ = false;
    ask(hosts_, 0);
  }

  // One name after the other: the system's resolver may block for long.
  void ask(const std::vector<std::string>& hosts, std::size_t at) {
    if (at == hosts.size()) return done(hosts);
    resolver_.async_resolve(hosts[at], "", [self = shared_from_this(), hosts, at](error_code error, const udp::resolver::results_type& found) {
      if (self->stopped_) return;
      self->take(hosts[at], error, found);
      self->ask(hosts, at + 1);
    });
  }

  void take(const std::string& host, error_code error, const udp::resolver::results_type& found) {
    std::vector<Address> addresses;
    for (const auto& result : found) {
      const auto address = address_of(result.endpoint().address());
      if (!address || std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) continue;
      if (addresses.size() < endpoints_per_name) addresses.push_back(*address);
    }
    // Sorted, because name servers rotate their answers and that is no change.
    std::sort(addresses.begin(), addresses.end());
    if (!error && !addresses.empty()) {
      addresses_[host] = std::move(addresses);
    } else {
      ill_ = true;
      failed_(host, error ? error.message() : "it has no usable address");
    }
  }

  void done(const std::vector<std::string>& asked) {
    asking_ = false;
    tell();
    if (asked != hosts_) return ask_all();
    timer_.expires_after(ill_ ? std::chrono::steady_clock::duration(again_when_ill) : again_when_well);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->ask_all();
    });
  }

  std::vector<Endpoint> endpoints_of(const std::vector<HostPort>& hosts) const {
    std::vector<Endpoint> endpoints;
    for (const auto& host : hosts) {
      const auto known = addresses_.find(host.host);
      if (known == addresses_.end()) continue;
      for (const auto& address : known->second) {
        const Endpoint endpoint{address, host.port};
        if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end()) endpoints.push_back(endpoint);
      }
    }
    return endpoints;
  }

  void tell() {
    auto seeds = endpoints_of(seeds_);
    auto endpoints = endpoints_of(endpoints_);
    if (told_ && seeds == told_seeds_ && endpoints == told_endpoints_) return;
    told_ = true;
    told_seeds_ = seeds;
    told_endpoints_ = endpoints;
    changed_(std::move(seeds), std::move(endpoints));
  }

  udp::resolver resolver_;
  asio::steady_timer timer_;
  Changed changed_;
  Failed failed_;
  std::vector<HostPort> seeds_, endpoints_;
  std::vector<std::string> hosts_;  // names among them
  std::map<std::string, std::vector<Address>> addresses_;
  std::vector<Endpoint> told_seeds_, told_endpoints_;
  std::chrono::steady_clock::time_point asked_{};
  bool told_ = false, asking_ = false, ill_ = false, stopped_ = false;
};

Names::Names(asio::io_context& context, Changed changed, Failed failed)
    : impl_(std::make_shared<Impl>(context, std::move(changed), std::move(failed))) {}
Names::~Names() { impl_->stop(); }
void Names::resolve(std::vector<HostPort> seeds, std::vector<HostPort> endpoints) { impl_->resolve(std::move(seeds), std::move(endpoints)); }
void Names::refresh() { impl_->refresh(); }

}  // namespace wigwag
