// The harness on a sound workflow, and on three that are wrong in the ways that it must catch.
#include "workflow/harness.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "workflow/test_world.h"

namespace howdah::workflow {
namespace {

enum class Flaw { kNone, kActsTwice, kLeavesOrphan, kForgetsAfterCrash };

// The outside: directories, which survive a crash and know nothing of the store.
struct Sample {
  TestStore store;
  std::set<std::string> directories;
  int volumes = 0;
};

Next ReserveAddress(StepContext& context) {
  if (context.store.Get("/address/" + context.subject)) return Next::Done();
  context.transaction.compares.push_back({"/address/" + context.subject, 0});
  context.transaction.puts.push_back({"/address/" + context.subject, "10.0.0.1", ""});
  return Next::Done();
}

Next ReleaseAddress(StepContext& context) {
  context.transaction.deletes.push_back("/address/" + context.subject);
  return Next::Done();
}

Next AskForNode(StepContext& context) {
  if (context.store.Get("/observed/" + context.subject)) return Next::Done();
  if (!context.store.Get("/desired/" + context.subject)) {
    context.transaction.puts.push_back({"/desired/" + context.subject, "running", ""});
  }
  return Next::Wait(1h);
}

Next RemoveNode(StepContext& context) {
  context.transaction.deletes.push_back("/desired/" + context.subject);
  return context.store.Get("/observed/" + context.subject) ? Next::Wait(200ms) : Next::Done();
}

Step MakeVolume(const std::shared_ptr<Sample>& sample, store::FaultPlan& faults, Flaw flaw) {
  const auto make = [sample, &faults, flaw](StepContext& context) -> Next {
    // The flaw: a new name at each try, so that a second try makes a second volume.
    const std::string name = flaw == Flaw::kActsTwice ? fmt::format("volume-{}", sample->volumes++)
                                                      : "volume-" + context.subject;
    TRY(faults.Reach([&]() -> Result<> {
      sample->directories.insert(name);
      return {};
    }));
    return Next::Done();
  };
  const auto remove = [sample](StepContext& context) {
    sample->directories.erase("volume-" + context.subject);
    return Next::Done();
  };
  return {"make-volume", make, flaw == Flaw::kLeavesOrphan ? StepFunction() : remove};
}

// The flaw: what the step did is remembered in the process alone.
Step Register(const std::shared_ptr<Sample>& sample, Flaw flaw) {
  auto memory = std::make_shared<bool>(false);
  const auto run = [sample, flaw, memory](StepContext& context) {
    if (flaw != Flaw::kForgetsAfterCrash) return Next::Done();
    if (*memory) return Next::Done();
    if (!sample->directories.insert("registered").second) return Next::Fail("is there already");
    *memory = true;
    context.frame["asked"] = true;
    return Next::Wait(1s);
  };
  const auto undo = [sample, flaw, memory](StepContext&) {
    if (flaw == Flaw::kNone || *memory) sample->directories.erase("registered");
    return Next::Done();
  };
  return {"register", run, undo};
}

void Tick(Sample& sample) {
  sample.store.clock.Advance(100ms);
  store::Transaction transaction;
  const bool desired = sample.store->Get("/desired/db-1").has_value();
  const bool observed = sample.store->Get("/observed/db-1").has_value();
  if (desired && !observed) transaction.puts.push_back({"/observed/db-1", "running", ""});
  if (!desired && observed) transaction.deletes.push_back("/observed/db-1");
  (void)sample.store->Commit(transaction);
}

std::vector<std::string> Orphans(Sample& sample, bool done) {
  std::vector<std::string> found;
  for (const std::string& directory : sample.directories) {
    if (!done || (directory != "volume-db-1" && directory != "registered")) {
      found.push_back(directory);
    }
  }
  if (done) return found;
  for (const auto& document : sample.store->List("/")->documents) {
    if (!document.key.starts_with("/runs/")) found.push_back(document.key);
  }
  return found;
}

World MakeWorld(Flaw flaw) {
  auto sample = std::make_shared<Sample>();
  World world;
  world.store = &*sample->store;
  world.clock = &sample->store.clock;
  world.workflow = "create";
  world.build = [sample, flaw](Process process) {
    Workflow workflow{.name = "create", .steps = {}, .on_failed = nullptr};
    workflow.steps.push_back({"reserve-address", ReserveAddress, ReleaseAddress});
    workflow.steps.push_back(MakeVolume(sample, process.faults, flaw));
    workflow.steps.push_back(Register(sample, flaw));
    workflow.steps.push_back({"ask-for-node", AskForNode, RemoveNode});
    return std::vector<Workflow>{std::move(workflow)};
  };
  world.start_run = [sample] {
    store::Transaction transaction;
    const RunId id =
        StartRun(transaction, RunId("run-1"), "create", "db-1", {}, sample->store.clock.Now());
    EXPECT_TRUE(sample->store->Commit(transaction));
    return id;
  };
  world.tick_environment = [sample] { Tick(*sample); };
  world.orphans = [sample](bool done) { return Orphans(*sample, done); };
  world.verdict = [sample] {
    return fmt::format("{} {}", sample->store->Get("/address/db-1") ? "address" : "-",
                       sample->store->Get("/observed/db-1") ? "node" : "-");
  };
  world.owner = sample;
  return world;
}

bool Mentions(const HarnessReport& report, const std::string& text) {
  return std::ranges::any_of(report.problems, [&](const std::string& problem) {
    return problem.find(text) != std::string::npos;
  });
}

TEST(HarnessTest, ASoundWorkflowPassesEverywhere) {
  const HarnessReport report = TryHard([] { return MakeWorld(Flaw::kNone); });
  EXPECT_TRUE(report.problems.empty()) << report.Text();
  EXPECT_GT(report.crash_points, 8);
  EXPECT_GT(report.runs, 4 * report.crash_points);
}

TEST(HarnessTest, AStepThatActsTwiceWhenRepeatedIsCaught) {
  const HarnessReport report = TryHard([] { return MakeWorld(Flaw::kActsTwice); });
  EXPECT_TRUE(Mentions(report, "each step twice: superfluous: volume-1")) << report.Text();
}

TEST(HarnessTest, AnOrphanOfAnUndoThatIsMissingIsCaught) {
  const HarnessReport report = TryHard([] { return MakeWorld(Flaw::kLeavesOrphan); });
  EXPECT_TRUE(Mentions(report, "fail register before it acts: left over: volume-db-1"))
      << report.Text();
}

TEST(HarnessTest, AStepThatRemembersInTheProcessAloneIsCaught) {
  const HarnessReport report = TryHard([] { return MakeWorld(Flaw::kForgetsAfterCrash); });
  EXPECT_TRUE(Mentions(report, "left over: registered")) << report.Text();
  EXPECT_FALSE(Mentions(report, "each step twice")) << "only a crash shows it";
}

}  // namespace
}  // namespace howdah::workflow
