// What the engine promises to runs and reconcilers, step by step on a clock that is moved by hand,
// and at the end with its threads.
#include "workflow/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "store/fault_store.h"
#include "system/real/real_clock.h"
#include "workflow/test_world.h"

namespace howdah::workflow {
namespace {

using Strings = std::vector<std::string>;

class EngineTest : public testing::Test {
 protected:
  // A step that notes its name and answers what `answers` holds for it (else Done).
  StepFunction Note(const std::string& name) {
    return [this, name](StepContext& context) {
      trace_.push_back(name);
      last_failure_ = context.failure;
      const auto answer = answers_.find(name);
      return answer == answers_.end() ? Next::Done() : answer->second(context);
    };
  }
  Workflow Three() {
    Workflow workflow{.name = "three", .steps = {}, .on_failed = Note("on_failed")};
    workflow.steps.push_back({"a", Note("a"), Note("undo a")});
    workflow.steps.push_back({"b", Note("b"), nullptr});
    workflow.steps.push_back({"c", Note("c"), Note("undo c")});
    return workflow;
  }
  void Start(const std::string& id = "run-1", const std::string& workflow = "three") {
    store::Transaction transaction;
    StartRun(transaction, RunId(id), workflow, "db-1", {}, store_.clock.Now());
    ASSERT_TRUE(store_->Commit(transaction));
  }
  workflow::Run Read(const std::string& id = "run-1") {
    return *ParseRun(store_->Get("/runs/" + id)->value);
  }
  store::Revision RevisionOf(const std::string& key) { return store_->Get(key)->revision; }
  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(store_->Commit({.compares = {}, .puts = {{key, value, ""}}, .deletes = {}}));
  }
  int Drive(Engine& engine) {
    int steps = 0;
    while (steps < 100 && engine.StepOnce()) ++steps;
    return steps;
  }
  std::unique_ptr<Engine> MakeEngine() {
    auto engine = std::make_unique<Engine>(Engine::Options{}, *store_, store_.clock, log_);
    engine->Register(Three());
    return engine;
  }

  TestStore store_;
  Log log_;
  Strings trace_;
  std::string last_failure_;
  std::map<std::string, std::function<Next(StepContext&)>> answers_;
};

TEST_F(EngineTest, StepsRunInOrderWithoutWaiting) {
  Start();
  const auto engine = MakeEngine();
  EXPECT_EQ(Drive(*engine), 3);
  EXPECT_EQ(trace_, (Strings{"a", "b", "c"}));
  EXPECT_EQ(Read().state, RunState::kDone);
}

TEST_F(EngineTest, WhatAStepRecordsIsCommittedWithItsPosition) {
  Start();
  answers_["a"] = [](StepContext& context) {
    context.transaction.puts.push_back({"/made", "1", ""});
    context.frame["x"] = 7;
    return Next::Done();
  };
  const auto engine = MakeEngine();
  engine->StepOnce();
  EXPECT_EQ(RevisionOf("/made"), RevisionOf("/runs/run-1"));
  EXPECT_EQ(Read().frame.at("x").as_int64(), 7);
  EXPECT_EQ(Read().step, "b");
}

TEST_F(EngineTest, FailureUndoesFromTheFailingStepBackAndThenTellsOnFailed) {
  Start();
  answers_["c"] = [](StepContext& context) {
    context.transaction.puts.push_back({"/half", "1", ""});
    return Next::Fail("no disk");
  };
  Drive(*MakeEngine());
  EXPECT_EQ(trace_, (Strings{"a", "b", "c", "undo c", "undo a", "on_failed"}));
  EXPECT_EQ(last_failure_, "no disk");
  EXPECT_EQ(Read().state, RunState::kFailed);
  EXPECT_EQ(Read().error, "no disk");
  EXPECT_FALSE(store_->Get("/half")) << "what a failing step recorded is thrown away";
}

TEST_F(EngineTest, AnUndoThatFailsIsTriedAgainAndNeverSkipped) {
  Start();
  int failures = 2;
  answers_["b"] = [](StepContext&) { return Next::Fail("broken"); };
  answers_["undo a"] = [&](StepContext&) {
    return failures-- > 0 ? Next::Fail("cannot") : Next::Done();
  };
  const auto engine = MakeEngine();
  Drive(*engine);
  EXPECT_EQ(Read().state, RunState::kUndoing);
  EXPECT_EQ(Read().error, "undo: cannot");
  EXPECT_EQ(Read().failure, "broken");
  for (int i = 0; i < 2; ++i) {
    store_.clock.Advance(11s);
    Drive(*engine);
  }
  EXPECT_EQ(Read().state, RunState::kFailed);
  EXPECT_EQ(Read().error, "broken");
}

TEST_F(EngineTest, AStepThatPollsDoesNotWrite) {
  Start();
  int polls = 0;
  answers_["a"] = [&](StepContext&) { return ++polls < 5 ? Next::Wait(200ms) : Next::Done(); };
  const auto engine = MakeEngine();
  Drive(*engine);
  const store::Revision before = RevisionOf("/runs/run-1");
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(engine->StepOnce()) << "not before it is due";
    store_.clock.Advance(201ms);
    EXPECT_TRUE(engine->StepOnce());
  }
  EXPECT_EQ(polls, 4);
  EXPECT_EQ(RevisionOf("/runs/run-1"), before);
}

