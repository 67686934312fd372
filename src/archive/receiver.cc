// START_REPLICATION answers with COPY in both directions. What comes: 'w' start, flushed, clock,
// WAL; 'k' sent, clock, whether an answer is wanted. What goes: 'r' written, flushed, applied,
// clock, whether an answer is wanted. Numbers are 8 bytes, most significant first; clocks count
// microseconds since 2000. Where a timeline ends, the server ends the COPY and names the next one.
// Source: PostgreSQL's documentation, "Streaming Replication Protocol".
#include "archive/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "postgres/observe.h"
#include "postgres/quote.h"

namespace howdah::archive {

using postgres::Connection;
using postgres::Lsn;
using postgres::Timeline;

namespace {

constexpr Duration kConnectLimit = 5s;
constexpr Duration kCommandLimit = 10s;
// The server ends a connection that is silent for wal_sender_timeout (5 s).
constexpr Duration kReplyInterval = 1s;
constexpr Duration kShortestReplyInterval = 50ms;
constexpr Duration kRoomWait = 50ms;
constexpr Duration kNoRoomLimit = 4s;
constexpr Duration kSilenceLimit = 30s;
constexpr std::int64_t kPostgresEpoch = 946'684'800'000'000;  // 2000-01-01, in microseconds

struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultCloser>;
using CopyData = std::unique_ptr<char, decltype(&PQfreemem)>;

std::uint64_t GetNumber(std::string_view bytes, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}

void PutNumber(std::string& into, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) into += static_cast<char>(value >> shift & 0xffU);
}

WallTime GetTime(std::string_view bytes, std::size_t offset) {
  return FromMicros(static_cast<std::int64_t>(GetNumber(bytes, offset)) + kPostgresEpoch);
}

Code CodeOf(std::string_view sql_state) {
  if (sql_state == "58P01") return Code::kNotFound;  // the segment was removed
  if (sql_state == "55000") return Code::kFailedState;
  if (sql_state == "55006") return Code::kInUse;
  if (sql_state == "42704") return Code::kFailedState;  // no such slot
  if (sql_state.starts_with("57P") || sql_state.starts_with("08") || sql_state.empty()) {
    return Code::kUnavailable;
  }
  return Code::kInternal;
}

Error ServerError(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return {CodeOf(state == nullptr ? "" : state),
          message == nullptr ? "the server closed the replication connection" : message};
}

struct NextTimeline {
  Timeline timeline{};
  Lsn start;
};

}  // namespace

// One connection; one COPY after the other.
class WalStream {
 public:
  WalStream(WalReceiver& receiver, Connection connection)
      : receiver_(receiver),
        sink_(receiver.sink_),
        clock_(receiver.clock_),
        connection_(std::move(connection)) {}

  Result<> Run(Timeline timeline, Lsn start) {
    received_ = start;
    receiver_.received_ = start.value();
    for (;;) {
      TRY(ReadHistory(timeline));
      TRY_ASSIGN(const std::optional<NextTimeline> next, Stream(timeline));
      if (!next) return {};
      if (next->start != received_) {
        return Fail(Code::kCorrupt, fmt::format("timeline {} follows at {}, WAL came up to {}",
                                                ToNumber(next->timeline), next->start.Format(),
                                                received_.Format()));
      }
      timeline = next->timeline;
    }
  }

 private:
  bool IsDone() const { return received_.value() >= receiver_.stop_; }

  Result<> ReadHistory(Timeline timeline) {
    if (ToNumber(timeline) <= 1) return {};  // the first has none
    TRY_ASSIGN(
        const postgres::Rows rows,
        connection_.Execute(fmt::format("TIMELINE_HISTORY {}", ToNumber(timeline)), kCommandLimit));
    return sink_.OnHistory(timeline, rows.Text(0, "content"));
  }

  // Nothing: all that was asked for has come.
  Result<std::optional<NextTimeline>> Stream(Timeline timeline) {
    if (IsDone()) return std::nullopt;
    TRY(Send(fmt::format("START_REPLICATION {} PHYSICAL {} TIMELINE {}", SlotWords(),
                         received_.Format(), ToNumber(timeline))));
    TRY_ASSIGN(const ResultPtr begun, NextResult());
    if (!begun) return Fail(Code::kUnavailable, "the server does not begin to stream");
    // At a timeline's very end there is nothing to copy.
    if (PQresultStatus(begun.get()) == PGRES_TUPLES_OK) return ReadNext(begun.get());
    if (PQresultStatus(begun.get()) != PGRES_COPY_BOTH) return Fail(ServerError(begun.get()));
    TRY(Copy(timeline));
    if (IsDone()) return std::nullopt;
    return EndCopy();
  }

