// Stands where an engine's `postgres` is, and becomes the real one with io_faults.c preloaded after what is preloaded
// already. Linked statically: nothing that is preloaded acts in this program itself.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char** words) {
  (void)count;
  const char* before = getenv("LD_PRELOAD");
  char preload[4096];
  snprintf(preload, sizeof preload, "%s%s" LIBRARY, before ? before : "", before ? ":" : "");
  setenv("LD_PRELOAD", preload, 1);
  execv(POSTGRES, words);
  perror(POSTGRES);
  return 127;
}
