// The two pidfd calls, by number: glibc 2.36's header for them lacks extern "C".
#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace howdah::system {

inline int PidfdOpen(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
}

inline int PidfdSendSignal(int pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0U));
}

}  // namespace howdah::system
