// Preloaded into PostgreSQL by chaos: writes and syncs below the directory named in NODE/io-fault are slow or fail.
//
// The file holds "WHAT HOW WHERE": WHAT is sync or write, HOW is slow:MILLISECONDS, EIO or ENOSPC, WHERE a part of the
// path (pg_wal, base, or / for all). It is looked for at each call, so a fault begins and ends with the file. A server's
// working directory is NODE/data.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int Spare(int error) {
  errno = error;
  return 0;
}

// 0: go on; else the errno to fail with. A slow call has been slept through.
static int Fault(const char* what, int fd) {
  const int saved = errno;
  const int file = open("../io-fault", O_RDONLY | O_CLOEXEC);
  if (file < 0) return Spare(saved);
  char text[128] = {0}, kind[32], how[32], where[32], link[64], path[1024] = {0};
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  if (got <= 0 || sscanf(text, "%31s %31s %31s", kind, how, where) != 3 || strcmp(kind, what) != 0) return Spare(saved);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, where)) return Spare(saved);
  errno = saved;
  if (strcmp(how, "EIO") == 0) return EIO;
  if (strcmp(how, "ENOSPC") == 0) return ENOSPC;
  if (strncmp(how, "slow:", 5) == 0) {
    const long ms = atol(how + 5);
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    errno = saved;
  }
  return 0;
}

#define FAIL_IF(what, fd)              \
  const int error = Fault(what, fd);   \
  if (error != 0) {                    \
    errno = error;                     \
    return -1;                         \
  }

int fsync(int fd) {
  FAIL_IF("sync", fd)
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
  FAIL_IF("sync", fd)
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  FAIL_IF("write", fd)
  return ((ssize_t(*)(int, const void*, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64"))(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  FAIL_IF("write", fd)
  return ((ssize_t(*)(int, const void*, size_t, off_t))dlsym(RTLD_NEXT, "pwrite"))(fd, bytes, size, at);
}