TEST_F(EngineTest, AWaitThatRecordsSomethingIsCommitted) {
  Start();
  answers_["a"] = [](StepContext& context) {
    if (context.frame.contains("asked")) return Next::Done();
    context.frame["asked"] = true;
    context.transaction.puts.push_back({"/desired", "1", ""});
    return Next::Wait(1h);
  };
  const auto engine = MakeEngine();
  EXPECT_EQ(Drive(*engine), 1) << "its own commit does not wake it";
  EXPECT_TRUE(store_->Get("/desired"));
  Put("/observed", "1");
  Drive(*engine);
  EXPECT_EQ(Read().state, RunState::kDone) << "another's commit does";
}

TEST_F(EngineTest, AnErrorThatMayPassBacksOffAndAnotherFails) {
  Start();
  int tries = 0;
  Code code = Code::kUnavailable;
  answers_["a"] = [&](StepContext&) {
    ++tries;
    return Next(Error(code, "peer"));
  };
  const auto engine = MakeEngine();
  Drive(*engine);
  EXPECT_EQ(Read().error, "peer");
  for (int i = 0; i < 100; ++i) {  // 10 s: at 0, 0.2, 0.6, 1.4, 3, 6.2
    store_.clock.Advance(100ms);
    Drive(*engine);
  }
  EXPECT_EQ(tries, 6);
  code = Code::kInvalid;
  store_.clock.Advance(10s);
  Drive(*engine);
  EXPECT_EQ(Read().state, RunState::kFailed);
}

TEST_F(EngineTest, ALostCompareRunsTheStepAgainOnFreshEyes) {
  Put("/counter", "0");
  Start();
  int tries = 0;
  answers_["a"] = [&](StepContext& context) {
    const auto counter = context.store.Get("/counter");
    if (++tries == 1) Put("/counter", "10");
    context.frame["tries"] = tries;
    context.transaction.compares.push_back({"/counter", counter->revision});
    context.transaction.puts.push_back({"/counter", counter->value + "!", ""});
    return Next::Done();
  };
  Drive(*MakeEngine());
  EXPECT_EQ(store_->Get("/counter")->value, "10!");
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(Read().state, RunState::kDone);
}

TEST_F(EngineTest, WhatCannotBeCommittedFailsTheStep) {
  Start();
  answers_["b"] = [](StepContext& context) {
    context.transaction.puts.push_back({"", "no key", ""});
    return Next::Done();
  };
  Drive(*MakeEngine());
  EXPECT_EQ(Read().state, RunState::kFailed);
  EXPECT_EQ(trace_.back(), "on_failed");
}

TEST_F(EngineTest, AnExceptionFailsTheStepAndNotTheProgram) {
  Start();
  answers_["b"] = [](StepContext& context) -> Next {
    return Next::Fail(context.frame.at("missing").as_string().c_str());
  };
  Drive(*MakeEngine());
  EXPECT_EQ(Read().state, RunState::kFailed);
}

