// Embeds the linked libraries; the paths come from the build.
#include "preload/libraries.h"

asm(".section .rodata\n"
    ".balign 16\n"
    "howdah_handover_library:\n"
    ".incbin \"" HOWDAH_HANDOVER_LIBRARY
    "\"\n"
    "howdah_handover_library_end:\n"
    ".byte 0\n"
    ".balign 16\n"
    "howdah_commit_guard_library:\n"
    ".incbin \"" HOWDAH_COMMIT_GUARD_LIBRARY
    "\"\n"
    "howdah_commit_guard_library_end:\n"
    ".byte 0\n"
    ".text\n");

extern const char howdah_handover_library[] asm("howdah_handover_library");
extern const char howdah_handover_library_end[] asm("howdah_handover_library_end");
extern const char howdah_commit_guard_library[] asm("howdah_commit_guard_library");
extern const char howdah_commit_guard_library_end[] asm("howdah_commit_guard_library_end");

namespace howdah::preload {

std::string_view HandoverLibrary() {
  return {howdah_handover_library,
          static_cast<std::size_t>(howdah_handover_library_end - howdah_handover_library)};
}

std::string_view CommitGuardLibrary() {
  return {howdah_commit_guard_library,
          static_cast<std::size_t>(howdah_commit_guard_library_end - howdah_commit_guard_library)};
}

std::string_view CommitGuardVersion() {
  return HOWDAH_COMMIT_GUARD_VERSION;
}

}  // namespace howdah::preload
