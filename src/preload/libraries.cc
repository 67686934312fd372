// Embeds the linked library; the path comes from the build.
#include "preload/libraries.h"

asm(".section .rodata\n"
    ".balign 16\n"
    "howdah_handover_library:\n"
    ".incbin \"" HOWDAH_HANDOVER_LIBRARY
    "\"\n"
    "howdah_handover_library_end:\n"
    ".byte 0\n"
    ".text\n");

extern const char howdah_handover_library[] asm("howdah_handover_library");
extern const char howdah_handover_library_end[] asm("howdah_handover_library_end");

namespace howdah::preload {

std::string_view HandoverLibrary() {
  return {howdah_handover_library,
          static_cast<std::size_t>(howdah_handover_library_end - howdah_handover_library)};
}

}  // namespace howdah::preload
