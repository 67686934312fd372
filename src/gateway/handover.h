// What a handover needs of a client's socket: a look at its first bytes that takes nothing, and
// leaving it as PostgreSQL expects it. Afterwards the client is PostgreSQL's (system's
// PassDescriptor), and the gateway must keep no copy of the descriptor: PostgreSQL's close would
// not end the connection.
#pragma once

#include "base/result.h"

namespace howdah::gateway {

struct Peeked {
  std::size_t size = 0;
  bool ended = false;  // the client sends no more than that
};
// All that waits in the socket, up to `size` bytes, and leaves it there; does not wait.
Result<Peeked> Peek(int client, char* buffer, std::size_t size);

// The socket counts as readable from so many bytes on, or at its end. 1 is what sockets start with.
void SetLowWater(int client, std::size_t bytes);

}  // namespace howdah::gateway
