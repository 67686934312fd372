// Parses the first bytes of a connection; see startup.h.
#include "gateway/startup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace howdah::gateway {
namespace {

constexpr std::uint32_t kCancelCode = 80877102;
constexpr std::uint32_t kSslCode = 80877103;
constexpr std::uint32_t kGssCode = 80877104;
constexpr std::uint32_t kWord = 4;

// Howdah's own roles come in by the Unix socket, never through the gateway.
constexpr std::array<std::string_view, 4> kOwnUsers = {"rdsadmin", "rdsrepladmin", "rdstopmgr",
                                                       "rdsreplication"};
constexpr std::string_view kOwnDatabase = "rdsadmin";

std::uint32_t Word(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = at; i < at + kWord; ++i)
    word = word << 8 | static_cast<unsigned char>(bytes[i]);
  return word;
}

StartupEvent Refused(std::string sqlstate, std::string message) {
  StartupEvent event;
  event.kind = StartupEvent::Kind::kRefused;
  event.refusal = {std::move(sqlstate), std::move(message)};
  return event;
}

StartupEvent Cancel(std::string packet) {
  const std::size_t key = packet.size() - 3 * kWord;
  if (packet.size() <= 3 * kWord || key > kMaxCancelKeyBytes)
    return Refused("08P01", "invalid length of cancel request packet");
  StartupEvent event;
  event.kind = StartupEvent::Kind::kCancel;
  event.cancel_packet = std::move(packet);
  return event;
}

// Takes "text\0" from the front; nullopt when there is no end.
std::optional<std::string> TakeText(std::string_view& bytes) {
  const auto end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(bytes.substr(0, end));
  bytes.remove_prefix(end + 1);
  return text;
}

StartupEvent Startup(std::string packet) {
  StartupEvent event;
  event.kind = StartupEvent::Kind::kStartup;
  std::string_view rest = std::string_view(packet).substr(2 * kWord);
  for (;;) {
    const auto name = TakeText(rest);
    if (name && name->empty()) break;
    auto value = name ? TakeText(rest) : std::nullopt;
    if (!value) return Refused("08P01", "invalid startup packet layout: missing terminator");
    event.startup.parameters.emplace_back(*name, *std::move(value));
  }
  if (!rest.empty())
    return Refused("08P01", "invalid startup packet layout: expected terminator as last byte");
  event.startup.packet = std::move(packet);
  return event;
}

// Anything that is not plainly "no": then PostgreSQL would start a replication session.
bool AsksForReplication(std::string value) {
  std::ranges::transform(value, value.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return value != "false" && value != "off" && value != "no" && value != "0";
}

std::optional<Refusal> CheckParameter(const std::string& name, const std::string& value) {
  if (name == "user" && std::ranges::find(kOwnUsers, value) != kOwnUsers.end())
    return Refusal{"28000", fmt::format("role \"{}\" is not permitted to log in here", value)};
  if (name == "database" && value == kOwnDatabase)
    return Refusal{"28000", fmt::format("permission denied for database \"{}\"", value)};
  if (name == "replication" && AsksForReplication(value))
    return Refusal{"0A000", "replication connections are not supported by this endpoint"};
  return std::nullopt;
}

}  // namespace

std::string FormatFatal(const Refusal& refusal) {
  std::string fields;
  const auto add = [&](char type, std::string_view text) {
    fields += type;
    fields += text;
    fields += '\0';
  };
  add('S', "FATAL");
  add('V', "FATAL");
  add('C', refusal.sqlstate);
  add('M', refusal.message);
  fields += '\0';
  const auto length = static_cast<std::uint32_t>(fields.size() + kWord);
  std::string message = "E";
  for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>(length >> shift & 255);
  return message + fields;
}

std::string StartupMessage::Parameter(std::string_view name) const {
  std::string found;
  for (const auto& [key, value] : parameters)
    if (key == name) found = value;
  return found;
}

StartupEvent StartupParser::Feed(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() < kWord) return {};
  const std::uint32_t size = Word(buffer_, 0);
  if (size < 2 * kWord || size > kMaxStartupBytes + kWord)
    return Refused("08P01", "invalid length of startup packet");
  if (buffer_.size() < size) return {};
  return Packet(size);
}

std::size_t StartupParser::Needed() const {
  return buffer_.size() < kWord ? kWord : Word(buffer_, 0);
}

StartupEvent StartupParser::Packet(std::uint32_t size) {
  std::string packet = buffer_.substr(0, size);
  buffer_.erase(0, size);
  const std::uint32_t code = Word(packet, kWord);
  const bool bare = size == 2 * kWord;
  if (code == kCancelCode) return Cancel(std::move(packet));
  if (code == kSslCode && bare)
    return EncryptionRequest(asked_.ssl, StartupEvent::Kind::kSslRequest);
  if (code == kGssCode && bare)
    return EncryptionRequest(asked_.gss, StartupEvent::Kind::kGssRequest);
  // Which minor versions it speaks is for PostgreSQL to say (NegotiateProtocolVersion).
  if (code >> 16 != 3)
    return Refused("0A000",
                   fmt::format("unsupported frontend protocol {}.{}", code >> 16, code & 0xffff));
  return Startup(std::move(packet));
}

StartupEvent StartupParser::EncryptionRequest(bool& asked_before, StartupEvent::Kind kind) {
  if (encrypted_ || std::exchange(asked_before, true))
    return Refused("08P01", "unexpected encryption request");
  if (!buffer_.empty())
    return Refused("08P01", "received unencrypted data after encryption request");
  StartupEvent event;
  event.kind = kind;
  return event;
}

std::optional<Refusal> CheckStartup(const StartupMessage& startup, const StartupPolicy& policy) {
  if (policy.force_tls && !policy.encrypted) {
    const std::string user = startup.Parameter("user");
    const std::string database = startup.Parameter("database");
    return Refusal{"28000",
                   fmt::format("no pg_hba.conf entry for host \"{}\", user \"{}\", "
                               "database \"{}\", no encryption",
                               policy.client_address, user, database.empty() ? user : database)};
  }
  for (const auto& [name, value] : startup.parameters)
    if (auto refusal = CheckParameter(name, value)) return refusal;
  return std::nullopt;
}

}  // namespace howdah::gateway
