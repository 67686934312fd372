// Keeps the archive of one node's instance going: on a primary that is to have one, the archiver;
// on its standby, the slot that keeps the WAL which the archive lacks, so that a promotion loses
// nothing of it; elsewhere neither.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "archive/archiver.h"
#include "host/needs.h"
#include "nodes/node.h"
#include "postgres/connection.h"

namespace howdah::host {

// Used on the keeper's thread only.
class ArchiveKeeper {
 public:
  explicit ArchiveKeeper(const Needs& needs) : needs_(needs) {}

  // A running primary: archives, or holds nothing back, as wanted.
  Result<> FollowPrimary(const nodes::Desired& want, const std::string& password,
                         postgres::Connection& admin);
  // A running standby.
  Result<> FollowStandby(const nodes::Desired& want, postgres::Connection& admin);
  // Ends the archiver where this node is no primary any more. May take as long as one call of the
  // repository, so it is done after everything that somebody waits for.
  void Rest(const nodes::Desired& want);
  // How far the archive is, for the node's report: not at each look, because it always moves on.
  nodes::Archived Report(const nodes::Archived& reported);

 private:
  bool IsDue();

  const Needs& needs_;
  std::unique_ptr<archive::Archiver> archiver_;
  std::int64_t epoch_ = 0;  // in which it archives
  MonotonicTime looked_{};
  MonotonicTime reported_{};
};

}  // namespace howdah::host
