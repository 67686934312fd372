// The gateway process: takes routes from the host agent, listens where they say, decides about each
// connection, and relays it to the primary. It outlives the control plane: see README.md.
#pragma once

#include <string>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace howdah::gateway {

struct Limits {
  Duration startup =
      10s;  // from accept to the end of the startup packet, before a backend is spent
  // How long a connection waits until it can be served, in all: for a held route to open, and for
  // a primary that does not answer, or for the one that takes its place.
  Duration hold = 30s;
  int held_per_instance = 1000;
};

struct Options {
  std::string control_socket_path;
  int threads = 2;
  Limits limits;
};

// Serves until SIGTERM or SIGINT, then closes everything and returns. The control socket's
// directory is made 0700 if it is missing. Fails if another gateway serves the same control socket.
Result<void> Run(const Options& options, const Log& log);

}  // namespace howdah::gateway
