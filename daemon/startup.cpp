#include "daemon/startup.hpp"

#include "daemon/words.hpp"

namespace wigwag {
namespace {

const std::vector<std::string> state_files = {"state", "state.old", "membership"};

template <class S, class Make>
Outcome<S> load_or_make(const StateDir& directory, const char* name, Make make) {
  auto held = directory.load_secret<S>(name);
  if (!held) return Unexpected{held.error()};
  if (held->has_value()) return std::move(**held);
  Entropy entropy(system_entropy());
  S made = make(entropy);
  if (const auto saved = directory.save_secret(name, made); !saved) return Unexpected{saved.error()};
  return made;
}

// Where the first join's token comes from: the one given to `wigwag up`, else the fleet's file.
Outcome<std::optional<Token>> find_token(const Config& config, const StateDir& directory, std::vector<std::string>& remarks) {
  const auto text = directory.load_text("token");
  if (!text) return Unexpected{text.error()};
  if (text->has_value()) {
    auto token = decode_token(**text);
    if (!token) return Unexpected{Failure{directory.file("token") + ": " + to_string(token.error())}};
    return std::optional<Token>(std::move(*token));
  }
  if (config.secret_file.empty()) return std::optional<Token>();
  if (auto loose = loose_permissions(config.secret_file)) remarks.push_back(*loose);
  auto token = read_token_file(config.secret_file);
  if (!token) return Unexpected{token.error()};
  return std::optional<Token>(std::move(*token));
}

Outcome<StoredState> stored_in(const StateDir& directory, const NodeId& self, std::int64_t unix_now, std::vector<std::string>& remarks) {
  auto found = directory.load_first(state_files, [&](ByteView content) { return refuse_stored(content, self); }, unix_now);
  for (auto& remark : found.remarks) remarks.push_back(std::move(remark));
  if (!found.content) return StoredState{};
  return decode_stored(*found.content).value();
}

}  // namespace

Bytes fit_state(Bytes content, std::size_t most) {
  if (content.size() <= most) return content;
  auto stored = decode_stored(content);
  if (!stored) return content;
  for (auto& member : stored->members) member.accusations.clear();
  return encode_stored(*stored);
}

std::optional<std::string> refuse_stored(ByteView content, const NodeId& self) {
  const auto stored = decode_stored(content);
  if (!stored) return to_string(stored.error());
  if (stored->certificate.empty()) return std::nullopt;
  const auto certificate = decode_certificate(stored->certificate);
  if (!certificate) return std::string("its certificate cannot be read");
  if (certificate->body.node != self) return std::string("it belongs to another node than identity.key");
  return std::nullopt;
}

Outcome<Token> read_token_file(const std::string& path) {
  const auto content = read_file(path, 64 << 10);
  if (!content) return Unexpected{content.error()};
  if (!content->has_value()) return Unexpected{Failure{"there is no " + path + ": put a token from `wigwag invite --uses 0` there"}};
  auto token = decode_token(std::string((*content)->begin(), (*content)->end()));
  if (!token) return Unexpected{Failure{path + ": " + to_string(token.error())}};
  return std::move(*token);
}

Outcome<NodeSecret> identity_in(const StateDir& directory) {
  return load_or_make<NodeSecret>(directory, "identity.key", [](Entropy& entropy) { return entropy.secret<NodeSecret>(); });
}

Outcome<TunnelSecret> tunnel_secret_in(const StateDir& directory) {
  return load_or_make<TunnelSecret>(directory, "wireguard.key", [](Entropy& entropy) { return make_tunnel_secret(entropy); });
}

Outcome<Startup> prepare_start(const Config& config, const std::string& state_dir, std::int64_t unix_now) {
  auto directory = StateDir::open(state_dir, StateDir::Missing::create);
  if (!directory) return Unexpected{directory.error()};
  const bool had_state = directory->has("state") || directory->has("state.old") || directory->has("membership");
  if (had_state && !directory->has("identity.key")) {
    return Unexpected{Failure{directory->file("identity.key") + " is missing while the membership it belongs to is there: restore it, or "
                              "remove the directory " + state_dir + " and join again as a new node"}};
  }
  std::vector<std::string> remarks;
  auto identity = identity_in(*directory);
  if (!identity) return Unexpected{identity.error()};
  auto tunnel_secret = tunnel_secret_in(*directory);
  if (!tunnel_secret) return Unexpected{tunnel_secret.error()};
  auto stored = stored_in(*directory, public_key(*identity), unix_now, remarks);
  if (!stored) return Unexpected{stored.error()};
  std::optional<Token> token;
  if (stored->certificate.empty()) {
    auto found = find_token(config, *directory, remarks);
    if (!found) return Unexpected{found.error()};
    token = std::move(*found);
    if (!token) {
      return Unexpected{Failure{(remarks.empty() ? "" : joined(remarks, "; ") + "; ") +
                                "this node is in no network: `wigwag up` founds one, `wigwag up TOKEN` joins one", status_no_network}};
    }
    stored->network = token->network;
  }
  return Startup{std::move(*directory), std::move(*identity), std::move(*tunnel_secret), std::move(*stored), std::move(token), std::move(remarks)};
}

Outcome<std::optional<Membership>> membership_in(const StateDir& directory) {
  auto identity = directory.load_secret<NodeSecret>("identity.key");
  if (!identity) return Unexpected{identity.error()};
  if (!identity->has_value()) return std::optional<Membership>();
  const NodeId self = public_key(**identity);
  for (const auto& name : state_files) {
    const auto content = directory.load(name);
    if (!content) return Unexpected{content.error()};
    if (!content->has_value() || refuse_stored(**content, self)) continue;
    const StoredState stored = decode_stored(**content).value();
    if (stored.certificate.empty()) continue;
    const auto bundle = decode_bundle(stored.bundle);
    return std::optional<Membership>(Membership{stored.network, bundle ? bundle->body.network_name : std::string()});
  }
  return std::optional<Membership>();
}

Outcome<Membership> found_network(const StateDir& directory, const FoundingTerms& terms, UnixTime now) {
  Entropy entropy(system_entropy());
  const auto root = entropy.secret<RootSecret>();
  const auto admin = entropy.secret<AdminSecret>();
  const NetworkId network = public_key(root);
  const auto identity = identity_in(directory);
  if (!identity) return Unexpected{identity.error()};
  if (const auto tunnel = tunnel_secret_in(directory); !tunnel) return Unexpected{tunnel.error()};

  Bundle bundle;
  bundle.network_name = terms.network_name;
  bundle.ipv4 = terms.ipv4 ? *terms.ipv4 : default_ipv4_prefix(network, terms.avoid);
  bundle.admins.push_back({public_key(admin), true, true});
  Certificate certificate;
  certificate.node = public_key(*identity);
  certificate.issuer = Issuer::admin;
  certificate.issuer_key = public_key(admin).bytes;
  certificate.name = terms.node_name;
  certificate.issued = now;
  certificate.may.relay = true;
  certificate.may.subnets = {Prefix{Address::ipv4(0), 0}, Prefix{Address{Family::ipv6, {}}, 0}};

  StoredState stored;
  stored.network = network;
  stored.bundle = make_bundle(bundle, network, root).wire;
  stored.certificate = make_certificate(certificate, network, admin).wire;
  const Bytes content = encode_stored(stored);
  // The state comes last: with it the network exists, and it never exists without its keys.
  for (const auto& saved : {directory.save_secret("root.key", root), directory.save_secret("admin.key", admin),
                            directory.save("membership", content), directory.save("state", content)}) {
    if (!saved) return Unexpected{saved.error()};
  }
  return Membership{network, terms.network_name};
}

}  // namespace wigwag
