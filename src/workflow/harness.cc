// Each trial makes a fresh world, wraps the steps of the workflow under test, arms at most one
// crash, and drives the engine by hand until the run has ended.
#include "workflow/harness.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "workflow/engine.h"

namespace howdah::workflow {
namespace {

enum class Mischief { kNone, kFailBefore, kFailAfter };

struct Trial {
  std::string name;
  Mischief mischief = Mischief::kNone;
  std::string fail_step;
  bool repeat = false;
  std::int64_t crash_at = 0;  // 0: none
  store::FaultPlan::When when = store::FaultPlan::When::kBefore;
};

struct End {
  std::optional<Run> run;  // none: it never ended
  std::string verdict;
  std::vector<std::string> orphans;
  std::int64_t calls = 0;
};

// Runs the step twice and throws the first result away, as a crash before the commit does.
StepFunction Twice(StepFunction function) {
  if (!function) return function;
  return [function = std::move(function)](StepContext& context) {
    store::Transaction scratch;
    json::object frame = context.frame;
    StepContext first{context.store,   scratch,     frame,           context.run,
                      context.subject, context.now, context.failure, context.log};
    (void)function(first);
    return function(context);
  };
}

StepFunction Failing(StepFunction function, Mischief mischief) {
  return [function = std::move(function), mischief](StepContext& context) {
    if (mischief == Mischief::kFailAfter) {
      const Next next = function(context);
      if (next.kind() != Next::Kind::kDone) return next;
    }
    return Next::Fail("the harness wants it to fail");
  };
}

void Spoil(Workflow& workflow, const Trial& trial) {
  for (Step& step : workflow.steps) {
    if (trial.repeat) {
      step.run = Twice(step.run);
      step.undo = Twice(step.undo);
    }
    if (trial.mischief != Mischief::kNone && step.name == trial.fail_step) {
      step.run = Failing(step.run, trial.mischief);
    }
  }
  if (trial.repeat) workflow.on_failed = Twice(workflow.on_failed);
}

// One life of the process: from its start to its crash.
class Life {
 public:
  Life(const World& world, store::FaultPlan& faults, const Trial& trial)
      : store_(*world.store, faults), engine_({.workers = 1}, store_, *world.clock, Log()) {
    for (Workflow& workflow : world.build({store_, faults})) {
      if (workflow.name == world.workflow) Spoil(workflow, trial);
      engine_.Register(std::move(workflow));
    }
    if (!world.build_reconcilers) return;
    for (Reconciler& reconciler : world.build_reconcilers({store_, faults})) {
      engine_.Register(std::move(reconciler));
    }
  }
  bool StepOnce() { return engine_.StepOnce(); }

 private:
  store::FaultStore store_;
  Engine engine_;
};

std::optional<Run> Ended(const World& world, const RunId& id) {
  const auto document = world.store->Get(RunKey(id));
  if (!document) return std::nullopt;
  auto run = ParseRun(document->value);
  if (!run || !IsFinished(*run)) return std::nullopt;
  return *std::move(run);
}

class Harness {
 public:
  Harness(const WorldFactory& factory, HarnessOptions options)
      : factory_(factory), options_(options) {}

  HarnessReport Run() {
    const End plain = Play({.name = "undisturbed"});
    if (!plain.run || plain.run->state != RunState::kDone) {
      Problem("undisturbed", plain.run ? "failed: " + plain.run->error : "never ends");
      return std::move(report_);
    }
    expected_ = plain.verdict;
    Judge("undisturbed", plain, true);
    report_.crash_points = plain.calls;
    Repeat();
    FailEach();
    Crash({.name = "crash"}, plain.calls);
    if (options_.crash_undo_too) CrashUndo();
    return std::move(report_);
  }

 private:
  void Problem(const std::string& trial, const std::string& what) {
    report_.problems.push_back(trial + ": " + what);
  }

  void Repeat() {
    Trial trial{.name = "each step twice"};
    trial.repeat = true;
    const End end = Play(trial);
    Judge(trial.name, end, true);
  }

  void FailEach() {
    for (const std::string& step : Steps()) {
      for (const bool repeat : {false, true}) {
        for (const Mischief mischief : {Mischief::kFailBefore, Mischief::kFailAfter}) {
          Trial trial = Failure(step, mischief);
          trial.repeat = repeat;
          if (repeat) trial.name += ", each step twice";
          const End end = Play(trial);
          JudgeFailed(trial.name, end);
        }
      }
    }
  }

