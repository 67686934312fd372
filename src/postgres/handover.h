// Socket handover, the server's side: the library that the postmaster is started with, and the
// proof that a server really takes over a client's socket. What the library does:
// preload/handover.cc.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "system/disk.h"

namespace howdah::postgres {

// Writes the embedded library to HOME/lib, under a name that holds its digest, unless it is there:
// a server that runs keeps the one that it has mapped. Returns its path; kUnsupported where the
// path cannot stand in LD_PRELOAD (a space or a colon in it).
Result<std::string> InstallHandoverLibrary(system::Disk& disk, const std::string& home);

// Passes a connected TCP socket on; the caller's descriptor stays its own. Success says that it is
// on its way, not that it was taken.
Result<> HandOver(const std::string& socket_path, int client);

// Hands one end of a loopback connection over on this socket, and asks for TLS on the other: a
// server that answers has taken it over. Says also whether it speaks TLS. kUnsupported: the server
// runs without the library. kUnavailable: no such socket, or no answer in time.
struct HandoverProof {
  bool tls = false;
};
Result<HandoverProof> ProveHandover(const std::string& socket_path, Duration limit);

}  // namespace howdah::postgres
