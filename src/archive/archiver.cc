#include "archive/archiver.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/coverage.h"
#include "archive/receiver.h"
#include "archive/slot.h"
#include "postgres/base_backup.h"
#include "postgres/observe.h"
#include "postgres/wal_format.h"

namespace howdah::archive {

using postgres::Connection;
using postgres::Lsn;
using postgres::PrimaryHistory;
using postgres::Timeline;

namespace {

constexpr Duration kConnectLimit = 3s;
constexpr Duration kCommandLimit = 5s;
constexpr std::uint64_t kLongestCommit = 1 << 20;
constexpr Duration kFirstPause = 200ms;
constexpr Duration kLongestPause = 5s;

Lsn SegmentStart(Lsn lsn) {
  return Lsn(lsn.value() - lsn.value() % postgres::kWalSegment);
}

// So early that a commit whose record reaches over `from` is seen whole.
Lsn EarlyBefore(Lsn from) {
  const std::uint64_t earlier = std::min(from.value(), kLongestCommit);
  return SegmentStart(Lsn(std::max(from.value() - earlier, postgres::kWalSegment)));
}

Timeline TimelineAt(const Path& path, Lsn lsn) {
  for (const Leg& leg : path) {
    if (leg.IsOpen() || lsn < leg.end) return leg.timeline;
  }
  return path.back().timeline;
}

// The newest gap into which this epoch's WAL does not reach back.
std::optional<ArchiveGap> NewestGap(const Coverage& coverage, const std::vector<Range>& ranges,
                                    std::int64_t epoch) {
  Lsn own;
  for (const Range& range : ranges) {
    if (range.epoch == epoch && (own.IsNone() || range.start < own)) own = range.start;
  }
  const auto& whole = coverage.intervals();
  if (own.IsNone() || whole.size() < 2 || whole.back().start < own) return std::nullopt;
  ArchiveGap gap{.start = whole[whole.size() - 2].end, .end = whole.back().start};
  for (const Range& range : ranges) {
    if (range.end <= gap.start && range.until) gap.since = std::max(gap.since, *range.until);
  }
  return gap;
}

}  // namespace

Archiver::Archiver(ArchiverOptions options, WriterNeeds needs)
    : options_(std::move(options)),
      needs_(needs),
      queue_(needs.clock, options_.group_age),
      writer_(options_.instance, options_.epoch, needs, queue_),
      reader_(needs.repository, needs.keys) {
  writer_.SetMarkInterval(options_.mark_interval);
}

Archiver::~Archiver() {
  Stop();
}

void Archiver::Start() {
  writing_ = std::jthread([this](std::stop_token stop) { writer_.Run(stop); });
  streaming_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void Archiver::Stop() {
  interrupt_.Raise();
  for (std::jthread* thread : {&streaming_, &writing_}) thread->request_stop();
  for (std::jthread* thread : {&streaming_, &writing_}) {
    if (thread->joinable()) thread->join();
  }
}

ArchiveStatus Archiver::Read() {
  const WalQueue::State state = queue_.Read();
  ArchiveStatus status{.timeline = state.timeline,
                       .lsn = state.durable,
                       .until = state.until,
                       .lag_bytes = BytesBetween(state.durable, state.flushed),
                       .problem = writer_.Problem()};
  const std::lock_guard lock(mutex_);
  if (status.problem.empty() && !state.is_streaming) status.problem = problem_;
  status.gap = gap_;
  return status;
}

void Archiver::Run(std::stop_token stop) {
  Duration pause = kFirstPause;
  while (!stop.stop_requested()) {
    const MonotonicTime began = needs_.clock.Monotonic();
    const Result<> ended = RunSession(stop);
    if (stop.stop_requested()) return;
    SetProblem(ended ? "the stream ended" : ended.error().what());
    // One that went well for a while begins with short pauses again.
    if (needs_.clock.Monotonic() - began > kLongestPause) pause = kFirstPause;
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, stop, pause, [] { return false; });
    pause = std::min(pause * 2, kLongestPause);
  }
}

void Archiver::SetProblem(const std::string& problem) {
  {
    const std::lock_guard lock(mutex_);
    if (problem == problem_) return;
    problem_ = problem;
  }
  if (!problem.empty()) {
    needs_.log.Warning("WAL archive of {}: {}", options_.instance.str(), problem);
  }
}

void Archiver::NoteGap(const ArchiveGap& gap) {
  const std::lock_guard lock(mutex_);
  if (gap_ == gap) return;
  gap_ = gap;
  needs_.log.Error(
      "WAL archive of {}: the WAL from {} to {} is not in it and never will be: "
      "only backups made after it can be restored beyond it",
      options_.instance.str(), gap.start.Format(), gap.end.Format());
}

Result<Connection> Archiver::Connect(bool replication) {
  postgres::ConnectOptions connect;
  connect.socket_dir = options_.socket_dir;
  connect.password = options_.password;
  connect.application_name = "howdah-archive";
  connect.interrupt = interrupt_.descriptor();
  if (replication) {
    connect.user = postgres::kReplicationUser;
    connect.replication = true;
  }
  return Connection::Open(connect, needs_.clock, kConnectLimit);
}

// From finding out where the archive stands until the stream breaks.
Result<> Archiver::RunSession(std::stop_token stop) {
  if (!queue_.AwaitEmpty(stop)) return {};
  TRY_ASSIGN(const PrimaryHistory server, Prepare());
  TRY_ASSIGN(const Beginning beginning, FindBeginning(server));
  const Result<> streamed = Stream(server, beginning);
  if (streamed || streamed.error().code() != Code::kNotFound) return streamed;
  return SkipGap(stop, server);
}

Result<PrimaryHistory> Archiver::Prepare() {
  TRY_ASSIGN(Connection admin, Connect(/*replication=*/false));
  TRY_ASSIGN(const postgres::Rows rows,
             admin.Execute("SELECT pg_catalog.pg_is_in_recovery() AS recovery", kCommandLimit));
  if (rows.Text(0, "recovery") != "f") {
    return Fail(Code::kFailedState, "the server is not a primary yet");
  }
  TRY(EnsureArchiveSlot(admin, kCommandLimit));
  TRY_ASSIGN(Connection replication, Connect(/*replication=*/true));
  return postgres::ReadHistory(replication, kCommandLimit);
}

// Where the archive of this server's history ends. A new epoch begins at a segment's start, so that
// no object of a former one is used in part, whose name speaks of the whole.
Result<Archiver::Beginning> Archiver::FindBeginning(const PrimaryHistory& server) {
  TRY_ASSIGN(const auto objects, needs_.repository.List(WalPrefix(options_.instance)));
  std::vector<std::string> names;
  for (const repository::ObjectInfo& object : objects) names.push_back(object.name);
  Listing listing = ParseListing(options_.instance, names);
  TRY(writer_.Adopt(listing.ranges));
  TRY(DropForeign(server, listing));
  const Path path = PathTo(server.timeline, server.ancestors);
  const Coverage coverage(listing.ranges, path);
  if (const auto gap = NewestGap(coverage, listing.ranges, options_.epoch)) NoteGap(*gap);
  const Lsn end = coverage.End();
  if (end.IsNone()) {
    const Lsn from = SegmentStart(server.flushed);
    return Beginning{.path = path, .early = from, .from = from, .durable = from};
  }
  if (end > server.flushed) {
    return Fail(Code::kFailedState,
                fmt::format("the archive has WAL up to {}, and the server only up to {}: this is "
                            "not the server that wrote it",
                            end.Format(), server.flushed.Format()));
  }
  const bool is_own = coverage.LastEpoch() == options_.epoch;
  const Lsn from = is_own ? end : SegmentStart(end);
  return Beginning{.path = path, .early = EarlyBefore(from), .from = from, .durable = end};
}

// A timeline of a former epoch may have the number of one of ours and another history: two standbys
// that were promoted without knowing of each other. It is none of ours.
Result<> Archiver::DropForeign(const PrimaryHistory& server, Listing& listing) {
  for (const HistoryRef& ref : listing.histories) {
    if (ref.epoch == options_.epoch || ref.timeline > server.timeline) continue;
    TRY_ASSIGN(const std::string text, reader_.Read(ObjectName(options_.instance, ref)));
    TRY_ASSIGN(const auto ancestors, postgres::ParseTimelineHistory(text));
    std::vector<postgres::TimelineSwitch> ours = server.ancestors;
    std::erase_if(ours, [&](const auto& each) { return each.timeline >= ref.timeline; });
    if (ancestors == ours) continue;
    std::erase_if(listing.ranges, [&](const Range& range) {
      return range.epoch == ref.epoch && range.timeline == ref.timeline;
    });
  }
  return {};
}

Result<> Archiver::Stream(const PrimaryHistory& server, const Beginning& beginning) {
  const Lsn from = beginning.from;
  const Lsn durable = beginning.durable;
  queue_.Begin(from, durable, TimelineAt(beginning.path, Lsn(durable.value() - 1)), server);
  WalReceiver receiver({.socket_dir = options_.socket_dir,
                        .password = options_.password,
                        .application_name = "howdah-archive",
                        .slot_name = std::string(kArchiveSlot),
                        .interrupt = interrupt_.descriptor()},
                       queue_, needs_.clock);
  const Lsn early = beginning.early;
  Result<> streamed = receiver.Run(TimelineAt(beginning.path, early), early);
  const bool is_gone = !streamed && streamed.error().code() == Code::kNotFound;
  const Lsn segment = SegmentStart(from);
  if (is_gone && receiver.Received() < from && early != segment) {
    streamed = receiver.Run(TimelineAt(beginning.path, segment), segment);
  }
  queue_.End();
  return streamed;
}

// The server has not the WAL that would follow: the archive goes on where the server's begins.
Result<> Archiver::SkipGap(std::stop_token stop, const PrimaryHistory& server) {
  if (!queue_.AwaitEmpty(stop)) return {};
  const Lsn from = queue_.Durable();
  const WallTime since = queue_.Read().until.value_or(WallTime{});
  TRY_ASSIGN(Connection admin, Connect(/*replication=*/false));
  TRY_ASSIGN(const Lsn next, OldestWal(admin, from, kCommandLimit));
  NoteGap({.start = from, .end = next, .since = since});
  return Stream(server, {.path = PathTo(server.timeline, server.ancestors),
                         .early = next,
                         .from = next,
                         .durable = next});
}

}  // namespace howdah::archive
