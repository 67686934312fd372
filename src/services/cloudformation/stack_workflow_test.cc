// The harness that crashes the workflow at every call, for each thing that it does.
#include <gtest/gtest.h>

#include "services/cloudformation/test_stack.h"
#include "workflow/harness.h"

namespace howdah::cfn {
namespace {

// The harness's world: store and cloud survive; services and handlers die.
struct HarnessWorld {
  workflow::TestStore store;
  system::SeededEntropy entropy;
  FakeCloud cloud;
  std::string stack_id;
};

// What is done to a stack, once it is there, while everything crashes.
struct Trial {
  bool existing = true;  // else its creation is what is tried
  bool deleting = false;
  std::string update;  // the template of an update
  std::set<std::string> refused;
  std::string_view wanted;  // what there is in the end
};

workflow::World MakeHarnessWorld(const Trial& trial) {
  auto sample = std::make_shared<HarnessWorld>();
  workflow::World world;
  world.store = &*sample->store;
  world.clock = &sample->store.clock;
  world.workflow = std::string(kStackWorkflow);
  world.build = [sample](workflow::Process process) {
    const auto made =
        std::make_shared<Process>(process.store, sample->entropy, sample->cloud, &process.faults);
    workflow::Workflow workflow = StackWorkflow(made->world);
    for (workflow::Step& step : workflow.steps) {
      step.run = [made, run = step.run](workflow::StepContext& context) { return run(context); };
    }
    return std::vector{workflow};
  };
  world.start_run = [sample, trial] {
    Process process(*sample->store, sample->entropy, sample->cloud, nullptr);
    aws::RequestContext context;
    context.account_id = "123456789012";
    context.now = sample->store.clock.Now();
    api::CreateStackInput in;
    in.stack_name = "prod-e";
    in.template_body = std::string(kTemplate);
    EXPECT_TRUE(Invoke<api::CreateStack>(process.cloudformation, context, in));
    if (trial.existing) {
      workflow::Engine engine({}, *sample->store, sample->store.clock, Log());
      engine.Register(StackWorkflow(process.world));
      for (int i = 0; i < 300; ++i) {
        if (!engine.StepOnce()) sample->store.clock.Advance(100ms);
      }
      EXPECT_EQ(sample->cloud.Names(), kEverything);
    }
    sample->cloud.refused = trial.refused;
    if (trial.deleting) {
      EXPECT_TRUE(
          Invoke<api::DeleteStack>(process.cloudformation, context, {.stack_name = "prod-e"}));
    }
    if (!trial.update.empty()) {
      api::UpdateStackInput update;
      update.stack_name = "prod-e";
      update.template_body = trial.update;
      EXPECT_TRUE(Invoke<api::UpdateStack>(process.cloudformation, context, update));
    }
    for (const workflow::Run& run : *workflow::ListRuns(*sample->store)) {
      if (run.state == workflow::RunState::kRunning) return run.id;
    }
    return RunId();
  };
  world.tick_environment = [sample] { sample->store.clock.Advance(100ms); };
  // An update that is undone, by the harness too, leaves everything as it was.
  world.orphans = [sample, trial](bool done) {
    std::vector<std::string> left;
    const std::string names = sample->cloud.Names();
    const std::string_view wanted =
        done || !trial.update.empty() ? trial.wanted : std::string_view();
    if (names != wanted) left.push_back(names);
    return left;
  };
  world.verdict = [sample] {
    const auto stacks = ListStacks(*sample->store);
    return (*stacks)[0].status + "\n" + sample->cloud.Names();
  };
  world.owner = sample;
  return world;
}

std::string Edited(std::string_view from, std::string_view to) {
  std::string text(kTemplate);
  return text.replace(text.find(from), from.size(), to);
}

void Try(const Trial& trial) {
  const auto report = workflow::TryHard([&] { return MakeHarnessWorld(trial); });
  EXPECT_TRUE(report.problems.empty()) << report.Text();
  EXPECT_GT(report.crash_points, 10);
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfACreation) {
  Try({.existing = false, .update = {}, .refused = {}, .wanted = kEverything});
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfADeletion) {
  Try({.deleting = true, .update = {}, .refused = {}, .wanted = ""});
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfAnUpdate) {
  Try({.update = Edited("Default: 20", "Default: 40"), .refused = {}, .wanted = kEverything});
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfAReplacement) {
  Try({.update = Edited("Engine: postgres", "Engine: postgres\n      DBName: other"),
       .refused = {},
       .wanted = kEverything});
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfTheReplacementOfEverything) {
  Try({.update = Edited("CidrBlock: 10.0.0.0/16, Enable", "CidrBlock: 10.7.0.0/16, Enable"),
       .refused = {},
       .wanted = kEverything});
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfAReplacementThatFails) {
  Try({.update = Edited("Engine: postgres", "Engine: postgres\n      DBName: other"),
       .refused = {"PutSecretValue"},
       .wanted = kEverything});
}

}  // namespace
}  // namespace howdah::cfn
