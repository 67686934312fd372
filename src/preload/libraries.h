// The preloaded libraries as they are embedded in this program.
#pragma once

#include <string_view>

namespace howdah::preload {

// handover.cc, linked: an ELF shared object for this machine.
std::string_view HandoverLibrary();

// commit_guard.cc, linked, for shared_preload_libraries; and what a server that has loaded it says
// of itself in the setting howdah.commit_guard.
std::string_view CommitGuardLibrary();
std::string_view CommitGuardVersion();

// What the handover library reads from the environment of the server that it is preloaded into: the
// path of the Unix socket whose connections carry a client's socket.
inline constexpr std::string_view kHandoverSocketVariable = "HOWDAH_HANDOVER_SOCKET";

}  // namespace howdah::preload
