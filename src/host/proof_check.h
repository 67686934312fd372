// The checks of a throw-away copy that was restored from a backup: whether it is a database that
// one could go on with. First over connections, while its server runs: every database lets one in
// and has a catalogue, every table's first page can be read, every btree index is in order
// (amcheck, where the engine brings it). Then on its files, once the server has stopped: every page
// has the checksum that it says. What is wrong ends up in the outcome; an Error only says that the
// checks could not be carried through.
#pragma once

#include <functional>

#include "nodes/node.h"
#include "postgres/connection.h"
#include "system/disk.h"

namespace howdah::host {

struct ProofNeeds {
  std::function<Result<postgres::Connection>(const std::string& database)> connect;
  std::function<bool()> is_called_off;
  system::Disk& disk;
};

// Adds to `proven`; the first thing that is wrong is its failure, and the rest is left undone.
Result<> CheckDatabases(const ProofNeeds& needs, nodes::Proven& proven);
// `data`: the data directory of a server that has stopped cleanly.
Result<> CheckPages(const ProofNeeds& needs, const std::string& data, nodes::Proven& proven);

}  // namespace howdah::host
