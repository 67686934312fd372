// Loaded into PostgreSQL by shared_preload_libraries. Keeps the promise of a synchronous standby in
// two places where PostgreSQL lets it go:
//
// 1. A commit that waits for its standby and is cancelled there (by a client, by
//    statement_timeout) is answered as a success with a warning, and others see it at once. Here
//    the client's connection ends at once without an answer, so that it knows that it does not
//    know; but the session waits on, and nobody sees the commit before the standby has it or the
//    primary waits for nobody any more. Only then does the session end.
// 2. A session that has set synchronous_commit below `on` commits without the standby. Where
//    howdah.enforce_synchronous_commit is on, its commits are raised to `on`, and the setting is
//    put back after them.
//
// PostgreSQL's headers are not needed: what is used of its ABI is written down here, is the same
// from 14 to 18 but for the magic block, and postgres/commit_guard.h proves it on each engine
// before any server is started with it. The rule inside: no error, no memory and no lock of its
// own; the hooks run between a commit record and its answer.
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

// What PostgreSQL gives to an emit_log_hook begins so (ErrorData).
struct LogEvent {
  int level;
  bool to_server;
  bool to_client;
  bool hide_statement;
  bool hide_context;
  const char* file;
  int line;
  const char* function;
};

// And so begins a session's client (Port).
struct Client {
  int socket;
};

using LogHook = void (*)(LogEvent*);
using UtilityHook = void (*)(void* statement, const char* text, bool read_only, int context,
                             void* parameters, void* environment, void* receiver, void* completion);
using TransactionCallback = void (*)(int event, void* argument);

// Levels of the log. LOG is a small number but as a threshold stands between ERROR and FATAL.
constexpr int kLog = 15;
constexpr int kWarning = 19;
constexpr int kError = 21;
constexpr int kFatal = 22;
// Events of a transaction.
constexpr int kCommitted = 0;
constexpr int kAborted = 2;
constexpr int kPrepared = 4;
constexpr int kBeforeCommit = 5;
constexpr int kBeforePrepare = 7;
// Values of synchronous_commit: off, local, remote_write, on, remote_apply.
constexpr int kCommitOn = 3;
// Who may set a parameter.
constexpr int kNobody = 0;
constexpr int kConfigurationFile = 2;
// Where output goes.
constexpr int kNowhere = 0;
// How a process ends whose postmaster is dead.
constexpr int kOrphaned = 1;

// 14 has the numbers alone; 15 adds the name of the ABI; 18 the two pointers.
struct Magic {
  int length;
  int version;
  int most_arguments;
  int most_index_keys;
  int name_length;
  int float8_by_value;
  char abi[32];
  const char* name;
  const char* library_version;
};
static_assert(sizeof(Magic) == 72);
constexpr int kMagicLength14 = 24;
constexpr int kMagicLength15 = 56;

}  // namespace

extern "C" {
extern LogHook log_hook asm("emit_log_hook");
extern UtilityHook utility_hook asm("ProcessUtility_hook");
extern int output_place asm("whereToSendOutput");
extern volatile int die_pending asm("ProcDiePending");
extern volatile int cancel_pending asm("QueryCancelPending");
extern volatile int interrupt_pending asm("InterruptPending");
extern Client* client asm("MyProcPort");
// Where the last record of this transaction ends: while it waits, its commit or prepare record.
extern std::uint64_t last_record_end asm("XactLastRecEnd");
extern bool is_preloading asm("process_shared_preload_libraries_in_progress");
extern int log_threshold asm("log_min_messages");
extern int commit_level asm("synchronous_commit");

void WaitForStandby(std::uint64_t position, bool may_wait_for_apply) asm("SyncRepWaitForLSN");
void LeaveWaiters() asm("SyncRepCleanupAtProcExit");
bool IsPostmasterAlive() asm("PostmasterIsAliveInternal");
// Sets what the wait for a standby looks at, besides the variable itself.
void TakeCommitLevel(int level, void* extra) asm("assign_synchronous_commit");
void RunUtility(void* statement, const char* text, bool read_only, int context, void* parameters,
                void* environment, void* receiver, void* completion) asm("standard_ProcessUtility");
void OnTransaction(TransactionCallback callback, void* argument) asm("RegisterXactCallback");
const char* ReadSetting(const char* name, bool missing_ok,
                        bool restrict_to_privileged) asm("GetConfigOption");
void DefineBool(const char* name, const char* about, const char* more, bool* value, bool initial,
                int who, int flags, void* check, void* assign,
                void* show) asm("DefineCustomBoolVariable");
void DefineString(const char* name, const char* about, const char* more, char** value,
                  const char* initial, int who, int flags, void* check, void* assign,
                  void* show) asm("DefineCustomStringVariable");
}

