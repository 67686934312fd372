// Passing a client's own socket to PostgreSQL: one byte and one descriptor (SCM_RIGHTS) as the
// first and only message on a connection to the primary's handover socket, where the postmaster
// takes it for a connection that it accepted itself. After that the client is PostgreSQL's, and the
// gateway must keep no copy of the descriptor: PostgreSQL's close would not end the connection.
#pragma once

#include "base/result.h"

namespace howdah::gateway {

// The byte with which the descriptor travels.
inline constexpr char kHandoverByte = 'H';

// On a connection that nothing was sent on; does not wait. Afterwards close both.
Result<void> PassSocket(int connection, int client);

struct Peeked {
  std::size_t size = 0;
  bool ended = false;  // the client sends no more than that
};
// All that waits in the socket, up to `size` bytes, and leaves it there; does not wait.
Result<Peeked> Peek(int client, char* buffer, std::size_t size);

// The socket counts as readable from so many bytes on, or at its end. 1 is what sockets start with.
void SetLowWater(int client, std::size_t bytes);

}  // namespace howdah::gateway
