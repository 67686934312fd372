// TLS contexts; see tls.h.
#include "gateway/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

namespace howdah::gateway {
namespace {

namespace ssl = boost::asio::ssl;

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

Result<TlsContext> Load(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // As PostgreSQL: no tickets and no cache, each connection is its own.
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, SelectAlpn, nullptr);
  boost::system::error_code error;
  context->use_certificate_chain_file(files.certificate_file, error);
  if (error) return Fail(Code::kInvalid, files.certificate_file + ": " + error.message());
  context->use_private_key_file(files.key_file, ssl::context::pem, error);
  if (error) return Fail(Code::kInvalid, files.key_file + ": " + error.message());
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

bool AgreedOnPostgres(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &name, &length);
  return std::string_view(reinterpret_cast<const char*>(name), length) == kAlpn.substr(1);
}

}  // namespace howdah::gateway
