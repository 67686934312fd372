#include "nodes/node.h"

#include <gtest/gtest.h>

#include "nodes/backup.h"
#include "nodes/route.h"

namespace howdah::nodes {
namespace {

TEST(Node, DesiredSurvivesItsDocument) {
  Desired desired{
      .id = NodeId("n-1"),
      .instance = InstanceId("db-A"),
      .zone = "us-west-2b",
      .version = "14.17",
      .role = Role::kStandby,
      .power = Power::kStopped,
      .epoch = 3,
      .primary = NodeId("n-0"),
      .token = "hd_3_x",
      .settings = {{"work_mem", "4MB"}},
      .restarts = 2,
      .revive = 5,
      .checkpoint = 6,
      .archive = true,
      .restore = {.source = InstanceId("db-B"),
                  .backup = "b-1",
                  .target = Restore::Target::kTime,
                  .time = FromMicros(1'700'000'000'000'001)},
      .bootstrap = {.stamp = 4, .master_user = "m", .master_verifier = "v", .database = "d"},
      .endpoint = {.host_address = "127.0.1.5",
                   .private_address = "10.0.1.5",
                   .force_tls = true,
                   .data_path = DataPath::kRelay,
                   .tls = TlsPlace::kServer},
      .sealed_password = "s"};
  EXPECT_EQ(Format(*ParseDesired(Format(desired))), Format(desired));
}

TEST(Node, ObservedSurvivesItsDocument) {
  Observed observed{.state = State::kRunning,
                    .detail = "x",
                    .pid = 7,
                    .seeded = true,
                    .silent_ms = 4,
                    .epoch = 3,
                    .revive = 5,
                    .checkpoint = 6,
                    .unresponsive = "connect",
                    .unresponsive_ms = 8,
                    .recruited = true,
                    .received_lsn = 9,
                    .replayed_lsn = 10,
                    .shutdown_lsn = 11,
                    .timeline = 12,
                    .rejoined = "delta copy",
                    .set_aside_bytes = 13,
                    .data_path = "handover",
                    .tls = "server",
                    .commit_guard = "on"};
  observed.archived = {.lsn = 14, .until = FromMicros(15), .lag_bytes = 16, .problem = "gone"};
  observed.restored = {.done = true, .stage = "replay", .done_bytes = 17, .total_bytes = 18};
  observed.storage = {.state = StorageState::kHeld,
                      .disk_is_short = true,
                      .used_bytes = 5'000'000'000,
                      .free_bytes = 7,
                      .error = "no"};
  EXPECT_EQ(*ParseObserved(Format(observed)), observed);
}

TEST(Node, AnObservationOfBeforeStorageWasMeasuredKnowsNothingOfIt) {
  const Result<Observed> observed = ParseObserved(R"({"state":"running"})");
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->storage, Storage());
  EXPECT_FALSE(ParseObserved(R"({"state":"running","storage":{"state":"roomy"}})"));
}

TEST(Node, ADocumentWithAnUnknownWordIsCorruptAndNotADefault) {
  EXPECT_EQ(ParseObserved(R"({"state":"dancing"})").error().code(), Code::kCorrupt);
  EXPECT_FALSE(ParseDesired(R"({"role":"primary","power":"off"})"));
}

TEST(Backup, TaskAndStateSurviveTheirDocuments) {
  const BackupTask task{.id = "b-1",
                        .instance = InstanceId("db-A"),
                        .node = NodeId("n-1"),
                        .description = "{}",
                        .cancelled = true};
  EXPECT_EQ(Format(*ParseBackupTask(Format(task))), Format(task));
  const BackupState state{.state = BackupStateName::kDone,
                          .detail = "d",
                          .done_bytes = 1,
                          .total_bytes = 2,
                          .start_lsn = 3,
                          .stop_lsn = 4,
                          .timeline = 5,
                          .finished = FromMicros(6),
                          .size_bytes = 7,
                          .stored_bytes = 8};
  EXPECT_EQ(*ParseBackupState(Format(state)), state);
}

TEST(Node, TheHashSeesWhichValueBelongsToWhichName) {
  EXPECT_NE(HashOf({{"a", "bc"}}), HashOf({{"ab", "c"}}));
}

TEST(Route, SurvivesItsDocument) {
  const Route route{.instance = InstanceId("db-A"),
                    .identifier = "prod",
                    .host_address = "127.0.1.5",
                    .private_address = "10.0.1.5",
                    .primary = NodeId("n-1"),
                    .epoch = 2,
                    .open = true,
                    .allow = {{.cidr = "10.0.0.0/16", .group = ""}, {.cidr = "", .group = "sg-1"}},
                    .members = {{.id = "eni-1", .owner = 1000, .groups = {"sg-1"}}}};
  EXPECT_EQ(*ParseRoute(Format(route)), route);
}

}  // namespace
}  // namespace howdah::nodes
