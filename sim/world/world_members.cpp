#include <algorithm>
#include <set>
#include <utility>

#include "gossip/trust/overlay.hpp"
#include "sim/world/world.hpp"

// How machines come into the world and what they start from.
namespace wigwag::sim {
namespace {

constexpr std::int64_t known_for_s = 3600;            // how long the members of a converged start have been members
constexpr std::int64_t record_lifetime_s = 30 * 24 * 3600;  // as the core makes its records
constexpr Duration starts_within = seconds(1);
constexpr std::size_t verified_max = std::size_t{1} << 22;
const Prefix overlay_ipv4_range{Address::ipv4(0x0A630000U), 16};  // 10.99.0.0/16

Secret<EntropySeedRole> entropy_seed(std::uint64_t seed) {
  std::array<std::uint8_t, 32> raw{};
  store_be64(raw.data(), seed);
  return Secret<EntropySeedRole>(raw);
}

}  // namespace

// What all members of a converged start have on their disks, once for all of them.
struct World::Converged {
  struct Own {
    std::uint32_t epoch = 0, ipv4_attempt = 0;
  };
  std::vector<StoredState::Member> members;  // by machine
  std::vector<Own> own;
};

World::World(std::uint64_t seed)
    : rng_(seed),
      entropy_(entropy_seed(seed)),
      underlay_(events_, rng_.next()),
      verifier_(verified_max, true),
      root_(entropy_.secret<RootSecret>()),
      network_(public_key(root_)),
      admin_(entropy_.secret<AdminSecret>()),
      grant_secret_(entropy_.secret<GrantSecret>()) {
  check(start_crypto(), "libsodium starts");
  Bundle bundle;
  bundle.network_name = "home";
  bundle.ipv4 = overlay_ipv4_range;
  bundle.admins = {{public_key(admin_), true, true}};
  bundle_ = make_bundle(bundle, network_, root_);
  underlay_.on_receive([this](Underlay::HostId host, Packet& packet) { receive(host, packet); });
  underlay_.on_sent([this](Underlay::HostId host, const Packet& packet) {
    const bool hello = std::holds_alternative<Bytes>(packet.body);
    tell([&](Observer& observer) { observer.sent(host, packet.size, hello); });
  });
}

World::~World() = default;

std::size_t World::make_machine(const Options& options) {
  const std::size_t index = machines_.size();
  auto machine = std::make_unique<Machine>();
  machine->identity = entropy_.secret<NodeSecret>();
  machine->id = public_key(machine->identity);
  machine->tunnel_key = public_key(make_tunnel_secret(entropy_));
  machine->key_number = keys_.number(machine->tunnel_key);
  machine->name = "node-" + std::to_string(index);
  machine->options = options;
  by_id_[machine->id] = index;
  by_tunnel_key_[machine->tunnel_key] = index;
  machines_.push_back(std::move(machine));
  plug_in(index);
  machines_[index]->kernel = make_kernel(index);
  return index;
}

void World::plug_in(std::size_t index) {
  Machine& machine = *machines_[index];
  const auto& options = machine.options;
  auto router = options.beside ? underlay_.router(host(*options.beside)) : std::nullopt;
  if (!router && options.nat) router = underlay_.add_router(*options.nat, fresh_address());
  machine.host = router ? underlay_.add_host_behind(*router, options.region) : underlay_.add_host(fresh_address(), options.region);
  check(machine.host == index, "machines and hosts are numbered alike");
}

std::unique_ptr<FakeKernel> World::make_kernel(std::size_t index) {
  const Machine& machine = *machines_[index];
  FakeKernel::Calls calls;
  calls.send = [this, index](const Endpoint& to, TunnelMessage message) { underlay_.send(index, tunnel_port, to, std::move(message)); };
  calls.deliver = [this, index](InnerPacket& packet) { deliver_inner(index, packet); };
  calls.wall_s = [this, index] { return now_of(index).wall.seconds; };
  calls.shook_hands = [this, index] { tell([&](Observer& observer) { observer.shook_hands(index); }); };
  // Old kernels and new ones live side by side.
  return std::make_unique<FakeKernel>(events_, keys_, machine.tunnel_key, rng_.next(), index % 2 == 1, std::move(calls));
}

std::size_t World::found(const Options& options) {
  const auto index = make_machine(options);
  machines_[index]->first = founders_state(*machines_[index]);
  start(index, false);
  return index;
}

std::size_t World::add(const Options& options) {
  const auto index = make_machine(options);
  start(index);
  return index;
}

StoredState World::empty_state() const {
  return {.network = network_, .bundle = {}, .certificate = {}, .grant = {}, .redemption = {}, .members = {}, .revocations = {}};
}

StoredState World::founders_state(const Machine& machine) const {
  Certificate certificate;
  certificate.node = machine.id;
  certificate.issuer = Issuer::admin;
  certificate.issuer_key = public_key(admin_).bytes;
  certificate.name = machine.name;
  certificate.issued = now().wall;
  StoredState state = empty_state();
  state.bundle = bundle_.wire;
  state.certificate = make_certificate(certificate, network_, admin_).wire;
  return state;
}

const Signed<Grant>& World::grant_for(std::uint32_t uses) {
  auto [grant, fresh] = grants_.try_emplace(uses);
  if (fresh) {
    Grant body;
    body.id = public_key(grant_secret_);
    body.admin = public_key(admin_);
    body.uses = uses;
    body.issued = now().wall;
    grant->second = make_grant(body, network_, admin_);
  }
  return grant->second;
}

std::optional<Invitation> World::invitation_of(const Machine& machine) {
  if (machine.id == machines_[0]->id) return std::nullopt;
  Invitation invitation{grant_for(machine.options.uses), grant_secret_.duplicate(), std::nullopt};
  if (machine.options.certify_itself) invitation.bundle = bundle_;
  return invitation;
}

std::vector<Endpoint> World::seeds_of(std::size_t index) const {
  std::vector<Endpoint> seeds;
  for (std::size_t seed = 0; seed < std::min(machines_[index]->options.seeds, machines_.size()); ++seed) {
    if (seed != index) seeds.push_back({underlay_.outside(host(seed)), hello_port});
  }
  return seeds;
}

StoredState World::state_to_start_from(const Machine& machine) const {
  if (!machine.disk.empty()) {
    auto read = decode_stored(machine.disk);
    check(read.has_value(), "a simulated disk gives back what was written");
    return std::move(*read);
  }
  StoredState state = machine.first.value_or(empty_state());
  if (machine.knows_everyone) state.members = converged_->members;
  return state;
}

void World::start(std::size_t index, bool with_seed) {
  Machine& machine = *machines_[index];
  kill(index);
  NodeConfig config;
  config.name = machine.name;
  config.network = network_;
  config.listen_port = tunnel_port;
  config.hello_port = hello_port;
  config.ipv4 = machine.options.ipv4;
  config.random_seed = rng_.next();
  StoredState stored = state_to_start_from(machine);
  auto invitation = invitation_of(machine);
  NodeSecrets secrets{machine.identity.duplicate(), machine.tunnel_key, entropy_.secret<Secret<EntropySeedRole>>()};
  machine.recording = std::exchange(machine.to_record, nullptr);
  if (machine.recording != nullptr) machine.recording->begin("simulated", config, secrets, stored, invitation);
  machine.node.emplace(config, std::move(secrets), std::move(stored), std::move(invitation), verifier_);
  machine.left = false;
  tell([&](Observer& observer) { observer.started(index); });
  feed(index, LocalAddresses{{address(index)}});
  Resolved resolved;
  if (with_seed) resolved.seeds = seeds_of(index);
  feed(index, resolved);
  snapshot(index);
  poll(index, machine.life);
  next_tick(index);
}

void World::found_converged(const std::vector<Options>& machines) {
  check(machines_.empty(), "a converged start is the first thing in a world");
  const std::int64_t then = now().wall.seconds - known_for_s;
  converged_ = std::make_unique<Converged>();
  for (const Options& options : machines) make_machine(options);
  std::set<Address> taken;
  for (const auto& one : machines_) {
    Machine& machine = *one;
    machine.knows_everyone = true;
    if (machine.id == machines_[0]->id) {
      machine.first = founders_state(machine);
    } else {
      const auto& grant = grant_for(machine.options.uses);
      machine.first = empty_state();
      machine.first->bundle = bundle_.wire;
      machine.first->grant = grant.wire;
      machine.first->certificate = make_certificate(certificate_under(grant.body, machine.id, machine.name), network_, grant_secret_).wire;
      if (!machine.options.certify_itself)
        machine.first->redemption = make_redemption({grant.body.id, machine.id, machines_[0]->id, now().wall}, network_, machines_[0]->identity).wire;
    }
    auto& own = machine.first.value();
    Record record;
    record.node = machine.id;
    record.certificate = blake2b(own.certificate);
    record.version = {static_cast<std::uint32_t>(then), 1};
    record.tunnel_key = machine.tunnel_key;
    if (!underlay_.router(machine.host)) record.endpoints = {{underlay_.address(machine.host), tunnel_port}};
    record.listen_port = tunnel_port;
    record.hello_port = hello_port;
    record.ipv4 = machine.options.ipv4.value_or(overlay_ipv4_candidate(overlay_ipv4_range, machine.id, 0));
    while (!taken.insert(*record.ipv4).second) record.ipv4 = overlay_ipv4_candidate(overlay_ipv4_range, machine.id, ++own.ipv4_attempt);
    record.expires = UnixTime{then + record_lifetime_s};
    own.epoch = record.version.epoch;
    converged_->members.push_back({make_record(record, network_, machine.identity).wire, own.certificate, own.grant, own.redemption, {}});
  }
  for (std::size_t index = 0; index < machines_.size(); ++index) {
    events_.after(rng_.below(starts_within), [this, index, life = machines_[index]->life] {
      if (machines_[index]->life == life) start(index);
    });
  }
}

}  // namespace wigwag::sim
