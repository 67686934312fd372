// The control plane of a simulated world as a process that may die: engine, workflows, reconcilers
// and commands of fleet, over the store as that process sees it.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "fleet/commands.h"
#include "fleet/workflows.h"
#include "network/loopback.h"
#include "sim/memory_store.h"
#include "sim/mutants.h"
#include "sim/random.h"
#include "store/fault_store.h"
#include "system/fake/fake_clock.h"
#include "system/fake/seeded_entropy.h"
#include "workflow/engine.h"

namespace howdah::sim {

struct ControlNeeds {
  MemoryStore& store;
  const system::FakeClock& clock;
  Random& random;
  Mutant mutant = Mutant::kNone;
  Log log;
};

class Control {
 public:
  explicit Control(const ControlNeeds& needs);

  bool alive() const { return engine_ != nullptr; }
  // Everything that is due. A crash at a chosen call of the store ends the process here.
  void Pass();
  void Start();
  void Kill();
  // At one of its next calls of the store it is killed; or that call fails.
  void ArmCrash(std::int64_t within);
  void ArmFailure(std::int64_t within, Code code);
  void Disarm() { plan_.Disarm(); }
  // Of its commits so many lose their compare although nothing changed.
  double lost_compares = 0;
  // So many are answered with an error and take effect some time later, if their compare still
  // holds then; also when the process is dead.
  double late_commits = 0;
  void CarryOutLate();
  void HurryLate();  // it takes effect now

  // For commands; only while it lives.
  fleet::Context& context() { return *context_; }

 private:
  std::string Lie(const std::string& key, std::string value);
  std::optional<Error> Meddle(store::Transaction& transaction);
  bool IsChangingRoles();
  void MeddleWithRecord(std::string& text);
  void MeddleWithDesired(const std::string& key, std::string& text);

  ControlNeeds needs_;
  std::vector<std::pair<MonotonicTime, store::Transaction>> late_;
  // What it wrote and what became of that: it reads what it wrote, else it would write for ever.
  std::map<std::string, std::pair<std::string, std::string>> meddled_;
  system::SeededEntropy entropy_;
  vpc::Region region_ = vpc::MakeRegion("us-west-2");
  network::LoopbackDriver driver_;
  Face face_;
  store::FaultPlan plan_;
  store::FaultStore faulty_;
  std::unique_ptr<fleet::Context> context_;
  std::unique_ptr<workflow::Engine> engine_;
};

}  // namespace howdah::sim
