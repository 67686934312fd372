// The decision about a client's first bytes; see first_look.h.
#include "gateway/first_look.h"

namespace howdah::gateway {
namespace {

using Kind = FirstLook::Kind;

constexpr std::size_t kRequestBytes = 8;

Kind ForTlsRecord(const Doors& doors) {
  if (doors.tls_in_server) return Kind::kTlsInServer;
  return doors.tls_here ? Kind::kDirectTlsHere : Kind::kHangUp;
}

Kind ForSslRequest(const Doors& doors) {
  if (doors.tls_in_server) return Kind::kTlsInServer;
  return doors.tls_here ? Kind::kTlsHere : Kind::kAnswerNo;
}

}  // namespace

FirstLook Look(std::string_view pending, const Doors& doors, Asked& asked) {
  if (pending.empty()) return {Kind::kNeedMore, 1, {}};
  if (IsTlsRecord(static_cast<unsigned char>(pending.front()))) return {ForTlsRecord(doors), 0, {}};
  StartupParser parser(false, asked);
  StartupEvent event = parser.Feed(pending);
  asked = parser.asked();
  switch (event.kind) {
    case StartupEvent::Kind::kNeedMore:
      return {Kind::kNeedMore, parser.Needed(), {}};
    case StartupEvent::Kind::kSslRequest:
      return {ForSslRequest(doors), kRequestBytes, {}};
    case StartupEvent::Kind::kGssRequest:
      return {Kind::kAnswerNo, kRequestBytes, {}};
    case StartupEvent::Kind::kCancel:
      return {Kind::kCancel, event.cancel_packet.size(), std::move(event)};
    case StartupEvent::Kind::kStartup:
      return {Kind::kStartup, event.startup.packet.size(), std::move(event)};
    case StartupEvent::Kind::kRefused:
      break;
  }
  return {Kind::kRefused, 0, std::move(event)};
}

}  // namespace howdah::gateway
