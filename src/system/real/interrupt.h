// Cuts a wait for a server short: who asks a frozen server must hear at once that something else is
// wanted. Raise() from any thread; the descriptor stays readable until Clear().
#pragma once

#include <sys/eventfd.h>

#include <cstdint>

#include "system/real/file_descriptor.h"

namespace howdah::system {

class Interrupt {
 public:
  Interrupt() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  int descriptor() const { return event_.get(); }  // -1 where the machine has none left
  void Raise() {
    const std::uint64_t one = 1;
    if (::write(event_.get(), &one, sizeof(one)) < 0) return;  // raised already
  }
  void Clear() {
    std::uint64_t count = 0;
    if (::read(event_.get(), &count, sizeof(count)) < 0) return;  // nothing was raised
  }

 private:
  FileDescriptor event_;
};

}  // namespace howdah::system
