// The gateway process: loops and threads, the table in force, and the order of events when it
// changes (epochs, then the table of every loop, then listeners, then the answer); see gateway.h.
#include "gateway/gateway.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <limits>
#include <thread>

#include "gateway/control.h"
#include "gateway/listeners.h"
#include "gateway/route_book.h"
#include "system/real/posix_disk.h"

namespace howdah::gateway {
namespace {

// How often certificate files are looked at and failed listeners tried again.
constexpr Duration kLookAgain = 3s;

class Gateway {
 public:
  Gateway(const Options& options, const Log& log, std::vector<std::unique_ptr<Loop>> loops);
  Result<void> Run();

 private:
  Task<json::object> Handle(json::object request);
  Task<ApplyAnswer> Apply(ParsedTable parsed);
  Result<void> ReadEpochs();
  void KeepEpochs();
  std::shared_ptr<const LiveTable> Build(std::vector<RouteError>& errors);
  LiveRoute MakeLive(const Route& route, std::vector<RouteError>& errors);
  Task<> Spread(std::shared_ptr<const LiveTable> table);
  Task<> LookAgain();
  Statistics Count() const;
  void RunThreads();
  void Stop();

  const Options& options_;
  const Log& log_;
  std::vector<std::unique_ptr<Loop>> loops_;
  Loop& home_;
  // From here on: used on the home loop only.
  RouteBook book_;
  system::PosixDisk disk_;
  std::string epochs_;  // as they are on the disk
  TlsStore tls_;
  std::map<InstanceId, std::shared_ptr<Counters>> counters_;
  std::shared_ptr<const LiveTable> live_ = std::make_shared<LiveTable>();
  Listeners listeners_;
  std::unique_ptr<Control> control_;
  Timer look_again_;
  bool stopping_ = false;
};

Result<std::vector<std::unique_ptr<Loop>>> MakeLoops(const Options& options, const Log& log) {
  std::vector<std::unique_ptr<Loop>> loops;
  for (int i = 0; i < std::max(options.threads, 1); ++i) {
    TRY_ASSIGN(auto relay, Relay::Start());
    loops.push_back(std::make_unique<Loop>(options.limits, log, std::move(relay)));
  }
  return loops;
}

std::vector<Loop*> Pointers(const std::vector<std::unique_ptr<Loop>>& loops) {
  std::vector<Loop*> pointers;
  for (const auto& loop : loops) pointers.push_back(loop.get());
  return pointers;
}

// Each client costs two descriptors; the rest is for listeners, the agent and the kernel's answers.
constexpr rlim_t kOwnDescriptors = 64;

// Raises the limit as far as it goes, and says how many clients that is.
std::int64_t RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>((limit.rlim_cur - std::min(limit.rlim_cur, kOwnDescriptors)) /
                                   2);
}

std::string EpochsPath(const Options& options) {
  return options.control_socket_path + ".epochs";
}

bool SameTls(const LiveTable& a, const LiveTable& b) {
  return std::ranges::equal(a, b, [](const auto& left, const auto& right) {
    return left.first == right.first && left.second->tls == right.second->tls;
  });
}

Gateway::Gateway(const Options& options, const Log& log, std::vector<std::unique_ptr<Loop>> loops)
    : options_(options),
      log_(log),
      loops_(std::move(loops)),
      home_(*loops_.front()),
      listeners_(Pointers(loops_), RaiseDescriptorLimit(), log),
      look_again_(home_.io) {}

Result<void> Gateway::Run() {
  asio::signal_set signals(home_.io, SIGTERM, SIGINT);
  signals.async_wait([this](const error_code& error, int) {
    if (!error) Stop();
  });
  TRY_ASSIGN(control_, Control::Open(home_, options_.control_socket_path,
                                     [this](json::object request) -> Task<json::object> {
                                       co_return co_await Handle(std::move(request));
                                     }));
  TRY(ReadEpochs());
  asio::co_spawn(home_.io, [this]() -> Task<> { co_await LookAgain(); }, asio::detached);
  log_.Info("gateway ready, waiting for routes on {}", options_.control_socket_path);
  RunThreads();
  log_.Info("gateway stopped");
  return {};
}

// This thread runs the home loop, which stops the others.
void Gateway::RunThreads() {
  std::vector<asio::executor_work_guard<Executor>> guards;
  for (const auto& loop : loops_) guards.emplace_back(loop->io.get_executor());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < loops_.size(); ++i)
    threads.emplace_back([loop = loops_[i].get()] { loop->io.run(); });
  home_.io.run();
  threads.clear();
  for (const auto& loop : loops_) loop->relay->Stop();
}

void Gateway::Stop() {
  stopping_ = true;
  log_.Info("gateway stopping");
  control_->Close();
  listeners_.CloseAll();
  look_again_.cancel();
  for (const auto& loop : loops_) {
    asio::post(loop->io, [raw = loop.get()] {
      raw->CloseSessions();
      raw->io.stop();
    });
  }
}

