// The archive's physical slot: on the primary it holds back WAL that is not in the repository yet;
// on a standby it does the same beforehand, so that a promotion loses nothing of it.
// max_slot_wal_keep_size bounds what it holds.
#pragma once

#include <string_view>

#include "postgres/connection.h"
#include "postgres/lsn.h"

namespace howdah::archive {

inline constexpr std::string_view kArchiveSlot = "howdah_archive";

// On a primary: there, with WAL reserved from now on; one that was given up is made anew.
Result<> EnsureArchiveSlot(postgres::Connection& admin, Duration limit);

// On a standby: there, and moved up to `archived` (what the repository has) as far as has been
// replayed here. Cheap where nothing has changed; call it every few seconds.
Result<> KeepArchiveSlot(postgres::Connection& admin, postgres::Lsn archived, Duration limit);

// Where there is no archive (any more): nothing is to be held back. Absent is no error.
Result<> DropArchiveSlot(postgres::Connection& admin, Duration limit);

// The beginning of the oldest WAL after `after` that the server still has, on any timeline of its
// own history; kNotFound.
Result<postgres::Lsn> OldestWal(postgres::Connection& admin, postgres::Lsn after, Duration limit);

}  // namespace howdah::archive
