// What to do with a client after a look at its first bytes, which stay in its socket: PostgreSQL is
// to read them again after a handover. Pure. The one rule: a request that PostgreSQL would answer
// with "no encryption" is answered here, so that a startup in the clear is never sent on unseen.
#pragma once

#include <cstddef>
#include <string_view>

#include "gateway/startup.h"

namespace howdah::gateway {

// What a route has to offer to a client that wants TLS.
struct Doors {
  bool tls_here = false;       // the gateway has a certificate
  bool tls_in_server = false;  // PostgreSQL takes the socket over and ends TLS itself; goes first
};

struct FirstLook {
  enum class Kind {
    kNeedMore,       // look again when `size` bytes are there
    kAnswerNo,       // take `size` bytes from the socket, answer 'N', look again
    kTlsHere,        // take `size` bytes from the socket, answer 'S', TLS begins
    kDirectTlsHere,  // TLS begins with what is in the socket
    kTlsInServer,    // hand over, with everything in the socket
    kStartup,        // a startup packet in the clear, still in the socket: event.startup
    kCancel,         // event.cancel_packet, still in the socket
    kRefused,        // event.refusal
    kHangUp,         // TLS with nobody to speak it: there is no answer that the client understands
  };
  Kind kind = Kind::kNeedMore;
  std::size_t size = 0;
  StartupEvent event;
};

// `pending` is all that waits in the socket, or the first kFirstLookBytes of it. `asked` is what
// the client asked for before on this connection, and is brought up to date.
FirstLook Look(std::string_view pending, const Doors& doors, Asked& asked);

// Enough for the longest startup packet and one byte that must not be there.
inline constexpr std::size_t kFirstLookBytes = kMaxStartupBytes + 4 + 1;

}  // namespace howdah::gateway
