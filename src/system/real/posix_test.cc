// What only the real processes, files and clocks can show.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "system/real/posix_disk.h"
#include "system/real/posix_processes.h"
#include "system/real/proc_files.h"
#include "system/real/real_clock.h"

namespace howdah::system {
namespace {

SpawnSpec Shell(std::string script) {
  return {.argv = {"/bin/sh", "-c", std::move(script)},
          .env = {{"PATH", "/usr/bin:/bin"}},
          .working_directory = "/",
          .output_path = ""};
}

TEST(PosixProcesses, RunGathersOutputAndExitCode) {
  PosixProcesses processes;
  const Result<RunOutcome> outcome = processes.Run(Shell("echo out; echo err >&2; exit 3"), 10s);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->output, "out\nerr\n");
  EXPECT_EQ(processes.Run(Shell("kill -9 $$"), 10s)->exit_code, 128 + SIGKILL);
}

TEST(PosixProcesses, RunKeepsAtMostAMebibyteAndDoesNotBlockTheProgram) {
  PosixProcesses processes;
  const Result<RunOutcome> outcome = processes.Run(Shell("head -c 3000000 /dev/zero; exit 5"), 20s);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 5);
  EXPECT_EQ(outcome->output.size(), 1U << 20U);
}

TEST(PosixProcesses, RunDoesNotWaitForWhatTheProgramLeftRunning) {
  PosixProcesses processes;
  const RealClock clock;
  const MonotonicTime start = clock.Monotonic();
  const Result<RunOutcome> outcome = processes.Run(Shell("sleep 5 & echo done"), 20s);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "done\n");
  EXPECT_LT(clock.Monotonic() - start, 4s);
}

TEST(PosixProcesses, RunKillsTheWholeSessionPastTheDeadline) {
  PosixProcesses processes;
  const std::string file = testing::TempDir() + "howdah-child-pid";
  const Result<RunOutcome> outcome =
      processes.Run(Shell("sleep 600 & echo $! > " + file + "; wait"), 300ms);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Code::kTimeout);
  const pid_t child = std::stoi(*PosixDisk().Read(file));
  const Result<ProcessIdentity> identity = processes.Identify(child);
  EXPECT_TRUE(!identity || processes.AwaitExit(*identity, 5s));
  std::filesystem::remove(file);
}

TEST(PosixProcesses, AProgramThatCannotStartIsAnErrorAtOnce) {
  PosixProcesses processes;
  const SpawnSpec missing{
      .argv = {"/no/such/program"}, .env = {}, .working_directory = "/", .output_path = ""};
  EXPECT_EQ(processes.Spawn(missing).error().code(), Code::kNotFound);
  EXPECT_EQ(processes.Run(missing, 1s).error().code(), Code::kNotFound);
  SpawnSpec nowhere = Shell("true");
  nowhere.working_directory = "/no/such/directory";
  EXPECT_EQ(processes.Spawn(nowhere).error().code(), Code::kNotFound);
}

TEST(PosixProcesses, NothingIsInheritedButWhatTheSpecSays) {
  PosixProcesses processes;
  setenv("HOWDAH_LEAK", "1", 1);
  const int leak = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, on purpose
  signal(SIGUSR1, SIG_IGN);
  const std::string look = "if [ -e /proc/$$/fd/" + std::to_string(leak) + " ]; then echo leak; fi";
  const Result<RunOutcome> outcome =
      processes.Run(Shell("env; " + look + "; kill -USR1 $$; echo survived"), 10s);
  signal(SIGUSR1, SIG_DFL);
  ::close(leak);
  unsetenv("HOWDAH_LEAK");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output.find("HOWDAH_LEAK"), std::string::npos);
  EXPECT_EQ(outcome->output.find("leak"), std::string::npos) << outcome->output;
  EXPECT_EQ(outcome->output.find("survived"), std::string::npos);
  EXPECT_EQ(outcome->exit_code, 128 + SIGUSR1);
}

