#include "gossip/base/limits.hpp"
#include "tests/membership/golden_vectors.hpp"
#include "tests/membership/golden_world.hpp"

namespace wigwag::golden {
namespace {

bool reads_record(ByteView wire) { return decode_record(wire).has_value(); }
bool reads_accusation(ByteView wire) { return decode_accusation(wire).has_value(); }

// The least record by hand, value by value, so that each can be wrong.
struct RecordByHand {
  const GossipWorld& world;
  std::uint64_t format = 1;
  std::uint64_t epoch = 1'750'000'300;
  std::uint64_t flags = 0;
  std::uint64_t port = 0;
  std::uint64_t expires = 0;
  std::size_t values = 15;

  Bytes signed_bytes() const {
    Packer out;
    out.array(values).number(format).key(world.joiner_id).key(world.least().certificate).number(epoch).number(0).number(flags).key(world.least().tunnel_key).nil();
    out.array(0).nil().number(port).number(0).array(0).array(0).number(expires);
    if (values == 16) out.nil();
    return sign_raw(Domain::record, world.network, out.bytes(), world.joiner);
  }
};

Bytes second_wrapping(Bytes wire) {
  // The body's length in three bytes where two are enough.
  check(wire[1] == 0xc4, "a short record has its length in one byte");
  wire[1] = 0xc5;
  wire.insert(wire.begin() + 2, 0);
  return wire;
}

Bytes accusation_of_itself(const GossipWorld& world) {
  Packer out;
  out.array(5).number(1).key(world.sponsor_id).number(1).number(0).key(world.sponsor_id);
  return sign_raw(Domain::accusation, world.network, out.bytes(), world.sponsor);
}

}  // namespace

std::vector<Vector> good_records() {
  const GossipWorld world;
  return {
      {"record-least", world.wire(world.least()), reads_record},
      {"record-full", world.wire(world.full()), reads_record},
      {"record-left", world.wire(world.gone()), reads_record},
      {"accusation", world.accusation(), reads_accusation},
  };
}

std::vector<Vector> rejected_records() {
  const GossipWorld world;
  const auto made = [&](auto change) {
    Record record = world.full();
    change(record);
    return world.wire(record);
  };
  const Bytes least = world.wire(world.least());
  check(RecordByHand{.world = world}.signed_bytes() == least, "by hand or not, a good record is the same");
  return {
      {"rejected-record-unknown-format", RecordByHand{.world = world, .format = 2}.signed_bytes(), reads_record},
      {"rejected-record-epoch-beyond-32-bits", RecordByHand{.world = world, .epoch = 1ULL << 32}.signed_bytes(), reads_record},
      {"rejected-record-unknown-flag", RecordByHand{.world = world, .flags = 4}.signed_bytes(), reads_record},
      {"rejected-record-port-beyond-16-bits", RecordByHand{.world = world, .port = 65'536}.signed_bytes(), reads_record},
      {"rejected-record-expires-too-late", RecordByHand{.world = world, .expires = (1ULL << 40) + 1}.signed_bytes(), reads_record},
      {"rejected-record-one-value-more", RecordByHand{.world = world, .values = 16}.signed_bytes(), reads_record},
      {"rejected-record-no-tunnel-key", made([](Record& r) { r.tunnel_key = {}; }), reads_record},
      {"rejected-record-five-endpoints", made([](Record& r) { r.endpoints.push_back(r.endpoints[0]); }), reads_record},
      {"rejected-record-endpoint-without-port", made([](Record& r) { r.endpoints[0].port = 0; }), reads_record},
      {"rejected-record-four-homes", made([](Record& r) { r.homes.push_back(r.homes[0]); }), reads_record},
      {"rejected-record-subnets-not-sorted", made([](Record& r) { std::swap(r.subnets[0], r.subnets[1]); }), reads_record},
      {"rejected-record-subnet-twice", made([](Record& r) { r.subnets[1] = r.subnets[0]; }), reads_record},
      {"rejected-record-too-long", made([](Record& r) {
         r.subnets.clear();
         for (std::uint8_t i = 0; i < limits::subnets_per_node; ++i) {
           Prefix subnet = prefix_of("fd00:20::/64");
           subnet.address.bytes[7] = i;
           r.subnets.push_back(subnet);
         }
       }),
       reads_record},
      {"rejected-record-second-form-of-the-wrapping", second_wrapping(least), reads_record},
      {"rejected-record-cut", without_last(least), reads_record},
      {"rejected-record-one-byte-more", with_last(least, 0xc0), reads_record},
      {"rejected-record-an-accusation", world.accusation(), reads_record},
      {"rejected-accusation-of-itself", accusation_of_itself(world), reads_accusation},
      {"rejected-accusation-a-record", least, reads_accusation},
  };
}

}  // namespace wigwag::golden