  std::string SlotWords() const {
    const std::string& slot = receiver_.options_.slot_name;
    return slot.empty() ? "" : "SLOT " + postgres::QuoteIdentifier(slot);
  }

  Result<> Send(const std::string& command) {
    if (PQsendQuery(connection_.raw(), command.c_str()) == 0) return Lost();
    return Flush();
  }

  std::unexpected<Error> Lost() {
    const std::string_view message = PQerrorMessage(connection_.raw());
    return Fail(Code::kUnavailable, std::string(message.substr(0, message.find('\n'))));
  }

  // What is left in libpq's buffer goes with the next call: the server reads slowly only when it
  // is about to go.
  Result<> Flush() {
    if (PQflush(connection_.raw()) < 0) return Lost();
    return {};
  }

  Result<ResultPtr> NextResult() {
    while (PQisBusy(connection_.raw()) != 0) {
      TRY(Flush());
      TRY_ASSIGN(const bool readable, connection_.AwaitReadable(kCommandLimit));
      if (!readable) return Fail(Code::kTimeout, "the server does not answer");
    }
    return ResultPtr(PQgetResult(connection_.raw()));
  }

  // Until the server ends the COPY, or all that was asked for has come.
  Result<> Copy(Timeline timeline) {
    last_reply_ = last_message_ = clock_.Monotonic();
    question_.reset();
    for (;;) {
      TRY(ReplyIfDue());
      if (!sink_.AwaitRoom(kRoomWait)) {
        TRY(OnNoRoom());
        continue;
      }
      full_since_.reset();
      char* raw = nullptr;
      const int size = PQgetCopyData(connection_.raw(), &raw, /*async=*/1);
      const CopyData data(raw, &PQfreemem);
      if (size > 0) {
        TRY(OnMessage(timeline, std::string_view(raw, static_cast<std::size_t>(size))));
        if (IsDone()) return {};
      } else if (size == 0) {
        TRY(Await());
      } else {
        return size == -1 ? Result<>() : Lost();
      }
    }
  }

  // A server that stops would wait for us as long as we give signs of life: its last words lie
  // behind what we do not read.
  Result<> OnNoRoom() {
    const MonotonicTime now = clock_.Monotonic();
    last_message_ = now;  // it is we who are silent
    if (!full_since_) full_since_ = now;
    if (now - *full_since_ < kNoRoomLimit) return {};
    return Fail(Code::kUnavailable, "what was received finds no place");
  }

  Result<> Await() {
    const MonotonicTime now = clock_.Monotonic();
    if (now - last_message_ > kSilenceLimit) {
      return Fail(Code::kTimeout, "the server has fallen silent");
    }
    TRY(connection_.AwaitReadable(std::clamp<Duration>(NextReply() - now, 1ms, kReplyInterval)));
    return {};
  }

  Result<> OnMessage(Timeline timeline, std::string_view message) {
    last_message_ = clock_.Monotonic();
    constexpr std::size_t kWalHeader = 1 + 8 + 8 + 8;
    constexpr std::size_t kKeepalive = 1 + 8 + 8 + 1;
    if (message.front() == 'w' && message.size() >= kWalHeader) {
      return OnWal(timeline, Lsn(GetNumber(message, 1)), message.substr(kWalHeader),
                   Lsn(GetNumber(message, 9)), GetTime(message, 17));
    }
    if (message.front() == 'k' && message.size() >= kKeepalive) {
      return OnKeepalive(Lsn(GetNumber(message, 1)), GetTime(message, 9), message[17] != 0);
    }
    return Fail(Code::kCorrupt, "the server sends what is neither WAL nor a sign of life");
  }

  Result<> OnWal(Timeline timeline, Lsn start, std::string_view bytes, Lsn flushed,
                 WallTime stamp) {
    if (start != received_) {
      return Fail(Code::kCorrupt, fmt::format("WAL of {} came where {} was to follow",
                                              start.Format(), received_.Format()));
    }
    const std::uint64_t wanted =
        receiver_.stop_ - std::min<std::uint64_t>(receiver_.stop_, start.value());
    bytes = bytes.substr(0, wanted);
    if (bytes.empty()) return {};
    TRY(sink_.OnWal(timeline, start, bytes, flushed, stamp));
    received_ = Lsn(start.value() + bytes.size());
    receiver_.received_ = received_.value();
    return {};
  }

