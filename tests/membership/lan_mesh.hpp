#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/membership/small_mesh.hpp"

// Members that may announce any network, as whoever an admin trusts with that.
namespace wigwag {

struct LanMesh : SmallMesh {
  Chain wide_chain(std::uint64_t number) const {
    const auto secret = identity(number);
    Grant wide = grant_body();
    wide.may.subnets = {prefix_of("0.0.0.0/0"), prefix_of("::/0")};
    Certificate certificate = certificate_body(secret, "node-" + std::to_string(number));
    certificate.may = wide.may;
    return {make_certificate(certificate, network, invitation), make_grant(wide, network, admin), chain(number).redemption};
  }
  Record lan_record(std::uint64_t number, std::vector<Prefix> subnets, Version version = {1, 0}) const {
    Record body = record_body(number, version);
    body.certificate = blake2b(wide_chain(number).certificate.wire);
    body.subnets = std::move(subnets);
    return body;
  }
  Item lan_member(std::uint64_t number, std::vector<Prefix> subnets, Version version = {1, 0}) const {
    return member_item(sign(lan_record(number, std::move(subnets), version), number), wide_chain(number));
  }
};

}  // namespace wigwag
