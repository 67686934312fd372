// The preloaded libraries as they are embedded in this program.
#pragma once

#include <string_view>

namespace howdah::preload {

// handover.cc, linked: an ELF shared object for this machine.
std::string_view HandoverLibrary();

// What it reads from the environment of the server that it is preloaded into: the path of the Unix
// socket whose connections carry a client's socket.
inline constexpr std::string_view kHandoverSocketVariable = "HOWDAH_HANDOVER_SOCKET";

}  // namespace howdah::preload