Task<json::object> Gateway::Handle(json::object request) {
  if (request.contains("statistics")) co_return FormatStatistics(Count());
  auto parsed = ParseRouteTable(request);
  if (!parsed) {
    log_.Error("the agent sent a table that is none: {}", parsed.error().what());
    co_return json::object{{"error", parsed.error().what()}};
  }
  co_return FormatAnswer(co_await Apply(*std::move(parsed)));
}

// The answer is what a failover waits for: when it goes out, no loop lets anybody in under an older
// epoch any more. The order that makes it so: the epochs are on the disk, so that a gateway that
// follows this one knows them; each loop takes the table on its own thread, and there each session
// that is trying an older primary gives it up (Loop::SetTable, Session::OnTable); behind that, and
// behind all that the loop gave it before, the relay cuts its sessions of older epochs and counts
// the loop as done (Relay::CutStale, which Spread waits for).
Task<ApplyAnswer> Gateway::Apply(ParsedTable parsed) {
  ApplyAnswer answer{parsed.table.version, book_.Apply(parsed)};
  KeepEpochs();
  live_ = Build(answer.errors);
  std::ranges::move(listeners_.Sync(book_.routes()), std::back_inserter(answer.errors));
  for (const RouteError& error : answer.errors)
    log_.Error("route of {}: {}", error.instance.str(), error.error);
  co_await Spread(live_);
  co_return answer;
}

Result<void> Gateway::ReadEpochs() {
  const std::string path = EpochsPath(options_);
  auto text = disk_.Read(path);
  if (!text && text.error().code() == Code::kNotFound) return {};
  if (!text) return Fail(text.error());
  const auto parsed = ParseJsonObject(*text);
  auto book = parsed ? RouteBook::Parse(*parsed) : Fail(parsed.error());
  if (!book)
    return Fail(book.error().During(
        path + " is damaged; remove it when no instance's failover is under way"));
  book_ = *std::move(book);
  epochs_ = *std::move(text);
  return {};
}

// A disk that takes nothing must not keep a failover from its end: this gateway knows the epochs.
void Gateway::KeepEpochs() {
  std::string epochs = json::serialize(book_.Format());
  if (epochs == epochs_) return;
  if (const auto kept = disk_.WriteDurably(EpochsPath(options_), epochs))
    epochs_ = std::move(epochs);
  else
    log_.Error("the epochs are not kept for the next gateway: {}", kept.error().what());
}

std::shared_ptr<const LiveTable> Gateway::Build(std::vector<RouteError>& errors) {
  auto table = std::make_shared<LiveTable>();
  for (const auto& [instance, route] : book_.routes())
    (*table)[instance] = std::make_shared<const LiveRoute>(MakeLive(route, errors));
  tls_.Keep([&](const TlsFiles& files) {
    return std::ranges::any_of(book_.routes(),
                               [&](const auto& entry) { return entry.second.tls == files; });
  });
  return table;
}

LiveRoute Gateway::MakeLive(const Route& route, std::vector<RouteError>& errors) {
  auto& counters = counters_[route.instance];
  if (counters == nullptr) counters = std::make_shared<Counters>();
  LiveRoute live{route, nullptr, counters};
  if (!route.tls) return live;
  auto [context, error] = tls_.Get(*route.tls);
  if (error) errors.push_back({route.instance, error->what()});
  // Going on without TLS would let clients that only prefer it send passwords' proofs in the clear.
  if (context == nullptr) live.route.state = RouteState::kClosed;
  live.tls = std::move(context);
  return live;
}

// Returns when every loop and relay has the table.
Task<> Gateway::Spread(std::shared_ptr<const LiveTable> table) {
  auto left = loops_.size();
  Timer done(home_.io, Timer::time_point::max());
  const std::function<void()> count_down = [&] {
    asio::post(home_.io, [&left, &done] {
      if (--left == 0) done.cancel();
    });
  };
  home_.SetTable(table, count_down);
  for (std::size_t i = 1; i < loops_.size(); ++i)
    asio::post(loops_[i]->io,
               [table, loop = loops_[i].get(), count_down] { loop->SetTable(table, count_down); });
  while (left > 0) co_await done.async_wait(kAwait);
}

Task<> Gateway::LookAgain() {
  while (!stopping_) {
    look_again_.expires_after(kLookAgain);
    co_await look_again_.async_wait(kAwait);
    if (stopping_) co_return;
    std::vector<RouteError> ignored;  // told when the table came
    auto table = Build(ignored);
    if (!SameTls(*table, *live_)) {
      log_.Info("certificates changed");
      live_ = std::move(table);
      co_await Spread(live_);
    }
    listeners_.Sync(book_.routes());
  }
}

Statistics Gateway::Count() const {
  Statistics statistics;
  for (const auto& [instance, live] : *live_) {
    const Counters& counters = *live->counters;
    statistics[instance] = {counters.open, counters.accepted, counters.refused, counters.held,
                            counters.handed_over};
  }
  return statistics;
}

}  // namespace

Result<void> Run(const Options& options, const Log& log) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes as if it wanted to know
  TRY_ASSIGN(auto loops, MakeLoops(options, log));
  Gateway gateway(options, log, std::move(loops));
  return gateway.Run();
}

}  // namespace howdah::gateway