  Result<> OnKeepalive(Lsn sent, WallTime stamp, bool wants_reply) {
    if (!wants_reply) {
      question_.reset();
      return sink_.OnAnswer(sent, stamp);
    }
    hurries_ = true;
    if (sink_.Durable() < received_ && !sink_.OnHurry()) {
      return Fail(Code::kUnavailable,
                  "the server stops, and what it sent cannot be confirmed soon enough");
    }
    return {};
  }

  // The server shall hear at once what has become durable, but not of every little thing.
  MonotonicTime NextReply() {
    const bool has_news = sink_.Durable() > confirmed_;
    if (has_news || hurries_) return last_reply_ + kShortestReplyInterval;
    return std::min(last_reply_ + kReplyInterval, NextQuestion());
  }

  MonotonicTime NextQuestion() const {
    // Without an answer: the server is busy sending, and its messages say what we want to know.
    if (question_) return *question_ + kSilenceLimit;
    return last_reply_ + std::min(receiver_.options_.question_interval, kReplyInterval);
  }

  Result<> ReplyIfDue() {
    const MonotonicTime now = clock_.Monotonic();
    if (now < NextReply()) {
      // A stopping server waits for exactly this.
      if (!hurries_ || sink_.Durable() < received_ || confirmed_ >= received_) return {};
    }
    const bool asks = now >= NextQuestion();
    const Lsn durable = std::min(sink_.Durable(), received_);
    std::string message = "r";
    PutNumber(message, received_.value());
    PutNumber(message, durable.value());
    PutNumber(message, durable.value());
    PutNumber(message, static_cast<std::uint64_t>(ToMicros(clock_.Now()) - kPostgresEpoch));
    message += asks ? '\1' : '\0';
    if (PQputCopyData(connection_.raw(), message.data(), static_cast<int>(message.size())) < 0) {
      return Lost();
    }
    last_reply_ = now;
    confirmed_ = durable;
    hurries_ = false;
    if (asks) question_ = now;
    return Flush();
  }

  // After the server's end of the COPY: what timeline comes next.
  Result<std::optional<NextTimeline>> EndCopy() {
    TRY_ASSIGN(ResultPtr result, NextResult());
    if (result && PQresultStatus(result.get()) == PGRES_COPY_IN) {
      if (PQputCopyEnd(connection_.raw(), nullptr) < 0) return Lost();
      TRY(Flush());
      TRY_ASSIGN(result, NextResult());
    }
    if (!result) return Fail(Code::kUnavailable, "the server ended the stream");
    return ReadNext(result.get());
  }

  Result<std::optional<NextTimeline>> ReadNext(const PGresult* result) {
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) return Fail(ServerError(result));
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 ||
        PQnfields(result) < 2) {
      return Fail(Code::kUnavailable, "the server stops");
    }
    NextTimeline next;
    next.timeline = postgres::ParseTimeline(PQgetvalue(result, 0, 0));
    TRY_ASSIGN(next.start, Lsn::Parse(PQgetvalue(result, 0, 1)));
    for (;;) {
      TRY_ASSIGN(const ResultPtr rest, NextResult());
      if (!rest) return next;
      if (PQresultStatus(rest.get()) == PGRES_FATAL_ERROR) return Fail(ServerError(rest.get()));
    }
  }

  WalReceiver& receiver_;
  WalSink& sink_;
  const system::Clock& clock_;
  Connection connection_;
  Lsn received_;
  Lsn confirmed_;
  bool hurries_ = false;                   // the server wants a reply
  std::optional<MonotonicTime> question_;  // when ours was asked that is still without an answer
  MonotonicTime last_reply_;
  MonotonicTime last_message_;
  std::optional<MonotonicTime> full_since_;
};

Result<> WalReceiver::Run(Timeline timeline, Lsn start) {
  postgres::ConnectOptions connect;
  connect.socket_dir = options_.socket_dir;
  connect.user = postgres::kReplicationUser;
  connect.password = options_.password;
  connect.application_name = options_.application_name;
  connect.replication = true;
  connect.interrupt = options_.interrupt;
  TRY_ASSIGN(Connection connection, Connection::Open(connect, clock_, kConnectLimit));
  return WalStream(*this, std::move(connection)).Run(timeline, start);
}

}  // namespace howdah::archive
