// The transactions that still write on a server that has become read-only.
#pragma once

#include <string>

#include "postgres/connection.h"

namespace howdah::postgres {

// The server's time at which whatever had begun before default_transaction_read_only was reloaded
// can be told from what began after: a moment from now.
Result<std::string> ReadOnlySince(Connection& admin, Duration limit);

// Ends the sessions of clients whose transaction began before that and has written something. Who
// only waits for the standby has committed already and is left alone (H1); who switches writing on
// for himself later, to make room, is too. Returns how many.
Result<int> EndWriters(Connection& admin, const std::string& since, Duration limit);

}  // namespace howdah::postgres