  static Trial Failure(const std::string& step, Mischief mischief) {
    Trial trial{.name = fmt::format(
                    "fail {} {}", step,
                    mischief == Mischief::kFailBefore ? "before it acts" : "after it acted")};
    trial.mischief = mischief;
    trial.fail_step = step;
    return trial;
  }

  void Crash(const Trial& base, std::int64_t calls) {
    using When = store::FaultPlan::When;
    for (std::int64_t call = 1; call <= calls; ++call) {
      for (const When when : {When::kBefore, When::kAfter}) {
        Trial trial = base;
        trial.crash_at = call;
        trial.when = when;
        trial.name = fmt::format("{} {} seam call {} of {}", base.name,
                                 when == When::kBefore ? "before" : "after", call, calls);
        const End end = Play(trial);
        trial.mischief == Mischief::kNone ? Judge(trial.name, end, false)
                                          : JudgeFailed(trial.name, end);
      }
    }
  }

  // The longest way back: from the last step, after it acted.
  void CrashUndo() {
    const std::vector<std::string> steps = Steps();
    if (steps.empty()) return;
    Trial trial = Failure(steps.back(), Mischief::kFailAfter);
    const End end = Play(trial);
    trial.name += ", crash";
    if (end.run) Crash(trial, end.calls);
  }

  void Judge(const std::string& name, const End& end, bool must_be_done) {
    if (!end.run) return Problem(name, "the run never ends");
    if (end.run->state == RunState::kFailed) {
      if (must_be_done) Problem(name, "the run failed: " + end.run->error);
      return JudgeFailed(name, end);
    }
    for (const std::string& orphan : end.orphans) Problem(name, "superfluous: " + orphan);
    if (end.verdict != expected_) {
      Problem(name, fmt::format("the end is '{}', undisturbed it is '{}'", end.verdict, expected_));
    }
  }

  void JudgeFailed(const std::string& name, const End& end) {
    if (!end.run) return Problem(name, "the undo never ends");
    if (end.run->state != RunState::kFailed) return Problem(name, "the run did not fail");
    for (const std::string& orphan : end.orphans) Problem(name, "left over: " + orphan);
  }

  std::vector<std::string> Steps() {
    const World world = factory_();
    store::FaultPlan faults;
    std::vector<std::string> names;
    for (const Workflow& workflow : world.build({*world.store, faults})) {
      if (workflow.name != world.workflow) continue;
      for (const Step& step : workflow.steps) names.push_back(step.name);
    }
    return names;
  }

  End Play(const Trial& trial) {
    ++report_.runs;
    const World world = factory_();
    store::FaultPlan faults;
    const RunId id = world.start_run();
    if (trial.crash_at > 0) faults.ArmCrash(trial.crash_at, trial.when);
    auto life = std::make_unique<Life>(world, faults, trial);
    End end;
    for (int tick = 0; tick < options_.max_ticks && !end.run; ++tick) {
      try {
        StepUntilIdle(*life);
      } catch (const store::SimulatedCrash&) {
        life.reset();
        faults.Disarm();
        life = std::make_unique<Life>(world, faults, trial);
      }
      end.run = Ended(world, id);
      if (!end.run) world.tick_environment();
    }
    end.calls = faults.calls();
    end.verdict = world.verdict();
    end.orphans = world.orphans(end.run && end.run->state == RunState::kDone);
    return end;
  }

  // Bounded: two runs that wake each other for ever are the max_ticks' business.
  static void StepUntilIdle(Life& life) {
    for (int i = 0; i < 1000 && life.StepOnce(); ++i) {
    }
  }

  const WorldFactory& factory_;
  const HarnessOptions options_;
  std::string expected_;
  HarnessReport report_;
};

}  // namespace

std::string HarnessReport::Text() const {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kShown; ++i) text += problems[i] + "\n";
  if (problems.size() > kShown) text += fmt::format("… and {} more\n", problems.size() - kShown);
  return text;
}

HarnessReport TryHard(const WorldFactory& factory, HarnessOptions options) {
  return Harness(factory, options).Run();
}

}  // namespace howdah::workflow
