// The contract of Processes, on this machine and on the fake.
#include "system/processes.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <memory>

#include "system/fake/fake_processes.h"
#include "system/real/posix_processes.h"

namespace howdah::system {
namespace {

const SpawnSpec kSleeper{
    .argv = {"/bin/sleep", "600"}, .env = {}, .working_directory = "/tmp", .output_path = ""};

class ProcessesContract : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      processes_ = std::make_unique<PosixProcesses>();
    } else {
      processes_ = std::make_unique<FakeProcesses>();
    }
  }
  void TearDown() override {
    for (const ProcessIdentity& process : started_) (void)processes_->Signal(process, SIGKILL);
  }
  ProcessIdentity Sleeper() {
    const Result<ProcessIdentity> process = processes_->Spawn(kSleeper);
    EXPECT_TRUE(process) << (process ? "" : process.error().what());
    if (process) started_.push_back(*process);
    return process.value_or(ProcessIdentity{});
  }

  std::unique_ptr<Processes> processes_;
  std::vector<ProcessIdentity> started_;
};

TEST_P(ProcessesContract, ASpawnedProcessLivesAndIsFoundByItsPid) {
  const ProcessIdentity process = Sleeper();
  EXPECT_TRUE(processes_->IsAlive(process));
  EXPECT_EQ(*processes_->Identify(process.pid), process);
  EXPECT_FALSE(processes_->AwaitExit(process, 10ms));
}

TEST_P(ProcessesContract, ItIsListedInASessionOfItsOwn) {
  const ProcessIdentity process = Sleeper();
  const std::vector<ProcessInfo> all = processes_->List();
  const auto found = std::ranges::find(all, process, &ProcessInfo::identity);
  ASSERT_NE(found, all.end());
  EXPECT_EQ(found->session, process.pid);
  EXPECT_EQ(found->command, "/bin/sleep 600");
  EXPECT_EQ(found->working_directory, "/tmp");
}

TEST_P(ProcessesContract, ASignalEndsExactlyTheProcessNamed) {
  const ProcessIdentity process = Sleeper();
  const ProcessIdentity earlier{.pid = process.pid, .start_ticks = process.start_ticks - 1};
  EXPECT_FALSE(processes_->IsAlive(earlier));
  EXPECT_TRUE(processes_->Signal(earlier, SIGKILL));  // gone is no error
  EXPECT_TRUE(processes_->AwaitExit(earlier, 0s));
  EXPECT_TRUE(processes_->IsAlive(process));
  EXPECT_TRUE(processes_->Signal(process, SIGTERM));
  EXPECT_TRUE(processes_->AwaitExit(process, 10s));
  EXPECT_FALSE(processes_->IsAlive(process));
  EXPECT_EQ(processes_->Identify(process.pid).error().code(), Code::kNotFound);
  EXPECT_TRUE(processes_->AwaitExit(process, 0s));
}

TEST_P(ProcessesContract, NoProgramIsRefused) {
  EXPECT_EQ(processes_->Spawn({}).error().code(), Code::kInvalid);
  EXPECT_EQ(processes_->Run({}, 1s).error().code(), Code::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(RealAndFake, ProcessesContract, testing::Bool(),
                         [](const auto& info) { return info.param ? "Posix" : "Fake"; });

}  // namespace
}  // namespace howdah::system
