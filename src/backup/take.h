// Takes a base backup of a running server, primary or standby, from its data directory on this
// host. Whatever happens in between, there is either the whole backup or none: its manifest is
// written last. Asked for again under the same id, a finished one is returned as it is, and of an
// interrupted one everything that is durable already is used.
#pragma once

#include <optional>
#include <string>

#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/objects.h"
#include "postgres/connection.h"

namespace howdah::backup {

struct TakeRequest {
  std::string id;
  InstanceId instance;
  postgres::ConnectOptions server;  // a superuser's
  std::string description;          // goes into the manifest
  unsigned threads = 0;             // 0: DefaultThreads()
  bool full = false;                // builds on no earlier backup
  // The primary, where `server` is its standby: commits there are what a backup must not slow down.
  // Where it is not known, a standby's backup goes at full speed.
  std::optional<postgres::ConnectOptions> primary;
};

// kUnavailable: cancelled, or the server or the repository is not there; kExhausted and others of
// the repository; kUnsupported: tablespaces; kConflict: the timeline changed, take it again.
Result<Manifest> TakeBackup(const TakeRequest& request, const Needs& needs, Job& job);

}  // namespace howdah::backup
