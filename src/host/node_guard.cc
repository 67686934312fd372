// The keeper's part of the commit guard: which library its server loads, and whether the server
// that runs has loaded it. A server without it still runs; status and doctor say so.
#include "host/node_keeper.h"
#include "postgres/commit_guard.h"

namespace howdah::host {
namespace {

constexpr Duration kLimit = 3s;

}  // namespace

Result<std::string> NodeKeeper::CommitGuard(const postgres::Engine& engine) const {
  if (!needs_.commit_guard) return Fail(Code::kUnsupported, "this host has none");
  return needs_.commit_guard(engine);
}

// Once a server: what is loaded at its start stays.
void NodeKeeper::LookForGuard(const postgres::Node& node, const system::ProcessIdentity& server) {
  if (guard_seen_in_ == server || !admin_) return;
  const Result<> loaded = postgres::CheckCommitGuard(*admin_, kLimit);
  if (!loaded && loaded.error().code() != Code::kUnsupported) return;  // asked again
  guard_seen_in_ = server;
  const Result<std::string> library = CommitGuard(node.engine());
  const std::string why = library ? (loaded ? "" : loaded.error().what()) : library.error().what();
  observed_.commit_guard = loaded ? "on" : "off: " + why;
  if (!loaded) {
    needs_.log.Warning(
        "node {}: a commit that is cancelled while it waits for the standby is answered as a "
        "success: the commit guard is off: {}",
        id_.str(), why);
  }
}

}  // namespace howdah::host
