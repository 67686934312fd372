// The first bytes of a PostgreSQL connection, parsed with hard limits: SSLRequest, GSSENCRequest,
// CancelRequest and StartupMessage. Pure: bytes go in, events come out. The one rule: nothing that
// came in the clear is ever read as if it had come encrypted (CVE-2021-23214 and its kind), so
// bytes behind an encryption request are an error. Source: PostgreSQL documentation, "Message Flow"
// and "Message Formats".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace howdah::gateway {

// PostgreSQL's MAX_STARTUP_PACKET_LENGTH: what may follow the length word.
inline constexpr std::uint32_t kMaxStartupBytes = 10000;
// The secret key of protocol 3.2 has up to 256 bytes.
inline constexpr std::uint32_t kMaxCancelKeyBytes = 256;

// A client that begins with a TLS record (PostgreSQL 17's sslnegotiation=direct) instead of a
// length.
constexpr bool IsTlsRecord(unsigned char first_byte) {
  return first_byte == 0x16;
}

// An error for the client: five characters of SQLSTATE, and the message.
struct Refusal {
  std::string sqlstate;
  std::string message;
};

// "ErrorResponse", severity FATAL, as every client of protocol 3 understands it.
std::string FormatFatal(const Refusal& refusal);

struct StartupMessage {
  std::string packet;  // as it came, length word included: it goes to PostgreSQL unchanged
  std::vector<std::pair<std::string, std::string>> parameters;

  // The last value wins, as in PostgreSQL; "" when absent.
  std::string Parameter(std::string_view name) const;
};

struct StartupEvent {
  enum class Kind { kNeedMore, kSslRequest, kGssRequest, kCancel, kStartup, kRefused };
  Kind kind = Kind::kNeedMore;
  StartupMessage startup;     // kStartup
  std::string cancel_packet;  // kCancel: as it came
  Refusal refusal;            // kRefused
};

// The encryption requests that a connection made; each may come once.
struct Asked {
  bool ssl = false;
  bool gss = false;
};

class StartupParser {
 public:
  // Encrypted: the bytes come out of TLS, where no further encryption may be asked for.
  explicit StartupParser(bool encrypted, Asked asked = {}) : encrypted_(encrypted), asked_(asked) {}

  // Takes more bytes and says what they were. After kSslRequest and kGssRequest that were answered
  // with 'N' feeding goes on; every other event but kNeedMore ends the parser's work.
  StartupEvent Feed(std::string_view bytes);
  // What the client sent behind the StartupMessage.
  std::string TakeRest() { return std::exchange(buffer_, {}); }
  // While more is needed: how many bytes it takes, in all, to get on.
  std::size_t Needed() const;
  const Asked& asked() const { return asked_; }

 private:
  StartupEvent Packet(std::uint32_t size);
  StartupEvent EncryptionRequest(bool& asked_before, StartupEvent::Kind kind);

  bool encrypted_;
  Asked asked_;
  std::string buffer_;
};

// What Howdah does not let a user's connection do, whatever PostgreSQL would say.
struct StartupPolicy {
  bool force_tls = false;
  bool encrypted = false;
  std::string client_address;  // for the message
};
std::optional<Refusal> CheckStartup(const StartupMessage& startup, const StartupPolicy& policy);

}  // namespace howdah::gateway