TEST_F(EngineTest, ARunGoesOnInANewEngineWhereTheOldOneStopped) {
  Start();
  auto engine = MakeEngine();
  engine->StepOnce();
  engine = MakeEngine();
  Drive(*engine);
  EXPECT_EQ(trace_, (Strings{"a", "b", "c"}));
}

TEST_F(EngineTest, ARequestToUndoTurnsARunningRunBack) {
  Start();
  answers_["c"] = [](StepContext&) { return Next::Wait(1h); };
  const auto engine = MakeEngine();
  Drive(*engine);
  store::Transaction transaction;
  ASSERT_TRUE(RequestUndo(transaction, *store_->Get("/runs/run-1"), "deleted", store_.clock.Now()));
  ASSERT_TRUE(store_->Commit(transaction));
  Drive(*engine);
  EXPECT_EQ(trace_, (Strings{"a", "b", "c", "undo c", "undo a", "on_failed"}));
  EXPECT_EQ(Read().error, "deleted");
  store::Transaction late;
  EXPECT_EQ(RequestUndo(late, *store_->Get("/runs/run-1"), "x", store_.clock.Now()).error().code(),
            Code::kFailedState);
}

TEST_F(EngineTest, ARequestToUndoWinsAgainstAStepUnderWay) {
  for (const bool step_waits : {false, true}) {
    trace_.clear();
    const std::string id = step_waits ? "run-w" : "run-d";
    Start(id);
    answers_["b"] = [&](StepContext& context) {
      store::Transaction transaction;
      EXPECT_TRUE(RequestUndo(transaction, *context.store.Get("/runs/" + id), "deleted",
                              store_.clock.Now()));
      EXPECT_TRUE(context.store.Commit(transaction));
      return step_waits ? Next::Wait(1h) : Next::Done();
    };
    Drive(*MakeEngine());
    EXPECT_EQ(trace_, (Strings{"a", "b", "undo a", "on_failed"})) << id;
    EXPECT_EQ(Read(id).state, RunState::kFailed);
  }
}

TEST_F(EngineTest, PastItsDeadlineARunIsStuckAndStillTried) {
  Start();
  bool ready = false;
  answers_["a"] = [&](StepContext&) { return ready ? Next::Done() : Next::Wait(1s); };
  const auto engine = MakeEngine();
  Drive(*engine);
  store_.clock.Advance(31min);
  Drive(*engine);
  EXPECT_TRUE(Read().stuck);
  ready = true;
  store_.clock.Advance(11s);
  Drive(*engine);
  EXPECT_EQ(Read().state, RunState::kDone);
  EXPECT_FALSE(Read().stuck);
}

TEST_F(EngineTest, ARunOfAnUnknownWorkflowWaitsAndSaysSo) {
  Start("run-1", "from-the-future");
  const auto engine = MakeEngine();
  Drive(*engine);
  EXPECT_EQ(Read().state, RunState::kRunning);
  EXPECT_NE(Read().error.find("from-the-future"), std::string::npos);
}

TEST_F(EngineTest, AStoreThatFailsForAWhileOnlyDelays) {
  Start();
  store::FaultPlan plan;
  store::FaultStore faulty(*store_, plan);
  Engine engine({}, faulty, store_.clock, log_);
  engine.Register(Three());
  plan.Arm(3, store::FaultPlan::When::kBefore, [] { return Error(Code::kExhausted, "full"); });
  Drive(engine);
  EXPECT_EQ(Read().state, RunState::kRunning);
  store_.clock.Advance(1s);
  Drive(engine);
  EXPECT_EQ(Read().state, RunState::kDone);
}

TEST_F(EngineTest, FinishedRunsAreKeptForAWhileAndThenPruned) {
  Engine engine({.keep_finished = 24h, .max_kept_finished = 2}, *store_, store_.clock, log_);
  engine.Register(Three());
  for (const char* id : {"run-1", "run-2", "run-3"}) {
    store_.clock.Advance(1s);
    Start(id);
    Drive(engine);
  }
  store_.clock.Advance(61s);
  Drive(engine);
  EXPECT_FALSE(store_->Get("/runs/run-1")) << "the oldest is one too many";
  EXPECT_EQ(ListRuns(*store_)->size(), 2U);
  store_.clock.Advance(24h);
  Drive(engine);
  EXPECT_TRUE(ListRuns(*store_)->empty());
}

