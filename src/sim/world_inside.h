// The inside of a simulated world (world.h): everything that there is in it, its clock, and what it
// does from one tick to the next. Split over world.cc (its making and its ticks), world_faults.cc
// (what goes wrong) and world_end.cc (how it is healed, and what is asked of it then).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/agent.h"
#include "sim/client.h"
#include "sim/control.h"
#include "sim/faults.h"
#include "sim/judge.h"
#include "sim/world.h"

namespace howdah::sim {

template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error("simulation: " + result.error().what());
  return *std::move(result);
}

class World {
 public:
  World(const fleet::Snapshot& from, const Options& options);

  Outcome Run();

 private:
  MonotonicTime Now() const { return clock_.Monotonic(); }
  void Trace(const std::string& what) {
    if (!options_.trace) return;
    const Duration at = Now() - MonotonicTime(Duration(1'000'000'000));
    trace_.push_back(fmt::format("[{:9.3f}] {}", static_cast<double>(at.count()) / 1e6, what));
  }
  void Wire();
  void WirePostgres();
  void OnChange(const store::Change& change, const std::string& before);
  void KeepOldMail(const store::Change& change, const std::string& before);
  void MakeMachines();
  void DrawPace();
  void Tick();
  void RunAgents();
  void RunControl();
  void Strike(Fault fault);
  void EndServer(const NodeId& node);
  void Freeze(const NodeId& node, bool Machine::* how);
  void StrikeProcesses(Fault fault);
  void StrikeByRequest(Fault fault);
  void Later(Duration low, Duration high, std::function<void()> what) {
    later_.emplace_back(Now() + random_.Between(low, high), std::move(what));
  }
  void Heal();
  Duration AwaitWell();
  void RequireCommits(const std::string& invariant, Duration time, Duration pause);
  void LoseTheStandby();
  void FillADisk(bool of_primary);
  void LoseTheStore();
  void TryOneThing();
  std::vector<std::string> Messages();
  void JudgeTheEnd();
  bool IsWell();
  bool HasRun();
  void AskForWhatIsMissing();
  std::optional<NodeId> SomeNode();
  std::string Describe();

  const Options options_;
  Random random_;
  system::FakeClock clock_;
  MemoryStore store_;
  Postgres postgres_;
  const InstanceId instance_;
  Gateway gateway_;
  Judge judge_;
  AgentNeeds agent_needs_;
  ClientNeeds client_needs_;
  std::optional<Control> control_;
  std::map<NodeId, Agent> agents_;
  std::map<NodeId, nodes::Desired> old_mail_;
  bool agents_alive_ = true;
  std::vector<Client> clients_;
  std::vector<std::pair<MonotonicTime, std::function<void()>>> later_;
  MonotonicTime control_next_{};
  MonotonicTime list_agents_{};
  std::vector<std::string> trace_;
  std::size_t events_before_ = 0;
  bool healing_ = false;
  bool accepts_loss_ = false;
};

}  // namespace howdah::sim
