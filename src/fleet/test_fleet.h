// What the tests of this room begin with: a VPC with two private subnets, a subnet group over them,
// a security group, a simulated host, and an engine that can be driven by hand. A moment of such a
// fleet can be kept (Snapshot) and begun from again and again, which is much quicker than getting
// there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fleet/commands.h"
#include "fleet/context.h"
#include "fleet/records.h"
#include "fleet/simulated_host.h"
#include "network/loopback.h"
#include "store/fault_store.h"
#include "workflow/test_world.h"

namespace howdah::fleet {

inline constexpr std::string_view kTestName = "prod-e-db";

struct Snapshot {
  std::vector<store::Put> documents;
  SimulatedHost::State host;
  Duration age{0};
};

class TestFleet {
 public:
  explicit TestFleet(std::uint64_t seed = 1);
  // Goes on from there; the seed must not be the one that led there.
  TestFleet(const Snapshot& from, std::uint64_t seed);

  // A context on another face of the store, that of a process which may crash.
  std::shared_ptr<Context> MakeContext(store::Store& through, store::FaultPlan* faults = nullptr);
  NewInstance Wish(bool multi_az) const;
  Snapshot Keep();

  // One tick of everything outside the process: the clock and the host.
  void Tick();
  // Everything, with an engine of its own: until it is so, or for so many ticks.
  bool Run(int ticks, const std::function<bool()>& until);
  bool RunUntilIdle(int ticks = 300);  // until no run is under way
  void RunFor(int ticks);

  std::optional<Instance> Find(std::string_view name = kTestName);
  std::string Status(std::string_view name = kTestName);
  std::optional<Instance> Only();  // whatever its name
  // What an onlooker sees of the instance, in words: equal for equal states.
  std::string Summary();
  std::vector<std::string> Messages();  // of all events
  std::string Snapshots();              // names and statuses
  // What is there and should not be, or the other way round, by the instance's record.
  std::vector<std::string> Leftovers();

  workflow::TestStore store;
  system::SeededEntropy entropy;
  SimulatedHost host;
  std::vector<std::string> groups;  // two security groups of the VPC
  std::shared_ptr<Context> context;

 private:
  void MakeNetwork();
  void FindLeftDocuments(const std::optional<Instance>& instance, std::vector<std::string>& found);
  void FindLeftInterfaces(const std::optional<Instance>& instance, std::vector<std::string>& found);
  void FindLeftBackups(std::vector<std::string>& found);
  void FindLeftOnHost(const std::optional<Instance>& instance, std::vector<std::string>& found);

  vpc::Region region_ = vpc::MakeRegion("us-west-2");
  network::LoopbackDriver driver_;
  Log log_;
  const WallTime start_ = store.clock.Now();
};

}  // namespace howdah::fleet