TEST_F(EngineTest, AReconcilerIsWokenByItsPrefixesAndByItsInterval) {
  int passes = 0;
  Engine engine({}, *store_, store_.clock, log_);
  engine.Register(Reconciler{.name = "duty",
                             .prefixes = {"/nodes/"},
                             .interval = 10s,
                             .reconcile = [&]() -> Result<Duration> {
                               ++passes;
                               return 1h;
                             }});
  Drive(engine);
  EXPECT_EQ(passes, 1) << "at the start";
  Put("/other/x", "1");
  Drive(engine);
  EXPECT_EQ(passes, 1);
  Put("/nodes/n-1", "1");
  Drive(engine);
  EXPECT_EQ(passes, 2);
  store_.clock.Advance(10s);
  Drive(engine);
  EXPECT_EQ(passes, 3);
}

TEST_F(EngineTest, AReconcilerThatFailsBacksOffAndIsLoggedOnce) {
  int passes = 0;
  int lines = 0;
  const Log log([&](LogLevel, std::string_view) { ++lines; });
  Engine engine({}, *store_, store_.clock, log);
  engine.Register(Reconciler{
      .name = "duty", .prefixes = {}, .interval = 10s, .reconcile = [&]() -> Result<Duration> {
        ++passes;
        return Fail(Code::kUnavailable, "no host");
      }});
  for (int i = 0; i < 100; ++i) {
    Drive(engine);
    store_.clock.Advance(100ms);
  }
  EXPECT_EQ(passes, 6);
  EXPECT_EQ(lines, 1);
}

TEST_F(EngineTest, ThreadsCarryOutManyRunsAndAChangeEndsAWaitAtOnce) {
  constexpr int kRuns = 40;
  const system::RealClock clock;
  std::atomic<int> at_once = 0;
  std::atomic<bool> overlapped = false;
  std::atomic<int> waiting = 0;
  Workflow workflow{.name = "w", .steps = {}, .on_failed = nullptr};
  workflow.steps.push_back(
      {"count",
       [](StepContext& context) {
         const auto all = context.store.Get("/all");
         const int n = all ? std::stoi(all->value) : 0;
         context.transaction.compares.push_back({"/all", all ? all->revision : 0});
         context.transaction.puts.push_back({"/all", std::to_string(n + 1), ""});
         return Next::Done();
       },
       nullptr});
  workflow.steps.push_back({"await",
                            [&](StepContext& context) {
                              if (context.store.Get("/go")) return Next::Done();
                              ++waiting;
                              return Next::Wait(1h);
                            },
                            nullptr});
  Engine engine({}, *store_, clock, log_);
  engine.Register(std::move(workflow));
  engine.Register(Reconciler{
      .name = "duty", .prefixes = {"/"}, .interval = 1s, .reconcile = [&]() -> Result<Duration> {
        if (++at_once > 1) overlapped = true;
        --at_once;
        return 1s;
      }});
  engine.Start();
  store::Transaction start;
  for (int i = 0; i < kRuns; ++i) {
    StartRun(start, RunId("run-" + std::to_string(i)), "w", "s", {}, clock.Now());
  }
  ASSERT_TRUE(store_->Commit(start));
  auto watch = *store_->WatchFrom("/", 1);
  const auto await = [&](const auto& reached) {
    for (int i = 0; i < 100'000 && !reached(); ++i) (void)watch->Next(10ms);
    return reached();
  };
  ASSERT_TRUE(await([&] { return waiting >= kRuns; }));
  Put("/go", "1");
  const MonotonicTime went = clock.Monotonic();
  ASSERT_TRUE(await([&] {
    const auto runs = ListRuns(*store_);
    return std::ranges::all_of(
        *runs, [](const workflow::Run& run) { return run.state == RunState::kDone; });
  }));
  EXPECT_LT(clock.Monotonic() - went, 5s) << "not after the hour";
  engine.Stop();
  EXPECT_EQ(store_->Get("/all")->value, std::to_string(kRuns));
  EXPECT_FALSE(overlapped);
}

}  // namespace
}  // namespace howdah::workflow