namespace {

// One process of PostgreSQL has one thread.
struct State {
  LogHook next_log = nullptr;
  UtilityHook next_utility = nullptr;
  bool enforce = false;
  char* version = nullptr;
  // What is put back after a commit.
  bool commit_raised = false;
  int commit_before = 0;
  bool log_opened = false;
  int log_before = 0;
  // A wait that was cut short is waited for once more, and whether that was cut short too.
  bool waits_again = false;
  bool cut_again = false;
};

State& Guard() {
  static State state;
  return state;
}

// As PostgreSQL decides it.
bool IsLogged(int level, int threshold) {
  if (level == kLog) return threshold == kLog || threshold <= kError;
  if (threshold == kLog) return level >= kFatal;
  return level >= threshold;
}

void SetCommitLevel(int level) {
  commit_level = level;
  TakeCommitLevel(level, nullptr);
}

// Before anything that may wait for the standby. A threshold that hides the warning would keep it
// from the hook: it is lowered, and what it would have hidden is hidden there.
void Raise() {
  State& guard = Guard();
  if (guard.enforce && commit_level < kCommitOn) {
    guard.commit_before = commit_level;
    guard.commit_raised = true;
    SetCommitLevel(kCommitOn);
  }
  if (!IsLogged(kWarning, log_threshold)) {
    guard.log_before = log_threshold;
    guard.log_opened = true;
    log_threshold = kWarning;
  }
}

void PutBack() {
  State& guard = Guard();
  if (guard.commit_raised && commit_level == kCommitOn) SetCommitLevel(guard.commit_before);
  if (guard.log_opened && log_threshold == kWarning) log_threshold = guard.log_before;
  guard.commit_raised = false;
  guard.log_opened = false;
}

// Until the standby has flushed it, or nobody is waited for. PostgreSQL warns before it leaves the
// queue of those who wait, and the wait enters it anew. What cuts this wait short calls OnLog
// inside it, which only takes note: one error inside another, never deeper. Interrupts are held
// here, as they are around every wait for the standby, so what is cleared has not been acted upon.
void WaitAgain() {
  State& guard = Guard();
  guard.waits_again = true;
  LeaveWaiters();
  do {
    guard.cut_again = false;
    die_pending = 0;
    cancel_pending = 0;
    WaitForStandby(last_record_end, false);
    // Whoever outlives the postmaster must not see it either.
    if (!IsPostmasterAlive()) _exit(kOrphaned);
  } while (guard.cut_again);
  guard.waits_again = false;
}

// Also when it is PostgreSQL that ends the session there: its own warning would take along, out of
// the buffer, an answer that a client of the extended protocol may read as success. The client
// hears of the end now, and not only when the standby answers.
void EndSession(LogEvent* event) {
  event->to_client = false;
  if (client != nullptr) shutdown(client->socket, SHUT_RDWR);
  WaitAgain();
  output_place = kNowhere;
  die_pending = 1;
  interrupt_pending = 1;
}

bool IsCutShort(const LogEvent& event) {
  return event.level == kWarning && event.function != nullptr &&
         std::strcmp(event.function, "SyncRepWaitForLSN") == 0;
}

void OnLog(LogEvent* event) {
  State& guard = Guard();
  if (guard.waits_again && IsCutShort(*event)) {
    guard.cut_again = true;
    event->to_client = false;
    event->to_server = false;
    return;
  }
  if (IsCutShort(*event)) EndSession(event);
  if (guard.log_opened && !IsLogged(event->level, guard.log_before)) {
    event->to_server = false;
    return;
  }
  if (guard.next_log != nullptr) guard.next_log(event);
}

void OnTransactionEvent(int event, void*) {
  if (event == kBeforeCommit || event == kBeforePrepare) Raise();
  if (event == kCommitted || event == kPrepared || event == kAborted) PutBack();
}

// COMMIT PREPARED waits inside a command, where no event of a transaction comes before. An error
// leaves by a jump; the transaction's end puts back then.
void OnUtility(void* statement, const char* text, bool read_only, int context, void* parameters,
               void* environment, void* receiver, void* completion) {
  const bool may_wait = text != nullptr && strcasestr(text, "prepared") != nullptr;
  const UtilityHook next = Guard().next_utility != nullptr ? Guard().next_utility : RunUtility;
  if (may_wait) Raise();
  next(statement, text, read_only, context, parameters, environment, receiver, completion);
  if (may_wait) PutBack();
}

void DefineSettings() {
  DefineBool("howdah.enforce_synchronous_commit",
             "Commits wait for the synchronous standby whatever synchronous_commit says.", nullptr,
             &Guard().enforce, false, kConfigurationFile, 0, nullptr, nullptr, nullptr);
  DefineString("howdah.commit_guard", "Version of the commit guard that this server has loaded.",
               nullptr, &Guard().version, HOWDAH_COMMIT_GUARD_VERSION, kNobody, 0, nullptr, nullptr,
               nullptr);
}

}  // namespace

extern "C" {

// Any other major version refuses what is returned, and so does not start with it.
__attribute__((visibility("default"))) const Magic* MagicOfThisServer() asm("Pg_magic_func");
const Magic* MagicOfThisServer() {
  static Magic magic = {kMagicLength14, 0, 100, 32, 64, 1, "PostgreSQL", "howdah_commit_guard", ""};
  const char* number = ReadSetting("server_version_num", true, false);
  const int major = number == nullptr ? 0 : std::atoi(number) / 10000;
  if (major < 14 || major > 18) return &magic;
  magic.version = major * 100;
  if (major >= 15) magic.length = kMagicLength15;
  if (major >= 18) magic.length = static_cast<int>(sizeof(Magic));
  return &magic;
}

__attribute__((visibility("default"))) void Install() asm("_PG_init");
void Install() {
  if (!is_preloading) return;
  Guard().next_log = log_hook;
  Guard().next_utility = utility_hook;
  log_hook = OnLog;
  utility_hook = OnUtility;
  OnTransaction(OnTransactionEvent, nullptr);
  DefineSettings();
}
}
