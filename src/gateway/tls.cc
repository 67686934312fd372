// TLS contexts; see tls.h.
#include "gateway/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/check.h"

namespace howdah::gateway {
namespace {

// The wire form of the list of one protocol: a length byte and the name.
constexpr std::string_view kAlpn = "\x0apostgresql";

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
               unsigned in_length, void*) {
  unsigned char* selected = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kAlpn.data());
  if (SSL_select_next_proto(&selected, out_length, ours, kAlpn.size(), in, in_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

Result<std::string> Stamp(const std::string& file, bool is_key) {
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) return Fail(ErrnoError("reading " + file, errno));
  if (is_key && (info.st_mode & 077) != 0)
    return Fail(Code::kPermission, file + " must not be readable by group or others");
  return fmt::format("{}:{}:{}:{}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

Result<std::string> Stamp(const TlsFiles& files) {
  TRY_ASSIGN(const std::string certificate, Stamp(files.certificate_file, false));
  TRY_ASSIGN(const std::string key, Stamp(files.key_file, true));
  return certificate + " " + key;
}

Error SslError(const std::string& file) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return {Code::kInvalid, file + ": " + text.data()};
}

Result<TlsContext> Load(const TlsFiles& files) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* native = context.get();
  if (native == nullptr) return Fail(SslError(files.certificate_file));
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // As PostgreSQL: no tickets and no cache, each connection is its own. A client that leaves
  // without close_notify has only ended: nothing in PostgreSQL's protocol can be cut short unseen
  // by it.
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(native, 1);  // a record's head and body in one read
  SSL_CTX_set_alpn_select_cb(native, SelectAlpn, nullptr);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(native, files.certificate_file.c_str()) != 1)
    return Fail(SslError(files.certificate_file));
  if (SSL_CTX_use_PrivateKey_file(native, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return Fail(SslError(files.key_file));
  if (SSL_CTX_check_private_key(native) != 1)
    return Fail(Code::kInvalid, files.key_file + " does not belong to " + files.certificate_file);
  return context;
}

}  // namespace

TlsStore::Answer TlsStore::Get(const TlsFiles& files) {
  Entry& entry = known_[files];
  const auto stamp = Stamp(files);
  if (!stamp) {
    entry.stamp.clear();
    entry.answer.error = stamp.error();
  } else if (entry.stamp != *stamp) {
    entry.stamp = *stamp;
    auto loaded = Load(files);
    entry.answer.error = loaded ? std::nullopt : std::optional(loaded.error());
    if (loaded) entry.answer.context = *std::move(loaded);
  }
  return entry.answer;
}

Tls::Tls(const TlsContext& context, int fd) : ssl_(SSL_new(context.get()), SSL_free) {
  Check(ssl_ != nullptr && SSL_set_fd(ssl_.get(), fd) == 1, "no memory for a TLS connection");
  SSL_set_accept_state(ssl_.get());
}

Progress Tls::Outcome(int result, std::size_t count) {
  if (result > 0) return {Progress::State::kDone, count, false};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Progress::State::kWantsRead, 0, true};
    case SSL_ERROR_WANT_WRITE:
      return {Progress::State::kWantsWrite, 0, false};
    case SSL_ERROR_ZERO_RETURN:
      return {Progress::State::kEnded, 0, true};
    default:
      return {Progress::State::kBroken, 0, true};
  }
}

Progress Tls::Handshake() {
  ERR_clear_error();
  return Outcome(SSL_do_handshake(ssl_.get()), 0);
}

// Drained: OpenSSL began with an empty buffer, filled less of it than it asked the socket for, and
// has used all of it. That saves a read that would find nothing after each message.
Progress Tls::Read(std::span<char> buffer) {
  ERR_clear_error();
  BIO* socket = SSL_get_rbio(ssl_.get());
  const std::uint64_t before = BIO_number_read(socket);
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
  const std::uint64_t taken = BIO_number_read(socket) - before;
  const bool began_empty = std::exchange(is_empty_, SSL_has_pending(ssl_.get()) == 0);
  Progress progress = Outcome(result, count);
  progress.drained = progress.drained ||
                     (began_empty && is_empty_ && taken > 0 && taken < SSL3_RT_MAX_PLAIN_LENGTH);
  return progress;
}

Progress Tls::Write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  return Outcome(result, count);
}

void Tls::EndOutput() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

bool Tls::AgreedOnPostgres() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return std::string_view(reinterpret_cast<const char*>(name), length) == kAlpn.substr(1);
}

}  // namespace howdah::gateway
