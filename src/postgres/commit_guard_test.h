// A server with the commit guard, sessions whose commit waits for its standby and is cut short
// there in every way there is, and a standby that confirms what the test tells it to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postgres/lsn.h"
#include "postgres/server_test.h"

namespace howdah::postgres {

enum class Sent { kSimple, kExtended, kPipeline };
enum class Cut { kCancelBackend, kCancelRequest, kTerminate, kByItself };

struct Case {
  const char* name;
  const char* before;  // in the same session, while nobody is waited for
  const char* commit;
  Sent sent = Sent::kSimple;
  Cut cut = Cut::kCancelBackend;
};

inline constexpr const char* kInsert = "INSERT INTO t VALUES (1)";
inline constexpr const char* kDo = "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$";

inline constexpr Case kCases[] = {
    {"a statement of its own", "SELECT 1", kInsert},
    {"several in one message", "SELECT 1", "INSERT INTO t VALUES (1); SELECT 1"},
    {"a transaction", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT"},
    {"the client's own cancel, without notices", "SET client_min_messages = error", kInsert,
     Sent::kSimple, Cut::kCancelRequest},
    {"terminated", "SELECT 1", kInsert, Sent::kSimple, Cut::kTerminate},
    {"statement_timeout in DO", "SET statement_timeout = '150ms'", kDo, Sent::kSimple,
     Cut::kByItself},
    {"statement_timeout in a procedure", "SET statement_timeout = '150ms'", "CALL p()",
     Sent::kSimple, Cut::kByItself},
    {"extended", "SELECT 1", kInsert, Sent::kExtended},
    {"extended, terminated", "SELECT 1", kInsert, Sent::kExtended, Cut::kTerminate},
    {"extended COMMIT, the client's own cancel", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT",
     Sent::kExtended, Cut::kCancelRequest},
    {"extended DO", "SET statement_timeout = '150ms'", kDo, Sent::kExtended, Cut::kByItself},
    {"pipeline", "SELECT 1", kInsert, Sent::kPipeline},
    {"pipeline COMMIT, terminated", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT", Sent::kPipeline,
     Cut::kTerminate},
    {"PREPARE TRANSACTION", "BEGIN; INSERT INTO t VALUES (1)", "PREPARE TRANSACTION 'a'"},
    {"COMMIT PREPARED", "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'b'",
     "COMMIT PREPARED 'b'"},
    {"synchronous_commit off", "SET synchronous_commit = off", kInsert},
    {"synchronous_commit local in the transaction",
     "BEGIN; SET LOCAL synchronous_commit = local; INSERT INTO t VALUES (1)", "COMMIT"},
    {"synchronous_commit remote_write, extended", "SET synchronous_commit = remote_write", kInsert,
     Sent::kExtended},
    {"synchronous_commit of a function", "SELECT 1", "SELECT f()"},
    {"COMMIT PREPARED, synchronous_commit local",
     "SET synchronous_commit = local; BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'c'",
     "/* two */ commit\n prepared 'c'"},
};

inline constexpr const char* kObjects =
    "CREATE TABLE t (n int);"
    "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; "
    "INSERT INTO t VALUES (2); COMMIT; END $$;"
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET synchronous_commit = local AS $$ BEGIN "
    "INSERT INTO t VALUES (1); SET synchronous_commit = off; END $$";

// All that a walsender needs to take somebody for the synchronous standby: it asks for WAL, reads
// none of it, and says how much of it is flushed.
class FakeStandby {
 public:
  static constexpr const char* kName = "hd_1_nobody";

  Result<> Follow(const Node& node, Lsn from, const system::Clock& clock) {
    ConnectOptions options = node.AdminOptions();
    options.user = kReplicationUser;
    options.application_name = kName;
    options.replication = true;
    TRY_ASSIGN(Connection connection, Connection::Open(options, clock, 5s));
    PGresult* begun = PQexec(connection.raw(), ("START_REPLICATION " + from.Format()).c_str());
    const bool streams = PQresultStatus(begun) == PGRES_COPY_BOTH;
    PQclear(begun);
    if (!streams) return Fail(Code::kFailedState, PQerrorMessage(connection.raw()));
    connection_ = std::move(connection);
    return {};
  }

  // Standby status update: written, flushed, applied; the clock; no reply wanted.
  Result<> Confirm(Lsn position) {
    std::string message = "r";
    for (const std::uint64_t number :
         {position.value(), position.value(), position.value(), std::uint64_t{0}}) {
      for (int shift = 56; shift >= 0; shift -= 8) {
        message += static_cast<char>(number >> shift & 0xff);
      }
    }
    message += '\0';
    PGconn* raw = connection_->raw();
    const bool sent = PQputCopyData(raw, message.data(), static_cast<int>(message.size())) == 1 &&
                      PQflush(raw) == 0;
    return sent ? Result<>() : Fail(Code::kUnavailable, PQerrorMessage(raw));
  }

 private:
  std::optional<Connection> connection_;
};

class CommitGuardTest : public ServerTest {
 protected:
  // A primary with the objects of the cases; two sessions opened before anybody waits.
  void Begin(Node& node) {
    StartPrimary(node);
    if (HasFatalFailure()) return;
    Connect(node);
    if (HasFatalFailure()) return;
    for (std::string_view all = kObjects; !all.empty();) {
      const std::size_t end = all.find(";CREATE");
      ASSERT_OK(watcher_->Execute(std::string(all.substr(0, end)), 5s));
      all.remove_prefix(end == std::string_view::npos ? all.size() : end + 1);
    }
  }

  void Connect(Node& node) {
    auto admin = node.Connect(5s);
    ASSERT_OK(admin);
    admin_.emplace(*std::move(admin));
    ASSERT_OK(CheckCommitGuard(*admin_, 5s));
    auto watcher = AsMaster(node);
    ASSERT_OK(watcher);
    watcher_.emplace(*std::move(watcher));
  }

  template <typename Condition>
  void Await(const char* what, Condition condition) {
    const MonotonicTime deadline = clock_.Monotonic() + 10s;
    while (!condition()) ASSERT_LT(clock_.Monotonic(), deadline) << "not so: " << what;
  }

  int Number(Connection& connection, const std::string& what) {
    const auto rows = connection.Execute("SELECT " + what + " AS n", 5s);
    EXPECT_TRUE(rows) << rows.error().what();
    return rows ? std::stoi(rows->Text(0, "n")) : -1;
  }
  // How many rows of the cases others see.
  int Seen() { return Number(*watcher_, "(SELECT count(*) FROM t)"); }
  // How many sessions of clients are there, besides the watcher's; and are waiting.
  int Sessions(const std::string& which = "true") {
    return Number(*admin_,
                  "(SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND pid <> " +
                      std::to_string(watcher_->BackendPid()) + " AND " + which + ")");
  }
  int Waiting() { return Sessions("wait_event = 'SyncRep'"); }

  // Until commits really wait: the checkpointer tells the backends (H7).
  void WaitForNobody(Node& node) {
    ASSERT_OK(node.SetSynchronousStandby(FakeStandby::kName, 5s));
    Await("commits wait", [&] {
      const auto probe = node.Probe(100ms);  // an error: too slow to connect
      return probe && !probe->acknowledged;
    });
  }

  void Send(PGconn* client, const Case& each) {
    if (each.sent == Sent::kSimple) ASSERT_EQ(PQsendQuery(client, each.commit), 1);
    if (each.sent == Sent::kPipeline) ASSERT_EQ(PQenterPipelineMode(client), 1);
    if (each.sent != Sent::kSimple) {
      ASSERT_EQ(PQsendQueryParams(client, each.commit, 0, nullptr, nullptr, nullptr, nullptr, 0),
                1);
    }
    if (each.sent == Sent::kPipeline) ASSERT_EQ(PQpipelineSync(client), 1);
    ASSERT_EQ(PQflush(client), 0);
  }

  void CutShort(PGconn* client, const Case& each) {
    const int pid = PQbackendPID(client);
    if (each.cut == Cut::kByItself) return;
    const std::string argument = "(" + std::to_string(pid) + ")";
    Await("it waits",
          [&] { return Sessions("wait_event = 'SyncRep' AND pid = " + std::to_string(pid)) == 1; });
    if (HasFatalFailure()) return;
    if (each.cut == Cut::kCancelBackend) {
      ASSERT_OK(admin_->Execute("SELECT pg_cancel_backend" + argument, 5s));
    } else if (each.cut == Cut::kTerminate) {
      ASSERT_OK(admin_->Execute("SELECT pg_terminate_backend" + argument, 5s));
    } else {
      char why[256] = "";
      PGcancel* cancel = PQgetCancel(client);
      EXPECT_EQ(PQcancel(cancel, why, sizeof(why)), 1) << why;
      PQfreeCancel(cancel);
    }
  }

  // What the client reads: nothing that looks like success, then the end of its connection.
  void ExpectLost(Connection& client) {
    PGconn* raw = client.raw();
    const MonotonicTime deadline = clock_.Monotonic() + 10s;
    for (;;) {
      while (PQisBusy(raw) != 0) {
        const auto readable = client.AwaitReadable(deadline - clock_.Monotonic());
        if (!readable) break;
        ASSERT_TRUE(*readable) << "nothing happens";
      }
      PGresult* result = PQgetResult(raw);
      if (result == nullptr) break;
      const ExecStatusType status = PQresultStatus(result);
      EXPECT_TRUE(status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED)
          << PQresStatus(status) << " " << PQcmdStatus(result);
      PQclear(result);
      if (PQstatus(raw) != CONNECTION_OK) break;
    }
    EXPECT_NE(PQstatus(raw), CONNECTION_OK) << "the connection is still there";
  }

  void SendAndCutShort(Connection& client, const Case& each) {
    SCOPED_TRACE(each.name);
    Send(client.raw(), each);
    if (!HasFatalFailure()) CutShort(client.raw(), each);
    if (!HasFatalFailure()) ExpectLost(client);
  }

  std::optional<Connection> admin_;
  std::optional<Connection> watcher_;
};

}  // namespace howdah::postgres