TEST(PosixProcesses, SpawnAppendsOutputAndLeavesNoChildToReap) {
  PosixProcesses processes;
  const std::string file = testing::TempDir() + "howdah-spawn-output";
  std::filesystem::remove(file);
  for (int i = 0; i < 2; ++i) {
    SpawnSpec spec = Shell("echo line; echo other >&2");
    spec.output_path = file;
    const Result<ProcessIdentity> process = processes.Spawn(spec);
    ASSERT_TRUE(process);
    EXPECT_TRUE(processes.AwaitExit(*process, 10s));
    EXPECT_FALSE(processes.IsAlive(*process));
  }
  EXPECT_EQ(*PosixDisk().Read(file), "line\nother\nline\nother\n");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  std::filesystem::remove(file);
}

TEST(PosixProcesses, ManyThreadsMaySpawnAtOnce) {
  PosixProcesses processes;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        const Result<ProcessIdentity> process = processes.Spawn(Shell("exit 0"));
        if (process && processes.AwaitExit(*process, 10s)) ++good;
        if (processes.Run(Shell("exit 0"), 10s)) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

// A `serve` killed at that moment left a process that waited for it for ever, with its locks.
TEST(PosixProcesses, WhoIsKilledInTheMiddleOfASpawnLeavesNobodyWaiting) {
  for (int round = 0; round < 100; ++round) {
    int inherited[2];
    ASSERT_EQ(::pipe2(inherited, O_CLOEXEC), 0);
    const pid_t spawner = fork();
    if (spawner == 0) {
      PosixProcesses processes;
      while (processes.Spawn(Shell("exit 0"))) {
      }
      _exit(1);
    }
    ::close(inherited[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(97 * round));
    kill(spawner, SIGKILL);
    waitpid(spawner, nullptr, 0);
    pollfd waiting{.fd = inherited[0], .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, 5000), 1) << "somebody holds on to what the dead one had";
    ::close(inherited[0]);
  }
}

TEST(PosixProcesses, AZombieIsDead) {
  PosixProcesses processes;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(processes.Identify(child).error().code(), Code::kNotFound);
  const Result<ProcStat> stat = ReadProcStat(child);
  ASSERT_TRUE(stat);
  const ProcessIdentity zombie{.pid = child, .start_ticks = stat->start_ticks};
  EXPECT_FALSE(processes.IsAlive(zombie));
  EXPECT_TRUE(processes.AwaitExit(zombie, 0s));
  waitpid(child, nullptr, 0);
}

TEST(ProcFiles, ACommandMayHoldParenthesesAndSpaces) {
  const Result<ProcStat> stat =
      ParseProcStat("12 (a) R (b c) S 7 12 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4321 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->session, 9);
  EXPECT_EQ(stat->start_ticks, 4321U);
  EXPECT_FALSE(ParseProcStat("12 (a) S 7"));
  EXPECT_FALSE(ParseProcStat(""));
}

TEST(PosixDisk, RemovingATreeDoesNotFollowLinks) {
  PosixDisk disk;
  const std::string root = testing::TempDir() + "howdah-links";
  ASSERT_TRUE(disk.MakeDirectories(root + "/outside"));
  ASSERT_TRUE(disk.MakeDirectories(root + "/tree"));
  ASSERT_TRUE(disk.WriteDurably(root + "/outside/file", "x"));
  std::filesystem::create_symlink(root + "/outside", root + "/tree/link");
  ASSERT_TRUE(disk.SyncTree(root + "/tree"));
  ASSERT_TRUE(disk.RemoveTree(root + "/tree"));
  EXPECT_TRUE(*disk.Exists(root + "/outside/file"));
  ASSERT_TRUE(disk.RemoveTree(root));
}

TEST(RealClock, MonotonicTimeIsNotSetBack) {
  const RealClock clock;
  const MonotonicTime first = clock.Monotonic();
  EXPECT_LE(first, clock.Monotonic());
  EXPECT_GT(clock.Now(), FromMicros(1'700'000'000'000'000));
}

}  // namespace
}  // namespace howdah::system
