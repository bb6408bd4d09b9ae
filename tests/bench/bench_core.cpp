// How much time and memory the core takes, without the simulator around it: nodes that hand
// each other their datagrams directly, over tunnels that always work.
//
//   bench_core idle NODES SECONDS     nodes that know each other from their disks
//   bench_core churn NODES SECONDS    the same, with a tenth of them killed and restarted a minute
//   bench_core join NODES SECONDS     all but the first know only a seed and an invitation
//   bench_core daemon NODES SECONDS   one node among so many that never change: what a daemon takes
//
// The hash over everything that was sent tells whether two builds do the same.
#include <sys/resource.h>
#include <sys/time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "tests/bench/direct_mesh.hpp"

namespace wigwag::bench {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  long total = 0, resident = 0;
  in >> total >> resident;
  return static_cast<double>(resident) * 4096 / (1024 * 1024);
}

struct Told {
  double cpu = cpu_seconds();
  double mib = resident_mib();
};

void tell(const char* what, const Told& before, double node_seconds, std::size_t pairs) {
  const double cpu = cpu_seconds() - before.cpu;
  std::printf("%-10s %8.2f CPU s  %10.0f node-seconds/s  %7.2f us a node-second  %8.1f MiB resident", what, cpu, node_seconds / cpu,
              cpu / node_seconds * 1e6, resident_mib());
  if (pairs > 0) std::printf("  %6.0f bytes a (node, member)", (resident_mib() - before.mib) * 1024 * 1024 / static_cast<double>(pairs));
  std::printf("\n");
}

int run(const std::string& mode, std::size_t nodes, int span) {
  if (!start_crypto()) return 1;
  Told before;
  DirectMesh mesh(nodes, 7);
  if (mode == "join") mesh.start_joining();
  else if (mode == "daemon") mesh.start_one();
  else mesh.start_knowing();
  const auto running = mode == "daemon" ? std::size_t{1} : nodes;
  mesh.run_for(seconds(mode == "join" ? 1 : 30));
  tell("start", before, static_cast<double>(running) * (mode == "join" ? 1 : 30), mode == "join" ? 0 : running * nodes);
  const Told then;
  if (mode == "churn") mesh.churn_for(seconds(span), 10);
  else mesh.run_for(seconds(span));
  tell(mode.c_str(), then, static_cast<double>(running) * span, 0);
  std::printf("%zu of %zu agree on %zu live members; %llu datagrams; hash %s\n", mesh.agreeing(), running, mesh.live_at_first(),
              static_cast<unsigned long long>(mesh.datagrams()), to_hex(mesh.hash()).substr(0, 16).c_str());
  return 0;
}

}  // namespace
}  // namespace wigwag::bench

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "bench_core: idle|churn|join|daemon NODES SECONDS\n");
    return 2;
  }
  return wigwag::bench::run(words[1], std::strtoull(words[2], nullptr, 10), std::atoi(words[3]));
}
